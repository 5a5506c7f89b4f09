"""Opening a domain's atlas in the background, so that no page waits without words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

from genbat.studio import explore, views

Step = tuple[str, Callable[[], object]]


class Warmup:
    """One thread that loads a domain's atlas and all that a first click needs, then `after`.

    Attributes
    ----------
    words : what it is doing, for the person who waits.
    error : why there is no atlas, else None.
    """

    def __init__(self, domain: str, after: Callable[[], object] = bool) -> None:
        self.domain = domain
        self._after = after
        self.words = f"Opening the table of known {domain}"
        self.error: ValueError | None = None
        self._atlas: explore.Atlas | None = None
        self._ready = threading.Event()
        threading.Thread(target=self._run, daemon=True, name=f"warm-up {domain}").start()

    def wait(self, seconds: float) -> bool:
        """Whether the atlas is ready (or has failed), after at most so many seconds."""
        return self._ready.wait(seconds)

    @property
    def ready(self) -> bool:
        """Whether `atlas` answers at once."""
        return self._ready.is_set()

    def atlas(self) -> explore.Atlas:
        """The atlas; waits for it. ValueError as `genbat.studio.explore.atlas`."""
        self._ready.wait()
        if self._atlas is None:
            raise self.error or ValueError(f"domain: {self.domain} could not be opened")
        return self._atlas

    def _run(self) -> None:
        try:
            place = explore.atlas(self.domain)
            for self.words, step in _needed(place):
                step()
            self._atlas = place
        except ValueError as reason:
            self.error = reason
        except Exception as reason:
            self.error = ValueError(f"{type(reason).__name__}: {reason}")
        finally:
            self._ready.set()
        if self._atlas is not None:
            for _, step in _useful(self._atlas):
                step()
            self._after()


def _needed(place: explore.Atlas) -> Iterator[Step]:
    """What the first picture and the first click use."""
    domain, words = place.rooms.domain, place.rooms.words
    yield f"Placing the {words.many} on the map", lambda: (place.xy, place.names, place.row_of)
    yield "Reading names and kinds", lambda: (_groups(place), place.generated)
    yield "Waking the model", lambda: place.candidate(0)
    yield f"Drawing a first {words.one}", lambda: views.view(domain, place.texts[0])


def _groups(place: explore.Atlas) -> list[object]:
    return [place.group(key) for key in place.rooms.groups]


def _useful(place: explore.Atlas) -> Iterator[Step]:
    """What somebody asks for a little later."""
    x, y = (float(v) for v in place.xy[0])
    yield "empty places", lambda: place.spot(x, y)
    yield "elements", lambda: place.elements
    yield "neighbours", place.rooms.prepare
    for name in place.rooms.familiar.values():
        yield name, partial(place.search, name)
