"""What Streamlit takes back of a fragment's run, see `genbat.ui.messages`."""

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from genbat.ui import messages


def block(path, fragment=""):
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = fragment
    message.delta.add_block.allow_empty = True
    return message


def element(path, fragment=""):
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.delta.fragment_id = fragment
    message.delta.new_element.html.body = "x"
    return message


def reference(path):
    message = ForwardMsg()
    message.metadata.delta_path.extend(path)
    message.ref_hash = "known"
    return message


def left(found, clear):
    queue = ForwardMsgQueue()
    for message in found:
        queue.enqueue(message)
    clear(queue, True, ["walk"])
    return [tuple(m.metadata.delta_path) for m in queue._queue]


CUT_SHORT = [element([0, 3]), block([0, 4, 8], "walk"), reference([0, 4, 8, 0])]


def test_streamlit_still_needs_the_mend():
    assert left(CUT_SHORT, messages._clear) == [(0, 3), (0, 4, 8, 0)]


def test_no_reference_is_left_without_its_place():
    assert left(CUT_SHORT, messages.clear) == [(0, 3)]


@pytest.mark.parametrize(
    "found",
    [
        [reference([0, 2]), block([0, 4], "walk"), element([0, 4, 0], "walk")],  # not below it
        [block([0, 2], "other"), reference([0, 2, 0]), element([0, 4, 0], "walk")],
        [block([0, 2]), reference([0, 2, 0])],  # the page's own
    ],
)
def test_what_is_not_the_fragments_stays(found):
    kept = [tuple(m.metadata.delta_path) for m in found if m.delta.fragment_id != "walk"]
    assert left(found, messages.clear) == kept


def test_a_sibling_of_what_was_cleared_goes():
    found = [element([0, 4, 7], "walk"), reference([0, 4, 8]), reference([0, 3])]
    assert left(found, messages.clear) == [(0, 3)]


def test_every_queue_is_mended():
    assert ForwardMsgQueue.clear is messages.clear
