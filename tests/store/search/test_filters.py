"""Filters: what they let in."""

import pytest

from notiway.store.search.filters import Filters, says


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), False),
        (Filters(state="unread"), False),
        (Filters(state="read"), True),
        (Filters(text="a"), True),
        (Filters(state="unread", type="error"), True),
        (Filters(category="money"), True),
    ],
)
def test_whatever_lets_most_pass_needs_no_search(filters, expected):
    assert filters.may_be_rare is expected


def test_columns_are_those_that_are_asked_for():
    assert Filters(type="error", source="", priority=None, text="x").columns == {"type": "error"}


@pytest.mark.parametrize(
    ("wanted", "expected"), [([], True), (["in"], True), (["in", "me"], True), (["nm"], False), (["in", "x"], False)]
)
def test_every_word_is_somewhere(wanted, expected):
    assert says(wanted, "In", "Message") is expected
