"""Answer: from a press to what became of it, and what an interruption leaves."""

import pytest

from notiway.values.kinds.action import Undo
from notiway.values.kinds.answer import INTERRUPTED, PENDING_MS, begun, done, failed, settled, status_of

PENDING = begun("press-1", "approve", "Approve", "ada", "Ada", 1_000)
DONE = done(PENDING, Undo("withdraw"))
TAKING_BACK = begun("press-2", "withdraw", "Undo", "bob", "Bob", 2_000, undoes=DONE)


def test_nobody_has_pressed():
    assert settled(None, 0) is None
    assert status_of(None) == "open"


def test_a_press_is_pending_until_it_is_done_or_failed():
    assert status_of(settled(PENDING, 1_000 + PENDING_MS - 1)) == "pending"
    assert done(PENDING, None) == {**PENDING, "status": "done"}
    assert DONE["undo"] == {"action": "withdraw", "label": "Undo"}
    assert failed(PENDING, "No stock") == {**PENDING, "status": "failed", "message": "No stock"}


def test_a_press_that_was_interrupted_has_failed():
    assert settled(PENDING, 1_000 + PENDING_MS) == {**PENDING, "status": "failed", "message": INTERRUPTED}


def test_what_is_taken_back_is_open_again_and_what_could_not_be_stands():
    assert done(TAKING_BACK, None) is None
    assert failed(TAKING_BACK, "Too late") == {**DONE, "message": "Too late"}
    assert settled(TAKING_BACK, 2_000 + PENDING_MS) == DONE


@pytest.mark.parametrize("answer", [DONE, failed(PENDING, "x")])
def test_what_is_settled_stays(answer):
    assert settled(answer, 2**50) is answer
