"""Filtering: what a list may be narrowed to is said in one place, and every fault is named."""

from notiway.store.search import filters
from notiway.values.lists.filtering import MAX_TEXT, NAMES, STATES, filter_faults, narrowing


def test_the_store_knows_every_state_and_no_other():
    assert tuple(filters.STATES) == STATES
    assert set(NAMES) <= set(filters.Filters.__dataclass_fields__)


def test_every_fault_is_named():
    given = {
        "state": "odd",
        "type": "x",
        "priority": "y",
        "source": "a\0b",
        "category": "\0",
        "text": "t" * (MAX_TEXT + 1),
    }
    assert {fault.path for fault in filter_faults(given)} == set(NAMES)
    assert filter_faults(dict.fromkeys(NAMES, "")) == []


def test_what_lets_in_everything_narrows_nothing():
    assert narrowing({"state": "all", "type": "", "source": None, "before": "x"}) == {}
    assert narrowing({"state": "read", "text": "a"}) == {"state": "read", "text": "a"}
