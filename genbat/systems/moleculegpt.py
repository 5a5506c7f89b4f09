"""moleculegpt: Bagal et al., J. Chem. Inf. Model. 2022, 62, 2064 (MolGPT), for electrolytes.

Kept from the paper: minGPT on strings of molecules, told the properties that are asked for, which
are given to it in training and may be left open.

Changed, and why:
- SELFIES instead of SMILES (Krenn et al. 2020): every string is a molecule.
- Properties are words before the string, one for each, which say a class between two quantiles: a
  wish is a window, and the outermost classes are narrow, since what is asked for is rare.
- Each property is forgotten in a good part of the training, so that any of them can be left open,
  and what is asked is followed further than it goes (guidance).
- Every molecule is learnt from several spellings; 0.9 million parameters, for two cores. It is
  written a little warmer than it was learnt (temperature 1.15), to recite less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genbat.core.condition import Condition
from genbat.domains.molecules.codec import Vocabulary
from genbat.families.transformer import GPT, Style, draws_of
from genbat.systems.base import Settings, SystemCard
from genbat.systems.molecule_making import BLOCK, LEGAL, TOLD, Made, Maker

NAME = "moleculegpt"
LEGAL_TARGETS = LEGAL
# Per cent of the training set, between the classes.
BORDERS = (1.0, 3.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 97.0, 99.0)
WORDS = len(BORDERS) + 2  # of each property: left open, or one of the classes
END = 2  # of the molecules' vocabulary
STYLE = Style(temperature=1.15, nucleus=0.99, guidance=1.5)


@dataclass(frozen=True)
class Config(Settings):
    """Sizes and scales: all that the weights need to be used; `borders` lie between the classes of
    each of TOLD, one after another, standardised."""

    tokens: tuple[str, ...] = ()
    longest: int = 56
    width: int = 128
    layers: int = 4
    heads: int = 4
    borders: tuple[float, ...] = (0.0,) * (len(BORDERS) * len(TOLD))
    mean: tuple[float, ...] = (0.0,) * len(TOLD)
    spread: tuple[float, ...] = (1.0,) * len(TOLD)
    steps_trained: int = 0

    def borders_of(self, k: int) -> tuple[float, ...]:
        """Between the classes of the k-th of TOLD."""
        return self.borders[k * len(BORDERS) : (k + 1) * len(BORDERS)]

    def inside(self, k: int, low: float, high: float) -> float | None:
        """A value of the k-th of TOLD whose class lies inside a window, all standardised: of such
        classes the widest, of two the outer one; None where there is none."""
        ends = (-math.inf, *self.borders_of(k), math.inf)
        shares = (0.0, *BORDERS, 100.0)
        fit = [c for c in range(len(BORDERS) + 1) if ends[c] >= low and ends[c + 1] <= high]
        if not fit:
            return None
        width = lambda c: (shares[c + 1] - shares[c], abs(shares[c + 1] + shares[c] - 100))  # noqa: E731
        best = max(fit, key=width)
        return ends[best] if best else ends[1] - 1e-3

    def words(self, values: list[float]) -> list[int]:
        """Numbers of the words said for standardised values of TOLD, NaN leaves one open."""
        out = []
        for k, value in enumerate(values):
            own = self.borders_of(k)
            said = 0 if math.isnan(value) else 1 + sum(value >= border for border in own)
            out.append(len(self.tokens) + k * WORDS + said)
        return out


@dataclass(frozen=True)
class Spelling:
    """A molecule as it was written.

    Attributes
    ----------
    numbers : tokens (T,), the last one END unless the room was used up.
    chances : of every token of the vocabulary at each place (T, V), before the nucleus is cut.
    """

    numbers: list[int]
    chances: Tensor


def network_of(config: Config) -> GPT:
    """The transformer of a config."""
    count = len(config.tokens) + WORDS * len(TOLD)
    return GPT(count, config.longest, config.width, config.layers, config.heads, dropout=0.1)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="molecules",
        family="GPT",
        title="MolGPT",
        paper="Bagal et al., J. Chem. Inf. Model. 2022, 62, 2064, doi:10.1021/acs.jcim.1c00600",
        capabilities=("sample",),
        trained_on="21,900 neutral organics of up to 12 heavy atoms (package chemicals) and the "
        "named battery compounds, xTB labels of GenBat",
        licence="MIT",
        parameters=parameters,
    )


class MoleculeGPT(Maker[Config, GPT]):
    """The trained system."""

    name = NAME
    config_type = Config
    network_type = staticmethod(network_of)  # type: ignore[assignment]
    describe = staticmethod(make_card)

    def aims(self, asked: Condition) -> list[float]:
        """Values of TOLD whose classes lie inside the windows, where there are such; else as
        `Maker.aims`."""
        values = super().aims(asked)
        for k, name in enumerate(TOLD):
            if window := asked.windows.get(name):
                ends = ((-math.inf if window.low is None else window.low),
                        (math.inf if window.high is None else window.high))  # fmt: skip
                middle, spread = self.config.mean[k], self.config.spread[k]
                found = self.config.inside(k, *((end - middle) / spread for end in ends))
                values[k] = values[k] if found is None else found
        return values

    def make(self, aims: list[float], seed: int, block: int, *, style: Style = STYLE) -> Made:
        """See `Maker.make`."""
        free = [math.nan] * len(TOLD)
        told, untold = (self._prefix(values) for values in (aims, free))
        room = self.config.longest - told.shape[1]
        draws = torch.stack([draws_of(seed, block * BLOCK + k, room) for k in range(BLOCK)])
        open_ = torch.equal(told, untold)
        rows = self.network.write(
            told, draws, style, end=END, allowed=self._text, untold=None if open_ else untold
        )
        known = Vocabulary(self.config.tokens)
        return [(known.decode(row), None) for row in rows.tolist()]

    def _prefix(self, values: list[float], rows: int = BLOCK) -> Tensor:
        return torch.tensor([self.config.words(values)]).expand(rows, -1)

    # ------------------------------------------------------------------ token by token
    def spell(
        self, aims: list[float], given: Sequence[int], seed: int, *, style: Style = STYLE
    ) -> Spelling:
        """One molecule that begins with given tokens; each place has a random number of its own, so
        that what follows a token that was changed differs only as far as the model does.

        Raises
        ------
        ValueError : more tokens than fit, or one that no molecule holds.
        """
        room = self.config.longest - len(TOLD)
        if len(given) >= room or not all(END < k < len(self.config.tokens) for k in given):
            raise ValueError(f"given: {list(given)}; legal are fewer than {room} tokens of texts")
        told, untold = (self._prefix(own, 1) for own in (aims, [math.nan] * len(TOLD)))
        begin = torch.tensor([list(given)], dtype=torch.long)
        rest = self.network.write(
            torch.cat([told, begin], 1), draws_of(seed, 0, room)[None, len(given) :], style,
            end=END, allowed=self._text, untold=torch.cat([untold, begin], 1),
        )[0].tolist()  # fmt: skip
        stop = rest.index(END) + 1 if END in rest else len(rest)
        numbers = [*given, *rest[:stop]]
        return Spelling(numbers, self._chances(told, untold, numbers, style))

    @torch.inference_mode()
    def _chances(self, told: Tensor, untold: Tensor, numbers: list[int], style: Style) -> Tensor:
        row = torch.tensor([numbers])
        both = torch.cat([torch.cat([own, row[:, :-1]], 1) for own in (told, untold)])
        scores = self.network(both)[:, len(TOLD) - 1 :].log_softmax(-1)
        scores = torch.lerp(scores[1], scores[0], style.guidance) / style.temperature
        for k in range(len(numbers)):
            fits = self._text(torch.cat([told, row[:, :k]], 1))[0]
            scores[k].masked_fill_(~fits, -torch.inf)
        return torch.softmax(scores, -1)[:, : len(self.config.tokens)]

    def _text(self, tokens: Tensor) -> Tensor:
        """Neither padding, nor a start, nor words may be written, and no empty molecule."""
        count = len(self.config.tokens)
        legal = torch.arange(count + WORDS * len(TOLD)) < count
        legal[:END] = False
        legal[END] = tokens.shape[1] > len(TOLD)
        return legal.expand(len(tokens), -1)
