"""Snoozes: a process that holds connections brings back what is due, also what fell due while none ran."""

import time

import pytest
from flask import Flask
from flask_login import LoginManager

from notiway import Notiway, send_notification
from notiway.live import runtime
from notiway.store import inbox, schema
from notiway.store.changes import snoozes as store
from notiway.store.database import db
from notiway.values.clock import now_ms
from notiway.verbs.changes.snoozes import snooze

WAIT_SECONDS = 30


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes processes on one database; those that are started are stopped in the end."""
    monkeypatch.setattr("notiway.ops.rounds.snoozes.FIRST_SECONDS", 0.05)
    made = []

    def one():
        app = Flask("shop")
        app.config.update(
            SECRET_KEY="a secret of the tests, of more than 32 bytes",
            NOTIWAY_DATABASE_URL=f"sqlite:///{tmp_path}/live.db",
            NOTIWAY_JOBS="off",
            NOTIWAY_USERS="external",
        )
        LoginManager(app)
        Notiway(app)
        made.append(app.extensions[runtime.KEY])
        with app.app_context():
            schema.migrate(db.obj)
        return app

    yield one
    for each in made:
        each.stop()
        each.database.close_all()


def wait_until(condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_snoozed_here_is_back_at_its_moment(make):
    app = make()
    app.extensions[runtime.KEY].start()
    with app.app_context():
        sent = send_notification("ada", "Hi").id
        until = now_ms() + 300
        assert snooze("ada", [sent], until) == 0
        wait_until(lambda: inbox.arrive("ada") == 1)
        assert now_ms() >= until


def test_what_fell_due_while_nothing_ran_is_back_soon_after_the_start_of_several_and_once(make, monkeypatch):
    woken = []
    wake = store.wake
    monkeypatch.setattr(store, "wake", lambda user, ids: woken.extend(found := wake(user, ids)) or found)
    app, other = make(), make()
    with app.app_context():
        sent = [send_notification("ada", str(number)).id for number in range(9)]
        inbox.catch_up("ada")
        store.snooze("ada", sent, now_ms() - 1)
    for each in (app, other):
        each.extensions[runtime.KEY].start()
    with app.app_context():
        wait_until(lambda: inbox.arrive("ada") == 9)
    assert sorted(item.id for item in woken) == sent


def test_before_the_tables_are_made_it_waits_in_silence_and_after_that_it_works(make, caplog, monkeypatch):
    monkeypatch.setattr("notiway.ops.rounds.snoozes.LONGEST_SECONDS", 0.05)
    app = make()
    with app.app_context():
        schema.revert(db.obj, "0014_shelves")
    looks = []
    monkeypatch.setattr("notiway.ops.rounds.snoozes.wake_due", lambda: looks.append(1) or store.due())
    app.extensions[runtime.KEY].start()
    wait_until(lambda: len(looks) > 2)
    assert "snooze" not in caplog.text


def test_a_process_that_is_not_started_looks_for_nothing(make):
    app = make()
    with app.app_context():
        sent = send_notification("ada", "Hi").id
        inbox.catch_up("ada")
        store.snooze("ada", [sent], now_ms() - 1)
        app.extensions[runtime.KEY].snoozes.expect(now_ms())
        assert store.due() == {"ada": [sent]}
