"""Ids: uuid7 text that sorts by time."""

import pytest
import uuid_utils
from hypothesis import given
from hypothesis import strategies as st

from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import AHEAD_MS, id_after, id_floor, id_time, is_id, new_id, new_ids

MILLISECONDS = st.integers(0, 2**48 - 1)


def test_ids_rise_within_a_process():
    made = [new_id() for _ in range(2000)]
    assert made == sorted(set(made))
    assert all(map(is_id, made))


def test_many_at_once_rise_too():
    made = [new_id(), *new_ids(500), new_id()]
    assert made == sorted(set(made))
    assert all(map(is_id, made))
    assert new_ids(0) == []


def test_an_id_carries_its_time():
    before = now_ms()
    assert before <= id_time(new_id()) <= now_ms()


def test_an_id_never_carries_a_time_far_ahead_of_the_clock(monkeypatch):
    later = (now_ms() + 365 * DAY_MS) * 1_000_000  # the library goes on from the latest time it has ever seen
    make = uuid_utils.uuid7
    monkeypatch.setattr(uuid_utils, "uuid7", lambda **when: make(**(when or {"nanoseconds": later})))
    before = now_ms()
    assert before <= id_time(new_id()) <= now_ms()
    assert all(before <= id_time(each) <= now_ms() for each in new_ids(3))
    later = (now_ms() + AHEAD_MS // 2) * 1_000_000
    assert id_time(new_id()) > now_ms(), "a clock that was corrected by a moment changes nothing"


@given(MILLISECONDS)
def test_the_floor_of_a_millisecond_is_an_id_of_it(at):
    assert is_id(id_floor(at))
    assert id_time(id_floor(at)) == at


@given(MILLISECONDS, MILLISECONDS)
def test_floors_sort_like_times(first, second):
    assert (id_floor(first) < id_floor(second)) is (first < second)


def test_the_floor_lies_below_every_id_of_its_millisecond_and_above_those_before():
    made = new_id()
    assert id_floor(id_time(made)) <= made < id_floor(id_time(made) + 1)


def test_a_time_before_the_epoch_has_the_lowest_floor():
    assert id_floor(-5) == id_floor(0)


def test_the_id_after_another_is_the_next_one():
    made = new_id()
    following = id_after(made)
    assert is_id(following)
    assert made < following
    assert int(following.replace("-", ""), 16) == int(made.replace("-", ""), 16) + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        None,
        7,
        b"01890a5d-ac96-774b-bcce-b302099a8057",
        "' OR 1=1 --",
        "0" * 36,
        "01890A5D-AC96-774B-BCCE-B302099A8057",
        "01890a5d-ac96-774b-bcce-b302099a8057 ",
        "01890a5d-ac96-774b-bcce-b302099a8057\n",
        "01890a5dac96774bbcceb302099a8057",
        "\ud800" * 36,
        "01890a5d-ac96-474b-bcce-b302099a8057",
        "01890a5d-ac96-774b-ccce-b302099a8057",
    ],
)
def test_other_things_are_no_ids(text):
    assert not is_id(text)
