"""Days: what stands above which rows, in the time zone of who reads."""

from datetime import UTC, datetime

import pytest

from notiway.values.clock import milliseconds
from notiway.values.item import Item
from notiway.values.lists.days import by_day

NOON = milliseconds(datetime(2026, 3, 2, 12, tzinfo=UTC))
HOURS_AGO = (-1, 1, 13, 40, 900)  # the first by a clock that is ahead


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", [("Today", [-1, 1]), ("Yesterday", [13]), ("Earlier", [40, 900])]),
        ("Asia/Tokyo", [("Today", [-1, 1, 13]), ("Yesterday", [40]), ("Earlier", [900])]),
        ("Pacific/Honolulu", [("Today", [-1, 1]), ("Yesterday", [13]), ("Earlier", [40, 900])]),
    ],
)
def test_the_readers_clock_says_which_day_it_was(zone, expected):
    items = [Item(str(ago), "user:ada", "n", "info", "medium", "Hi", "", NOON - ago * 3_600_000) for ago in HOURS_AGO]
    found = by_day(items, zone, NOON)
    assert [(day, [int(item.id) for item in rows]) for day, rows in found] == expected


def test_no_rows_have_no_days():
    assert by_day([], "UTC", NOON) == []
