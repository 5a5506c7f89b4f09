"""Types of atoms in mattergen's sampler: which may come back, when, and which must."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genbat.families.crystal_net import Crystals
from genbat.families.masking import reveal
from genbat.systems.crystal_corpus import MASK
from genbat.systems.mattergen_moulds import Cast

NOBODY = -1  # in place of the type of an atom that follows the first of its orbit


def barred(logits: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Logits without the mask and, where given, without what is not `allowed` (B, KINDS)."""
    bar = torch.zeros_like(logits[..., :1]).expand_as(logits).clone()
    bar[..., MASK] = -torch.inf
    if allowed is not None:
        bar = bar.masked_fill(~allowed[:, None], -torch.inf)
    return logits + bar


def revealed(
    x: Crystals,
    logits: Tensor,
    times: tuple[Tensor, Tensor],
    cast: Cast,
    required: Sequence[frozenset[int]],
    generator: torch.Generator,
) -> Tensor:
    """Types (B, N) at the later of two times: whole orbits come back at once."""
    told = x.here & cast.leads
    kinds = reveal(x.kinds, logits, float(times[0]), float(times[1]), MASK, generator)
    firsts = torch.where(told, kinds, NOBODY)
    firsts = with_required(firsts, told & (x.kinds == MASK), logits, required)
    return cast.led(firsts) * x.here


def with_required(
    kinds: Tensor, fresh: Tensor, logits: Tensor, required: Sequence[frozenset[int]]
) -> Tensor:
    """Types (B, N) in which one of each required set of elements has come or still finds a hidden
    atom.

    Where too few hidden atoms are left, atoms revealed just now (those of `fresh`) take elements of
    the missing sets, the likeliest under `logits` (B, N, KINDS) first; no atom is taken without
    which another set would be missing. Where atoms form orbits, only the first of each is told
    here.
    """
    if not required:
        return kinds
    return torch.stack(
        [torch.tensor(_filled(own.tolist(), new.tolist(), chances, required))
         for own, new, chances in zip(kinds, fresh, logits, strict=True)]
    )  # fmt: skip


def _filled(
    own: list[int], fresh: list[bool], logits: Tensor, required: Sequence[frozenset[int]]
) -> list[int]:
    """`with_required` of one crystal."""
    hidden = sum(new and z == MASK for z, new in zip(own, fresh, strict=True))
    while len(missing := _missing(own, required)) > hidden:
        spare = [n for n, new in enumerate(fresh) if new and _can_go(n, own, required)]
        if not spare:
            break
        elements = sorted(set().union(*missing))
        gain = logits[spare][:, elements]
        place, element = divmod(int(gain.argmax()), len(elements))
        own = [elements[element] if n == spare[place] else z for n, z in enumerate(own)]
    return own


def _missing(own: Sequence[int], required: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    return [one for one in required if one.isdisjoint(own)]


def _can_go(n: int, own: Sequence[int], required: Sequence[frozenset[int]]) -> bool:
    """Whether atom n has a type that no required set needs."""
    if own[n] == MASK:
        return False
    left = [*own[:n], *own[n + 1 :]]
    return len(_missing(left, required)) == len(_missing(own, required))
