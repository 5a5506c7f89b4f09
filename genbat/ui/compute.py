"""Asking xTB: for one candidate on its card, or for a selection; always as a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from genbat.core.candidate import Candidate
from genbat.ui import shared, state
from genbat.ui.progress import job_progress
from genbat.ui.words import count, plain, short

JOBS = "compute:jobs"  # what was asked for -> its job, in this tab
Molecules = Callable[[], Sequence[tuple[str, str]]]  # (text, name) of each
ORBITALS = ("lumo_ev", "homo_ev", "gap_ev", "dipole_d", "vip_ev")


def offer(candidate: Candidate, key: str) -> None:
    """A button where the quantum chemistry is only predicted; then progress, then why it failed."""
    if not _only_predicted(candidate):
        return
    running = _jobs().get(candidate.text)
    if running:
        job_progress(running, key)
        _verdict(candidate)
    elif st.button("Compute with xTB", key=key, icon=":material/calculate:", help=_HELP):
        name = candidate.name or candidate.text
        submit([(candidate.text, name)], f"xTB of {short(name, 60)}", candidate.text)
        st.rerun()


_HELP = (
    "GFN2-xTB and IPEA1-xTB: quantum chemistry of about a second a molecule. It puts computed "
    "orbital energies and the vertical ionisation potential in the place of predicted ones."
)


def _only_predicted(candidate: Candidate) -> bool:
    kinds = {candidate.properties[k].kind for k in ORBITALS if k in candidate.properties}
    return "computed" not in kinds and "measured" not in kinds


def _verdict(candidate: Candidate) -> None:
    found = shared.store().evaluation(candidate.domain, candidate.text)
    if found is not None and found.failed:
        st.warning(f"xTB gave no value: {plain(found.failed)}")


def _jobs() -> dict[str, str]:
    return st.session_state.setdefault(JOBS, {})


def submit(molecules: Sequence[tuple[str, str]], title: str, name: str) -> str:
    """Queue (text, name) pairs and remember the job under `name`."""
    arguments = {"smiles": [t for t, _ in molecules], "names": [n for _, n in molecules]}
    job = shared.jobs().submit("label", title, arguments, state.owner())
    _jobs()[name] = job
    return job


def several(number: int, molecules: Molecules, key: str, name: str) -> None:
    """A button for a selection called `name`, then its progress; `molecules` gives the pairs."""
    running = _jobs().get(name)
    if running:
        job = job_progress(running, key)
        if not job.active:
            st.caption("The values are on the cards now; the table of this run is on Jobs.")
        return
    words = count(number, "molecule")
    if st.button(f"Compute {words} with xTB", key=key, icon=":material/calculate:", help=_HELP):
        submit(molecules(), f"xTB of {words} selected on the map", name)
        st.rerun()
