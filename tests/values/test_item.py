"""Item: one notification as one user sees it."""

import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from notiway.values.item import Item

ITEM = Item("id", "user:1", "notification", "info", "medium", "Hi", "there", 1_700_000_000_123, body={"a": [1]})


def test_an_item_survives_the_way_through_json():
    assert Item.from_dict(json.loads(json.dumps(ITEM.as_dict()))) == ITEM


def test_the_dict_shares_the_body_however_deep_it_is():
    body = {}
    for _ in range(5_000):
        body = {"in": body}
    item = replace(ITEM, body=body)
    assert item.as_dict()["body"] is body
    assert set(item.as_dict()) == {spec.name for spec in fields(Item)}


def test_keys_of_a_newer_version_are_passed_over():
    assert Item.from_dict({**ITEM.as_dict(), "snoozed_at": 5}) == ITEM


@pytest.mark.parametrize(("read_at", "is_read"), [(None, False), (0, True), (1, True)])
def test_an_item_is_read_when_it_has_a_time_of_reading(read_at, is_read):
    assert Item.from_dict({**ITEM.as_dict(), "read_at": read_at}).is_read is is_read


def test_the_time_is_aware_and_in_utc():
    assert ITEM.created.isoformat() == "2023-11-14T22:13:20.123000+00:00"


def test_an_item_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        ITEM.title = "other"
