"""A mend of Streamlit 1.67: what is taken back of a fragment's run that was cut short.

When a fragment starts anew, the messages of its last run that have not left yet are dropped. Those
that only refer to a message the browser remembers carry no fragment, so Streamlit keeps them; their
containers are gone, the browser finds no place for them and shows a white page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

_clear = ForwardMsgQueue.clear


def mend() -> None:
    """Let every queue drop what refers to places it has dropped."""
    ForwardMsgQueue.clear = clear  # type: ignore[assignment, method-assign]


def clear(
    queue: ForwardMsgQueue,
    retain_lifecycle_msgs: bool = False,
    fragment_ids_this_run: list[str] | None = None,
) -> None:
    """`ForwardMsgQueue.clear`, which see, without the references whose places are cleared."""
    lost = _places(queue._queue, fragment_ids_this_run or ())
    _clear(queue, retain_lifecycle_msgs, fragment_ids_this_run)
    queue._queue = [m for m in queue._queue if not (m.HasField("ref_hash") and _below(m, lost))]


def _places(messages: Iterable[ForwardMsg], fragments: Sequence[str]) -> set[tuple[int, ...]]:
    """The containers that fragments were about to make, or to put something into."""
    return {
        _path(m) if m.delta.HasField("add_block") else _path(m)[:-1]
        for m in messages
        if m.HasField("delta") and m.delta.fragment_id in fragments
    }


def _below(message: ForwardMsg, places: set[tuple[int, ...]]) -> bool:
    path = _path(message)
    return any(path[:k] in places for k in range(len(path)))


def _path(message: ForwardMsg) -> tuple[int, ...]:
    return tuple(message.metadata.delta_path)
