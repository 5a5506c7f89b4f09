"""additivevae: npvae taught further on electrolyte additives, as in Yoon et al., Appl. Sci. 2025,
15, 3640.

Kept from the paper: the network and all its weights begin as npvae's, which has learnt from many
molecules; it then learns from named additives and their families alone, a small part of the steps
at a fraction of the rate, so that what it draws are relatives of additives.

Changed, and why:
- Additives here are those that are reduced before the solvents are, by xTB's LUMO: the paper wants
  molecules that form an interphase, and flame retardants or redox shuttles are named as well.
- A family is what lies near one of them by its circular fingerprint, where the paper took what a
  database calls derivatives.
- Pieces and ways stay npvae's; the heads are fitted once more on all molecules.
"""

from __future__ import annotations

from dataclasses import replace

from genbat.systems.base import SystemCard
from genbat.systems.npvae import LEGAL_TARGETS, NPVAE
from genbat.systems.npvae import make_card as npvae_card

__all__ = ["LEGAL_TARGETS", "NAME", "AdditiveVAE", "make_card"]
NAME = "additivevae"


def make_card(parameters: int = 0) -> SystemCard:
    """What the app says about this system."""
    plain = npvae_card(parameters)
    return replace(
        plain,
        name=NAME,
        title="NP-VAE, taught further on additives",
        trained_on=f"{plain.trained_on}; then the named additives that are reduced before the "
        "solvents, and their families",
    )


class AdditiveVAE(NPVAE):
    """The trained system."""

    describe = staticmethod(make_card)
