"""CHGNet for the studio: crystals relaxed in batches, stored, told in words; wishes in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from genbat.core.condition import Condition
from genbat.core.properties import Measurement
from genbat.domains.crystals.physics import Judged, judge_many
from genbat.domains.crystals.properties import measurements
from genbat.domains.crystals.stability import landscape
from genbat.domains.crystals.structure import to_text
from genbat.studio.rooms import Judgement
from genbat.studio.rooms_crystals_known import noted
from genbat.studio.rooms_crystals_text import cell_of_text, group_symbol
from genbat.studio.store import Store

DOMAIN = "crystals"


def judge(
    store: Store,
    texts: Sequence[str],
    method: str,
    say: Callable[[float, str], object] | None = None,
) -> Iterator[Judgement]:
    """What CHGNet says of canonical texts, in the order in which it is done; kept in the store."""
    cells, asked = [], []
    for text in texts:
        try:
            cells.append(cell_of_text(text))
            asked.append(text)
        except ValueError as wrong:
            yield Judgement(store.save_evaluation(DOMAIN, text, method, {}, str(wrong)))
    for k, found in judge_many(cells, progress=say) if cells else ():
        yield _kept(store, asked[k], method, found, k)


def _kept(store: Store, text: str, method: str, judged: Judged, noise: int) -> Judgement:
    if not judged.verdict.ok or judged.cell is None:
        reason = "; ".join(judged.verdict.reasons)
        return Judgement(store.save_evaluation(DOMAIN, text, method, {}, reason))
    values = _values(judged)
    relaxed = to_text(judged.cell)
    more = {
        "relaxed": relaxed,
        "noise": noise,
        "told": {
            "space group": f"{group_symbol(judged.group)} ({judged.group})",
            "moved": f"{judged.moved:.2f} Å",
            **({"no voltage": judged.notes[0]} if judged.notes else {}),
        },
    }
    return Judgement(store.save_evaluation(DOMAIN, text, method, values, also=relaxed), more)


def _values(judged: Judged) -> dict[str, Measurement]:
    assert judged.cell is not None and judged.properties is not None  # the verdict was good
    energy = judged.properties["formation_ev"].value
    above = measurements({"hull_ev": landscape().above(judged.cell, energy)})
    return noted({**judged.properties, **above}, judged.notes[0] if judged.notes else "")


def relaxed_again(text: str, noise: int) -> str:
    """The text of a crystal relaxed with the noise of an earlier time.

    Raises
    ------
    ValueError : it does not pass the gates (any more).
    """
    ((_, found),) = judge_many([cell_of_text(text)], seed=noise, hosts=False)
    if found.cell is None:
        raise ValueError(f"relaxation: {'; '.join(found.verdict.reasons)}")
    return to_text(found.cell)


def wish_words(condition: Condition) -> str:
    """Discrete wishes as the end of a sentence."""
    wishes = condition.wishes
    parts = [_composition(wishes), _atoms(wishes), _symmetry(wishes)]
    return "".join(f", {part}" for part in parts if part)


def _composition(wishes: Mapping[str, Any]) -> str:
    if wishes.get("formula"):
        return f"of formula {wishes['formula']}"
    parts = []
    if wishes.get("system"):
        parts.append(f"of {_listed(wishes['system'], '-')} alone")
    for key, words in (("require", "with"), ("allow", "made of"), ("forbid", "without")):
        if wishes.get(key):
            parts.append(f"{words} {_listed(wishes[key], ' ')}")
    return ", ".join(parts)


def _listed(value: Any, between: str) -> str:
    return value if isinstance(value, str) else between.join(map(str, value))


def _atoms(wishes: Mapping[str, Any]) -> str:
    ends = wishes.get("atoms")
    if ends is None:
        return ""
    low, high = (ends, ends) if isinstance(ends, int) else ends
    if low == high:
        return f"{low} atoms"
    return f"at most {high} atoms" if low <= 1 else f"{low} to {high} atoms"


def _symmetry(wishes: Mapping[str, Any]) -> str:
    asked = wishes.get("space_group")
    groups = [asked] if isinstance(asked, int) else list(asked or ())
    parts = [f"space group {' or '.join(group_symbol(int(g)) for g in groups)}"] if groups else []
    parts += [str(wishes["crystal_system"])] if wishes.get("crystal_system") else []
    return ", ".join([*parts, *(["not P1"] if wishes.get("not_p1") else [])])
