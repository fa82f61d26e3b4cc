"""Event: to bytes and back, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notiway.values.event import KINDS, Event

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON, max_size=4),
    st.floats(0, 2e9),
)
def test_an_event_survives_the_way_through_bytes(kind, data, at):
    event = Event(kind, "user:42", data, at)
    assert Event.from_bytes(event.to_bytes()) == event


@pytest.mark.parametrize("kind", ["", "Created", "ring", "notification"])
def test_there_are_no_other_kinds(kind):
    with pytest.raises(ValueError):
        Event(kind, "global")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b"null",
        b"\xff\xfe",
        b'{"k":"created"}',
        b'{"k":"ring","a":"global","d":{},"t":0}',
        b'{"k":[],"a":1}',
    ],
)
def test_bytes_that_are_no_event_are_refused(raw):
    with pytest.raises(ValueError):
        Event.from_bytes(raw)


def test_bytes_are_compact_utf8():
    assert Event("sync", "global", {"unread": 3, "x": "é"}).to_bytes() == (
        '{"v":1,"k":"sync","a":"global","d":{"unread":3,"x":"é"},"t":0.0}'.encode()
    )


def test_what_a_newer_version_adds_is_passed_over_and_what_an_older_one_lacks_is_not_missed():
    newer = b'{"v":9,"k":"sync","a":"global","d":{"unread":3},"t":1.5,"trace":"x"}'
    assert Event.from_bytes(newer) == Event("sync", "global", {"unread": 3}, 1.5)
    assert Event.from_bytes(b'{"k":"sync","a":"global","d":{}}') == Event("sync", "global")
    with pytest.raises(ValueError, match="melted"):
        Event.from_bytes(b'{"v":9,"k":"melted","a":"global","d":{}}')
