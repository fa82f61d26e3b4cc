"""The shape of an envelope: every field that has the wrong one is named, and the others are still looked at."""

from __future__ import annotations

import pytest

from notiway.gateway.envelope_model import MAX_NAMED, SHAPES, shaped, unknown_fields
from notiway.values.errors import InvalidNotification

GOOD = {"id": "1", "type": "note", "routing": {"audienceType": 4, "audienceValue": "ada"}}


def wrong(path: str) -> dict:
    field, _, inner = path.partition(".")
    bad = object()
    return GOOD | {field: {**GOOD.get(field, {}), inner: bad} if inner else bad}


def test_a_good_one_has_no_fault():
    faults = []
    assert shaped(GOOD, faults).routing.audienceValue == "ada"
    assert faults == []


@pytest.mark.parametrize("path", sorted(SHAPES))
def test_each_field_of_another_shape_is_named_alone(path):
    faults = []
    shaped(wrong(path), faults)
    assert [(fault.path, fault.message) for fault in faults] == [(path, SHAPES[path][0])]


def test_all_that_is_missing_is_named_at_once():
    faults = []
    shaped({}, faults)
    assert [(fault.path, fault.message) for fault in faults] == [
        (path, "is required") for path in ("id", "type", "routing")
    ]


@pytest.mark.parametrize("raw", [None, [], "x", 1])
def test_what_is_no_object_is_refused(raw):
    with pytest.raises(InvalidNotification) as caught:
        shaped(raw, [])
    assert [fault.path for fault in caught.value.faults] == ["envelope"]


def test_a_slip_in_a_name_is_recognised():
    found = unknown_fields(GOOD | {"groupkey": "x", "metadata": {"colour": "red"}})
    assert [fault.path for fault in found] == ["groupkey", "metadata.colour"]
    assert "did you mean groupKey?" in found[0].message


def test_unknown_fields_are_named_up_to_a_bound():
    assert len(unknown_fields({f"x{number}": 1 for number in range(1000)})) == MAX_NAMED
