"""microgpt: electrode volumes written token by token, with the porosity that is asked for.

Kept from the literature: an autoencoder turns volumes into tokens of a grid of codes (Mentzer et
al., arXiv 2309.15505), and a transformer writes them one after another (Esser et al., "Taming
transformers", arXiv 2012.09841). What is asked stands first, as tokens of its own, like the class
token of Khajeh et al., Digital Discovery 2025, doi:10.1039/D4DD00293H.

Changed, and why:
- What is asked is forgotten now and then in training, target by target, so that any of them can be
  asked, and so that the told row can be followed further than it goes (guidance).
- Fractions of phases are met exactly, as in microdiffusion: where a window asks for a porosity or a
  share of binder, the phases are assigned with that fraction (`assigned`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import count

import torch
from torch import Tensor

from genbat.core.candidate import Candidate
from genbat.core.condition import Condition, Window
from genbat.domains.microstructures.volume import Volume
from genbat.families.transformer import Style, draws_of
from genbat.systems.base import Progress, SystemCard, Trained, at_least_one, counted
from genbat.systems.heads import ranges, standard_aims
from genbat.systems.microgpt_network import PLACES, Config, Network, told
from genbat.systems.microvae_network import LOGARITHMIC, TARGETS, assigned
from genbat.systems.volumes import candidate, check_aims, shares_of, volume_of

NAME = "microgpt"
LEGAL_TARGETS = TARGETS
BLOCK = 8  # volumes written side by side, always so many: a row's sums then never change
STYLE = Style(temperature=1.0, nucleus=0.98, guidance=1.5)


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    return SystemCard(
        name=NAME,
        domain="microstructures",
        family="GPT",
        title="Volume GPT",
        paper="Esser et al., CVPR 2021, arXiv 2012.09841; codes after Mentzer et al., arXiv "
        "2309.15505; class tokens after Khajeh et al., Digital Discovery 2025, "
        "doi:10.1039/D4DD00293H",
        capabilities=("sample",),
        trained_on="GenBat's generated electrodes: particles, carbon-binder bridges, calendering",
        licence="MIT",
        parameters=parameters,
    )


class MicroGPT(Trained[Config, Network]):
    """The trained system."""

    targets = TARGETS
    config_type, network_type = Config, Network
    describe = staticmethod(make_card)

    def sample(
        self,
        n: int,
        *,
        condition: Condition | None = None,
        seed: int = 0,
        style: Style = STYLE,
        progress: Progress | None = None,
    ) -> Iterator[Candidate]:
        """n volumes of SIDE^3 voxels; a longer sample starts with the shorter one.

        Raises
        ------
        ValueError : n below 1, or a wish that is none of TARGETS.
        """
        at_least_one(n)
        asked = condition or Condition()
        check_aims(NAME, asked, TARGETS)
        yield from counted(self._volumes(asked, seed, style), n, "volumes", progress)

    def _volumes(self, asked: Condition, seed: int, style: Style) -> Iterator[Candidate]:
        for first in count(0, BLOCK):
            for k, codes in enumerate(self._written(asked.windows, seed, first, style), first):
                volume = self._volume(codes, asked.windows)
                yield candidate(self, volume, seed, {"index": k}, condition=asked)

    def _written(
        self, windows: Mapping[str, Window], seed: int, first: int, style: Style
    ) -> Tensor:
        """Codes of BLOCK volumes (BLOCK, PLACES)."""
        scale = self.config.mean, self.config.spread
        aims = torch.tensor([standard_aims(windows, TARGETS, scale, LOGARITHMIC)])
        prefix = told(aims, self.config).expand(BLOCK, -1)
        free = told(torch.full_like(aims, torch.nan), self.config).expand(BLOCK, -1)
        draws = torch.stack([draws_of(seed, first + k, PLACES) for k in range(BLOCK)])
        return self.network.writer.write(
            prefix, draws, style, untold=free if windows else None, allowed=self._codes
        )

    def _codes(self, tokens: Tensor) -> Tensor:
        """Only codes may be written, no targets."""
        return (torch.arange(self.config.vocabulary) < self.config.codes).expand(len(tokens), -1)

    @torch.inference_mode()
    def _volume(self, codes: Tensor, windows: Mapping[str, Window]) -> Volume:
        logits = self.network.coder.logits(codes[None])
        labels = assigned(logits, shares_of(logits, self.config.phases, windows))
        return volume_of(labels[0].to(torch.uint8).numpy(), self.config)

    @cached_property
    def training_range(self) -> dict[str, tuple[float, float]]:
        """Mean +- 3 standard deviations of every target in training, in its unit."""
        return ranges(TARGETS, (self.config.mean, self.config.spread), LOGARITHMIC)
