"""What systems share that make latents for another system's decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

from genbat.systems.base import Trained

V = TypeVar("V", bound=Trained)


class Paired(Trained[Any, Any], Generic[V]):
    """A system with the `partner` whose latents it makes; its config's `vae` is the hash of the
    partner's weights."""

    partner: ClassVar[type[Trained]]

    def __init__(self, config: Any, network: Any, weights: str = "", vae: V | None = None) -> None:
        super().__init__(config, network, weights)
        self._vae = vae

    @classmethod
    def load(cls, folder: Path) -> Self:
        """From its own folder and that of its partner beside it.

        Raises
        ------
        ValueError : weights are missing, or the partner is not the one it was trained with.
        """
        name = cls.partner.describe(0).name
        system, vae = super().load(folder), cls.partner.load(folder.parent / name)
        if system.config.vae != vae.weights:
            raise ValueError(
                f"{system.card.name}: was trained with another {name} ({system.config.vae}, here "
                f"is {vae.weights}); train it again"
            )
        system._vae = vae  # type: ignore[assignment]
        return system

    @property
    def vae(self) -> V:
        """Whose decoder its latents are for."""
        if self._vae is None:
            raise ValueError(
                f"{self.card.name}: has no {self.partner.describe(0).name} to decode with"
            )
        return self._vae
