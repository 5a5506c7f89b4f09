"""CHGNet on the crystals of a user's file: relaxed, judged, written as a folder or a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from genbat.core.candidate import Candidate, Verdict
from genbat.core.errors import InputProblem
from genbat.core.provenance import Provenance, versions
from genbat.domains.crystals.reading import MAX_BYTES
from genbat.studio import exports
from genbat.studio.rooms import Judgement, Uploaded, rooms
from genbat.studio.store import Store

Progress = Callable[[float, str], None]


def label_file(
    path: Path,
    out: Path,
    *,
    order: bool = False,
    progress: Progress | None = None,
    store: Store | None = None,
) -> list[InputProblem]:
    """Relax and judge every crystal of a file; some 0.3 s a crystal of at most 14 atoms.

    Parameters
    ----------
    out : a folder (one CIF of the relaxed crystal each, and `candidates.csv`) or a .csv file. What
        fails a gate stands in the table with its reason and has no number.
    order : put disordered crystals in order instead of refusing them.
    store : where the values are kept for the app; the user's own unless told.

    Returns
    -------
    What was wrong with single crystals.

    Raises
    ------
    ValueError : the file cannot be used at all, or none of its crystals.
    """
    if out.exists() and out.samefile(path):
        raise ValueError(f"out: got the input file {path.name} itself; name another one")
    if path.stat().st_size > MAX_BYTES:  # asked before it is read into memory
        raise ValueError(f"{path.name}: at most {MAX_BYTES // 1_000_000} MB are read")
    room = rooms("crystals")
    rows, problems = room.read(path.read_bytes(), path.name, order)
    if not rows:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ValueError(f"{problems[0]}{more}")
    texts = list(dict.fromkeys(row.text for row in rows))
    found = {one.evaluation.text: one for one in room.judge(store or Store(), texts, progress)}
    exports.write(labelled(rows, found), out)
    return problems


def labelled(rows: Sequence[Uploaded], found: dict[str, Judgement]) -> list[Candidate]:
    """Candidates of a file's crystals, each as it is after its relaxation."""
    made = []
    for row in rows:
        judgement = found[row.text]
        told = {"line": row.line, **({"note": row.note} if row.note else {})}
        story = Provenance("user", "typed", arguments=told, versions=versions())
        failed = judgement.evaluation.failed
        verdict = Verdict(not failed, (failed,) if failed else ())
        candidate = Candidate(row.text, "crystals", verdict, story, name=row.name)
        settled = rooms("crystals").settled(candidate, judgement)
        made.append(replace(settled, properties=dict(judgement.evaluation.values)))
    return made
