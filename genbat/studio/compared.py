"""What a page shows of `genbat compare`: the shipped numbers, and whether the review's ranking
holds in them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from genbat.core.paths import ASSETS
from genbat.studio import registry
from genbat.studio.compared_measures import HIGH, MEASURES, Measure
from genbat.studio.metrics import REAL

# Domain -> what the review ranks: a system, and those it puts below it; none means all others.
CLAIMS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "crystals": (("cdvae", ("imatgen", "crystalgan", "cubicgan")), ("mattergen", ())),
}
# Groups of measures that tell nothing of a system which makes a part of the domain only: they are
# taken against all of it.
WHOLE = ("Distribution", "Diversity")
SURE = 2.0  # standard errors that a difference of shares must exceed to count


@dataclass(frozen=True)
class Compared:
    """A shipped comparison.

    Attributes
    ----------
    rows : values by measure of each row: systems, then baselines, then real objects.
    systems : names of the rows that are systems.
    """

    domain: str
    n: int
    seed: int
    rows: Mapping[str, Mapping[str, float]]
    systems: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def measures(self) -> list[Measure]:
        """The measures that some row has."""
        had = {key for row in self.rows.values() for key, v in row.items() if math.isfinite(v)}
        return [m for m in MEASURES[self.domain] if m.key in had]

    @property
    def groups(self) -> dict[str, list[Measure]]:
        """The measures by group."""
        out: dict[str, list[Measure]] = {}
        for measure in self.measures:
            out.setdefault(measure.group, []).append(measure)
        return out

    def value(self, row: str, key: str) -> float:
        """A number, NaN where there is none."""
        return self.rows.get(row, {}).get(key, math.nan)

    def best(self, measure: Measure) -> set[str]:
        """The systems with the best value, where one end is better."""
        able = [s for s in self.systems if measure.group not in WHOLE or not scope(self, s)]
        found = {s: v for s in able if math.isfinite(v := self.value(s, measure.key))}
        if not found or not measure.better:
            return set()
        top = (max if measure.better == HIGH else min)(found.values())
        return {s for s, v in found.items() if v == top}


@dataclass(frozen=True)
class Verdict:
    """Whether one system is better than another by one measure: "yes", "no", "close" (a difference
    that the number of samples cannot tell) or "unknown" (not measured, or one of both makes a part
    of the domain only and is measured against all of it)."""

    better: str
    worse: str
    measure: Measure
    holds: str


@dataclass(frozen=True)
class Ranking:
    """A claim of the review: a system, one below it, and what each group of measures says."""

    better: str
    worse: str
    verdicts: tuple[Verdict, ...]

    def count(self, holds: str) -> int:
        """In how many groups it is so."""
        return sum(v.holds == holds for v in self.verdicts)


def path_of(domain: str) -> Path:
    """Where a domain's comparison ships."""
    return ASSETS / "data" / f"compare_{domain}.json"


def shipped(domain: str) -> bool:
    """Whether a domain's comparison is here, and its measures are known."""
    return domain in MEASURES and path_of(domain).exists()


def opened(domain: str) -> Compared:
    """A domain's shipped comparison.

    Raises
    ------
    ValueError : none is here, or what is there is none; with what to run.
    """
    again = f"run genbat compare {domain} --out assets/data/compare_{domain}.json"
    if not shipped(domain):
        raise ValueError(f"domain: no comparison of {domain} is here; {again}")
    place = path_of(domain)
    try:
        return _read(place, place.stat().st_mtime)
    except (KeyError, TypeError, AttributeError, ValueError) as wrong:
        raise ValueError(f"{place.name}: is no comparison ({wrong}); {again}") from None


@lru_cache(maxsize=8)
def _read(place: Path, when: float) -> Compared:
    told = json.loads(place.read_text("utf-8"))
    rows = {
        name: {key: math.nan if v is None else float(v) for key, v in row.items()}
        for name, row in told["rows"].items()
    }
    systems = tuple(name for name in told["systems"] if name in rows)
    if told["domain"] not in MEASURES:
        raise ValueError(f"domain {told['domain']!r}")
    return Compared(
        told["domain"], int(told["n"]), int(told["seed"]), rows, systems, told["versions"]
    )


def title(found: Compared, row: str) -> str:
    """What a row is called; "mattergen, sampled without moulds" has its system's title, too."""
    name, comma, rest = row.partition(", ")
    return registry.card(name).title + comma + rest if name in found.systems else row


def family(found: Compared, row: str) -> str:
    """A system's family of models; "baseline" or "real" for what is none."""
    if row in found.systems:
        return str(registry.card(row).family)
    return "real" if row == REAL else "baseline"


def scope(found: Compared, row: str) -> str:
    """What a system makes where that is a part of the domain only; "" else."""
    return str(registry.card(row).scope) if row in found.systems else ""


# ---------------------------------------------------------------------- the review's ranking
def rankings(found: Compared) -> list[Ranking]:
    """The review's claims of the systems that were compared, by the first measure of each group."""
    heads = [measures[0] for measures in found.groups.values() if measures[0].better]
    return [
        Ranking(better, worse, tuple(_verdict(found, better, worse, m) for m in heads))
        for better, worse in _pairs(found)
    ]


def _pairs(found: Compared) -> list[tuple[str, str]]:
    """The claimed pairs, the better one first."""
    return [
        (better, worse)
        for better, named in CLAIMS.get(found.domain, ())
        for worse in (named or found.systems)
        if better != worse and {better, worse} <= set(found.systems)
    ]


def missing(found: Compared) -> list[str]:
    """Titles of the systems of which the review speaks and that were not compared."""
    spoken = {name for better, named in CLAIMS.get(found.domain, ()) for name in (better, *named)}
    return [registry.card(name).title for name in sorted(spoken - set(found.systems))]


def _verdict(found: Compared, better: str, worse: str, measure: Measure) -> Verdict:
    one, two = (found.value(row, measure.key) for row in (better, worse))
    unlike = measure.group in WHOLE and any(scope(found, row) for row in (better, worse))
    if unlike or not (math.isfinite(one) and math.isfinite(two)):
        return Verdict(better, worse, measure, "unknown")
    ahead = one - two if measure.better == HIGH else two - one
    errors = [_error(found, row, measure) for row in (better, worse)]
    if ahead == 0 or abs(ahead) <= SURE * math.hypot(*errors):
        return Verdict(better, worse, measure, "close")
    return Verdict(better, worse, measure, "yes" if ahead > 0 else "no")


def _error(found: Compared, row: str, measure: Measure) -> float:
    """Standard error of a share, by Agresti and Coull (Am. Stat. 1998, 52, 119); 0 of what is no
    share, whose error the file does not know."""
    if not measure.of:
        return 0.0
    share, many = found.value(row, measure.key), _many(found, row, measure.of)
    middle = (share * many + 2) / (many + 4)
    return math.sqrt(middle * (1 - middle) / (many + 4))


def _many(found: Compared, row: str, of: str) -> float:
    """How many objects a share is one of."""
    if of == "judged":
        many = found.value(row, "phonon_judged")
    else:
        valid = "validity" if found.domain == "crystals" else "valid"
        shares = {"valid": (valid,), "distinct": (valid, "unique"), "relaxed": ("relaxed",)}
        many = found.n * math.prod(found.value(row, key) for key in shares.get(of, ()))
    return many if math.isfinite(many) else 0.0


def conclusion(found: Compared, told: Sequence[Ranking]) -> str:
    """What becomes of the ranking, in a sentence made of the numbers."""
    if not told:
        return "None of the pairs that the review ranks has been compared."
    yes, no, close = (sum(r.count(h) for r in told) for h in ("yes", "no", "close"))
    whole = [r for r in told if not r.count("no") and r.count("yes")]
    most = sum(r.count("yes") > r.count("no") for r in told)
    return (
        f"Of {yes + no + close} comparisons, {yes} agree with the review, {no} contradict it and "
        f"{close} are too close for {found.n:,} samples. The better system is ahead by more "
        f"measures than it is behind in {most} of {len(told)} pairs; in {len(whole)} of them it is "
        "behind by none."
    )
