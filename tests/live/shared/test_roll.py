"""Roll: each change of what users hear is told once, and again if it could not be told."""

from types import SimpleNamespace

import pytest

from notiway.live.delivery.listeners import Listeners
from notiway.live.shared.roll import Change, Roll
from notiway.live.state import State

MANY = 100


@pytest.fixture
def listeners():
    return Listeners()


@pytest.fixture
def roll(listeners):
    return Roll(listeners)


class Tab(SimpleNamespace):
    """What listeners and roll see of a connection."""

    __hash__ = object.__hash__


def tab(user_id="ada", *audiences, state=State.OPEN):
    heard = ("global", f"user:{user_id}", *audiences) if user_id else ()
    return Tab(user_id=user_id, audiences=heard, state=state)


def change(user_id, connections, new=(), over=()):
    return Change(user_id, connections, frozenset(new), frozenset(over))


def test_who_comes_changes_and_goes_is_told_once(listeners, roll):
    first, second = tab("ada", "group:ops"), tab()
    listeners.enter(first)
    assert roll.changes(MANY) == [change("ada", 1, ["global", "group:ops"])]
    assert roll.changes(MANY) == []
    listeners.enter(second)
    assert roll.changes(MANY) == [change("ada", 2)]
    listeners.add(second, "tenant:acme")
    assert roll.changes(MANY) == [change("ada", 2, ["tenant:acme"])]
    listeners.remove(second, "tenant:acme")
    assert roll.changes(MANY) == [change("ada", 2, (), ["tenant:acme"])]
    listeners.leave(first)
    assert roll.changes(MANY) == [change("ada", 1, (), ["group:ops"])]
    listeners.leave(second)
    assert roll.changes(MANY) == [change("ada", 0, (), ["global"])]
    assert roll._told == {}, "nothing is kept of who has gone"


def test_who_comes_and_goes_in_between_leaves_nothing(listeners, roll):
    short = tab()
    listeners.enter(short)
    listeners.leave(short)
    assert roll.changes(MANY) == [change("ada", 0)]


def test_connections_that_close_do_not_count_and_the_newest_is_last(listeners, roll):
    old, new, closing = tab(), tab(), tab(state=State.CLOSING)
    for each in (old, closing, new, tab(None)):
        listeners.enter(each)
    assert roll.connections_of("ada") == [old, new]
    assert roll.changes(MANY) == [change("ada", 2, ["global"])]


def test_so_many_at_once(listeners, roll):
    for number in range(5):
        listeners.enter(tab(str(number)))
    assert [len(roll.changes(2)) for _ in range(4)] == [2, 2, 1, 0]


def test_what_could_not_be_told_is_told_later_and_what_happened_since_with_it(listeners, roll):
    ada = tab("ada", "group:ops")
    listeners.enter(ada)
    lost = roll.changes(MANY)
    roll.take_back(lost)
    assert roll.changes(MANY) == lost
    listeners.remove(ada, "group:ops")
    lost = roll.changes(MANY)
    listeners.add(ada, "group:admins")
    roll.take_back(lost)
    assert roll.changes(MANY) == [change("ada", 1, ["group:admins"], ["group:ops"])]
    listeners.leave(ada)
    lost = roll.changes(MANY)
    roll.take_back(lost)
    assert roll.changes(MANY) == [change("ada", 0, (), ["global", "group:admins"])]


def test_all_is_told_anew_and_who_has_gone_since_too(listeners, roll):
    ada, bob = tab("ada", "group:ops"), tab("bob")
    listeners.enter(ada)
    listeners.enter(bob)
    roll.changes(MANY)
    listeners.leave(bob)
    roll.renew()
    told = {each.user_id: each for each in roll.changes(MANY)}
    assert told["ada"] == change("ada", 1, ["global", "group:ops"])
    assert told["bob"].connections == 0


def test_without_a_roll_nothing_is_noted(listeners):
    listeners.enter(tab())
    assert listeners.changed is None
