"""The counter: each change of a user has a number of its own."""

import pytest
from fresh import verbs

from notiway.store import inbox
from notiway.store.changes.counter import changes, note_change
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def test_each_change_has_a_number_of_its_own_for_this_user_alone():
    send_notification(["ada", "bob"], "Hi")
    for user in ("ada", "bob"):
        inbox.catch_up(user)
    before = changes("ada")
    assert [note_change("ada") for _ in range(3)] == [before + 1, before + 2, before + 3]
    assert changes("ada") == before + 3
    assert changes("bob") == 0


def test_a_user_who_has_never_looked_has_nothing_to_change():
    assert note_change("nobody") is None
    assert changes("nobody") == 0
