"""Told: a count is believed where it says up to where it was counted, and nothing was heard since."""

from types import SimpleNamespace

import pytest

from notiway.live.delivery import told
from notiway.values.count import Count


@pytest.mark.parametrize(
    ("unread", "before", "after", "looked_at"),
    [
        (Count(3, as_of=7), told.NOTHING, (3, 7), 0),
        (Count(3, as_of=7), 7, (3, 7), 0),
        (Count(3, as_of=7), 8, (None, 8), 1),
        (3, 8, (None, 8), 0),
    ],
)
def test_a_count_is_noted(unread, before, after, looked_at):
    asked = []
    connection = SimpleNamespace(told=1, told_to=before, owner=SimpleNamespace(look_again=asked.append))
    told.note(connection, unread)
    assert (connection.told, connection.told_to) == after
    assert asked == [connection] * looked_at
