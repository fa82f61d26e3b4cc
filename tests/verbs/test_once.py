"""Once: a duplicate that says something else is told in what it differs."""

from __future__ import annotations

import pytest

from notiway.values.item import Item
from notiway.verbs.once import First

SAME = {
    "id": "x",
    "audience": "user:ada",
    "name": "note",
    "type": "info",
    "priority": "medium",
    "title": "Hi",
    "message": "",
}


def first(**changes: object) -> First:
    return First.of(Item(**(SAME | {"created_at": 1} | changes)))  # type: ignore[arg-type]


def test_the_same_again_differs_in_nothing():
    assert first().differences(first(created_at=2)) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"audience": "user:bob"}, "routing"), ({"name": "other"}, "type"), ({"body": {"x": 2}}, "body")],
)
def test_each_difference_has_the_path_of_its_field(changes, path):
    assert [fault.path for fault in first().differences(first(**changes))] == [path]


def test_several_differences_are_all_named():
    found = first().differences(first(audience="user:bob", name="other", body={"x": 2}))
    assert [fault.path for fault in found] == ["routing", "type", "body"]
