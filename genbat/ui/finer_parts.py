"""The parts of "Finer voxels": a coarse scan, the system that makes it finer, what comes of it."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from genbat.studio import finer
from genbat.studio.jobs import Job
from genbat.ui import micrograph_parts, progress, shared, state
from genbat.ui.words import plain, short


def page() -> None:
    """All of it: the job of the link, or the way to one."""
    job = micrograph_parts.watched("finer")
    if job is not None:
        _job(job)
        return
    file = st.file_uploader(
        "A coarse scan of your material", type=["tif", "tiff"], key="finer:file",
        help="A TIFF stack of 16 voxels an edge at least: labels with one value a phase, or grey.",
    )  # fmt: skip
    if file is None:
        st.caption(
            "A scan of a large volume is coarse; a micrograph is fine but flat. SuperRes has seen "
            "both of one material and fills in what a scan of that material leaves out. Nothing "
            "leaves this computer."
        )
        return
    try:
        stack = finer.stack_of(file.getvalue(), file.name)
    except ValueError as wrong:
        st.error(plain(str(wrong)))
        return
    coarse = micrograph_parts.phases(stack, file.name)
    if coarse is not None:
        _start(coarse, file.name)


def _start(coarse: Any, filename: str) -> None:
    able = finer.able(len(coarse.phases))
    if not able:
        st.info(f"No system here makes volumes of {len(coarse.phases)} phases finer.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        system = st.selectbox(
            "Learnt from", list(able), format_func=able.__getitem__, width=320, key="finer:system",
            help="It makes every scan look like the material it has learnt from.",
        )  # fmt: skip
        seed = st.number_input("Seed", 0, micrograph_parts.SEEDS, 0, key="finer:seed", width=120)
        go_on = st.button("Make finer", type="primary", icon=":material/grain:")
    kept = finer.middle(coarse)
    if kept.shape != coarse.shape:
        st.caption(f"Of a scan this large its middle is taken: {_size(kept.shape)} voxels.")
    st.caption(f"Gives {_size(tuple(finer.FACTOR * n for n in kept.shape))} voxels.")
    if go_on:
        name = filename.rsplit(".", 1)[0]
        told = finer.arguments(coarse, system, name, int(seed))
        state.link(job=shared.jobs().submit("finer", f"SuperRes {name}", told, state.owner()))
        st.rerun()


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _job(job: Job) -> None:
    st.subheader(plain(short(str(job.arguments.get("name", "")), 60)), anchor=False)
    job = progress.job_progress(job.id, "finer")
    if job.active:
        return
    if st.button("Another scan", icon=":material/upload_file:"):
        state.link(job=None)
        st.rerun()
    found = shared.jobs().results(job.id)
    if not found:
        return
    made = finer.result(found[0].payload)
    st.html(_table(str(job.arguments["text"]), made.text))
    st.caption(
        "Shares and the faces of voxels by volume, before and after. Coarse voxels hide small "
        "phases and rough surfaces; that they look like this below the scan's resolution is what "
        "the system has learnt, not what the scan shows."
    )
    micrograph_parts.volume(made, "finer")


@st.cache_data(max_entries=16, show_spinner=False)
def _table(coarse: str, fine: str) -> str:
    rows = finer.compared(coarse, fine)
    cells = "".join(
        f"<tr><th>{html.escape(row.phase.capitalize())}</th>"
        f"<td>{100 * row.share[0]:.1f} → {100 * row.share[1]:.1f} %</td>"
        f"<td>{row.surface[0]:.3g} → {row.surface[1]:.3g} {row.unit}</td></tr>"
        for row in rows
    )
    return f"<table class='gb-values'>{cells}</table>"
