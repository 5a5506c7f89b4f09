"""crystalgpt: Antunes et al., Nat. Commun. 2024, 15, 10570 (CrystaLLM), on a text of symmetry.

Kept from the literature: crystals are texts, and a transformer that has read many of them writes
new ones token by token after a prompt of formula and space group (Antunes et al., "Crystal
structure generation with autoregressive large language modeling"). The text names the space group,
then for each orbit of atoms its element, Wyckoff letter and free parameters, then the cell, as in
Wyckoff Transformer (Kazeev et al., ICML 2025, arXiv 2503.02407), so that every atom stands exactly
where its symmetry wants it.

Changed, and why:
- Not CIF: a text of 10 to 150 words of a fixed vocabulary instead of some thousand characters.
  Numbers are two words each (1e-4 of an axis, 0.01 Å, 0.01 degrees). Among origins that are as good
  one is always chosen, so that like crystals have like texts.
- The prompt says a reduced formula, or elements alone, or nothing, and the atoms of the primitive
  cell or nothing; each is left out in a good part of the training. The space group is the text's
  own first word, so that asking for it means writing it.
- Decoding keeps to the grammar (`genbat.domains.crystals.symmetric_grammar`): a word is legal only
  if the atoms that the composition still owes can be placed in the group. A formula is therefore
  exact by construction, and so are elements, atoms and the written group; what the group really is,
  spglib says. A crystal that breaks the domain's limits or is not what was asked (free parameters
  may fall on a higher symmetry) is written anew, at most five times. `CrystalGPT.bare_plan` writes
  without grammar and only once, and is measured beside.
- One million parameters and crystals of at most 20 atoms, for two cores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition
from genbat.domains.crystals.symmetric_grammar import Limits, Text, possible, read
from genbat.domains.crystals.symmetric_text import (
    END,
    NUMBER,
    VOCABULARY,
    numbers_of,
    prompt_of,
    words_from,
)
from genbat.domains.crystals.wishes import Wishes, read_wishes
from genbat.families.transformer import GPT, Style, draws_of
from genbat.systems.again import FAR, until_legal
from genbat.systems.base import (
    Progress,
    Settings,
    SystemCard,
    Trained,
    at_least_one,
    counted,
)
from genbat.systems.by_symmetry import Tried, tried

NAME = "crystalgpt"
BLOCK = 64  # crystals written side by side, at first always so many: their sums never change
FEW = 20  # space groups up to which a formula is checked against each beforehand
LEGAL_TARGETS: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config(Settings):
    """Sizes, and what the training crystals hold: all that the weights need to be used."""

    longest: int = 224
    width: int = 128
    layers: int = 4
    heads: int = 4
    groups: tuple[int, ...] = ()
    elements: tuple[str, ...] = ()
    steps_trained: int = 0


@dataclass(frozen=True)
class Plan:
    """How a sample is written: how words are drawn, whether the grammar is kept to, and how often a
    crystal may be written at the most until it is legal."""

    style: Style = field(default_factory=lambda: Style(temperature=1.0, nucleus=0.98))
    grammar: bool = True
    tries: int = 6


def network_of(config: Config) -> GPT:
    """The transformer of a config."""
    c = config
    return GPT(len(VOCABULARY), c.longest, c.width, c.layers, c.heads, dropout=0.05)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="crystals",
        family="GPT",
        title="Crystal GPT",
        paper="Antunes et al., Nat. Commun. 2024, 15, 10570; Wyckoff letters as Kazeev et al., "
        "ICML 2025, arXiv 2503.02407",
        capabilities=("sample",),
        trained_on="GenBat's crystals relaxed with CHGNet, and Materials Project structures "
        "(CC BY 4.0) of at most 20 atoms",
        licence="MIT",
        parameters=parameters,
    )


class CrystalGPT(Trained[Config, GPT]):
    """The trained system."""

    targets: tuple[str, ...] = ()
    config_type = Config
    network_type = staticmethod(network_of)  # type: ignore[assignment]
    describe = staticmethod(make_card)
    takes_windows = False
    honours_wishes = True
    bare_plan = Plan(grammar=False, tries=1)  # the model alone, to be measured beside

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        plan: Plan | None = None,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n crystals, unrelaxed; a longer sample starts with the shorter one.

        Formula, elements (all that `genbat.domains.crystals.wishes` knows) and number of atoms are
        exact, the space group is that of the text.

        Raises
        ------
        ValueError : n below 1, a property window, or a wish this system cannot honour.
        """
        at_least_one(n)
        asked = condition or Condition()
        limits = self.limits(asked)
        made = (
            self.made(one.text, one.verdict, seed, {"index": first + k}, condition=asked)
            for first in count(0, BLOCK)
            for k, one in enumerate(self._block(limits, seed, first, plan or Plan()))
        )
        yield from counted(made, n, "crystals", progress)

    def limits(self, condition: Condition) -> Limits:
        """What a text may say under a condition.

        Raises
        ------
        ValueError : a property window; a space group or an element that no training crystal has; a
            formula that fits in none of the groups asked for.
        """
        if condition.windows:
            raise ValueError(f"{NAME}: cannot aim at {sorted(condition.windows)}; it takes formula,"
                             " elements, atoms and space group; ask mattergen")  # fmt: skip
        wishes, own = read_wishes(condition), self.config
        if strange := sorted(wishes.require - set(own.elements)):
            raise ValueError(f"elements: no training crystal holds {', '.join(strange)}; legal are "
                             f"{', '.join(own.elements)}")  # fmt: skip
        groups = [g for g in own.groups if not wishes.groups or g in wishes.groups]
        if 0 < len(groups) <= FEW:
            groups = [g for g in groups if possible(g, wishes)]
        if not groups:
            raise ValueError(
                f"space_group, atoms, formula: no symmetry asked for has sites for these atoms; "
                f"this system has learnt the groups {', '.join(map(str, own.groups))}"
            )
        return Limits(tuple(groups), own.elements, wishes)

    # ------------------------------------------------------------------ writing
    def _block(self, limits: Limits, seed: int, first: int, plan: Plan) -> list[Tried]:
        """BLOCK crystals; those that are not legal are written anew, with other numbers."""
        write = partial(self.write, limits, seed, first, plan)

        def finish(words: list[str]) -> Tried:
            return tried(partial(read, words), limits.wishes, " ".join(words))

        return until_legal(write, finish, lambda one: one.verdict.ok, plan.tries, BLOCK)

    def write(
        self,
        limits: Limits,
        seed: int,
        first: int,
        how: Plan,
        turn: int = 0,
        rows: Sequence[int] = range(BLOCK),
    ) -> list[list[str]]:
        """Texts of the `rows` of a block that begins with crystal `first`, without prompt and
        end."""
        prompt = torch.tensor([numbers_of(self._prompt(limits.wishes))])
        room = self.config.longest - prompt.shape[1]
        draws = torch.stack([draws_of(seed, first + k + FAR * turn, room) for k in rows])
        guard = Guard(limits, prompt.shape[1]) if how.grammar else None
        out = self.network.write(
            prompt.expand(len(draws), -1), draws, how.style, end=NUMBER[END], allowed=guard
        )
        return [words_from(row) for row in out.tolist()]

    def _prompt(self, wishes: Wishes) -> list[str]:
        low, high = wishes.atoms
        exact = wishes.require if wishes.require == wishes.allow else frozenset[str]()
        return prompt_of(wishes.formula, exact, low if low == high else None)


class Guard:
    """Which words may follow in each of several texts that grow by one word a step."""

    def __init__(self, limits: Limits, prompt: int) -> None:
        self.limits, self.prompt = limits, prompt
        self.texts: dict[tuple[int, ...], Text] = {(): Text()}
        self.masks: dict[tuple[str, ...], Tensor] = {}

    def __call__(self, tokens: Tensor) -> Tensor:
        """Tokens so far (B, t), prompt included -> whether each may follow (B, V)."""
        rows = [tuple(row) for row in tokens[:, self.prompt :].tolist()]
        self.texts = {row: self._text(row) for row in rows}
        return torch.stack([self._mask(self.texts[row].legal(self.limits)) for row in rows])

    def _text(self, row: tuple[int, ...]) -> Text:
        return self.texts[row[:-1]].after(VOCABULARY[row[-1]]) if row else Text()

    def _mask(self, words: tuple[str, ...]) -> Tensor:
        """A dead end may only end, and is no crystal then."""
        legal = words or (END,)
        if legal not in self.masks:
            mask = torch.zeros(len(VOCABULARY), dtype=torch.bool)
            mask[numbers_of(legal)] = True
            self.masks[legal] = mask
        return self.masks[legal]
