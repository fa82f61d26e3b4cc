"""Views: what a user saves is checked whole; adding and removing leave the others as they are."""

import pytest

from notiway.values.lists.views import MOST_VIEWS, NAME_LIMIT, view_faults, with_views

SAVED = {"Failed": {"type": "error"}}


def test_one_is_added_replaced_and_removed():
    both = with_views(SAVED, {" Billing ": {"source": "billing", "state": "all"}})
    assert both == {"Failed": {"type": "error"}, "Billing": {"source": "billing"}}
    assert with_views(both, {"Failed": {"type": "warning"}})["Failed"] == {"type": "warning"}
    assert with_views(both, {"Failed": None, "never saved": None}) == {"Billing": {"source": "billing"}}


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("text", ["views"]),
        ({"": {"type": "error"}}, ["views."]),
        ({"x" * (NAME_LIMIT + 1): None}, ["views." + "x" * (NAME_LIMIT + 1)]),
        ({"a\0b": {"type": "error"}}, ["views.a\0b"]),
        ({"A": "error"}, ["views.A"]),
        ({"A": {"type": 3}}, ["views.A"]),
        ({"A": {"type": "odd", "priority": "odd"}}, ["views.A.type", "views.A.priority"]),
        ({"A": {"colour": "red"}}, ["views.A.colour"]),
        ({"A": {"state": "all"}}, ["views.A"]),
        ({f"Tab {n}": {"type": "error"} for n in range(MOST_VIEWS)}, ["views"]),
    ],
)
def test_every_fault_is_named(given, paths):
    assert [fault.path for fault in view_faults(SAVED, given)] == paths


def test_as_many_as_there_may_be_can_be_replaced():
    full = {f"Tab {n}": {"type": "error"} for n in range(MOST_VIEWS)}
    assert view_faults(full, {"Tab 0": {"type": "info"}}) == []
    assert view_faults(full, {"Tab 0": None, "One more": {"type": "info"}}) == []
