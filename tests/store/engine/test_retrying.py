"""Retrying: a transaction that had to give way is done again, from its beginning."""

import peewee
import pytest
from fresh import Undo, fresh_database

from notiway.store.engine import retrying
from notiway.store.engine.faults import DatabaseUnavailable, unavailable
from notiway.store.engine.retrying import RETRIES, in_transaction


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(retrying, "PAUSE_SECONDS", 0)


@pytest.fixture
def database(place):
    with fresh_database(place) as opened:
        yield opened


def conflict(sqlstate):
    """What a statement raises when PostgreSQL has ended its transaction."""
    error = peewee.OperationalError("another transaction was first")
    error.orig = type("Ended", (Exception,), {"sqlstate": sqlstate})()
    told = unavailable(error)
    told.__cause__ = error
    return told


class Attempts:
    """Work that fails so many times."""

    def __init__(self, database, fault, times):
        self.database, self.fault, self.times, self.done, self.told = database, fault, times, 0, []

    def __call__(self):
        self.done += 1
        number = self.done
        self.database.after_commit(lambda: self.told.append(number))
        if self.done <= self.times:
            raise self.fault
        return "done"


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_what_gave_way_is_done_again_and_told_once(database, sqlstate):
    work = Attempts(database, conflict(sqlstate), RETRIES)
    assert in_transaction(database, work) == "done"
    assert work.told == [RETRIES + 1]


def test_it_ends(database):
    work = Attempts(database, conflict("40P01"), 100)
    with pytest.raises(DatabaseUnavailable, match="in the way"):
        in_transaction(database, work)
    assert (work.done, work.told) == (RETRIES + 1, [])


def test_inside_a_transaction_only_its_owner_could_begin_again(database):
    work = Attempts(database, conflict("40P01"), 1)
    with pytest.raises(DatabaseUnavailable), database.atomic():
        in_transaction(database, work)
    assert work.done == 1


@pytest.mark.parametrize("fault", [Undo(), peewee.OperationalError("away"), peewee.IntegrityError("twice")])
def test_nothing_else_is_tried_again(database, fault):
    work = Attempts(database, fault, 1)
    with pytest.raises(type(fault)):
        in_transaction(database, work)
    assert work.done == 1
