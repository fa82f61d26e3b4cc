"""Relay: Events of commands reach the web process on a queue of their own, soon or not at all."""

import logging
import sqlite3
import threading
from datetime import timedelta

import pytest
import redis
from servers import wait_until

from notiway import metrics
from notiway.live import runtime
from notiway.ops import jobs, relay
from notiway.values.event import Event

SYNC = Event("sync", "user:42", {"unread": 3})


def test_an_event_of_a_command_waits_for_the_web_process_but_not_for_ever(make_app):
    app = make_app(NOTIWAY_JOBS="web")
    heard = []
    with app.app_context():
        assert relay.relay_events()
        running = runtime.current()
        running.broker.publish(Event("sync", "user:42", {"unread": 3}))
        running.broker.start(heard.append)  # from here on this is the web process
        task = running.relay.dequeue()
        assert timedelta(0) < task.expires_resolved - running.relay._get_timestamp() <= timedelta(seconds=60)
        running.relay.execute(task)
    assert [(event.kind, event.audience, event.data) for event in heard] == [("sync", "user:42", {"unread": 3})]


@pytest.mark.parametrize(
    "fault", [sqlite3.OperationalError("database is locked"), redis.ConnectionError("refused"), OSError("no space")]
)
def test_a_queue_that_takes_no_event_is_a_broker_that_is_down(make_app, monkeypatch, fault):
    app = make_app(NOTIWAY_JOBS="web")

    def fail(task):
        raise fault

    with app.app_context():
        assert relay.relay_events()
        running = runtime.current()
        monkeypatch.setattr(running.relay, "enqueue", fail)
        with pytest.raises(OSError, match=str(fault)):
            running.broker.publish(Event("sync", "user:42", {"unread": 3}))


def test_no_event_waits_behind_a_slow_job(make_app):
    app = make_app(NOTIWAY_JOBS="web")
    heard, at_work, may_end = [], threading.Event(), threading.Event()

    def slow():
        at_work.set()
        may_end.wait(60)

    jobs.add(app, slow)
    with app.app_context():
        running = runtime.current()
        assert relay.relay_events()
        running.huey.enqueue(running.huey._registry.string_to_task(f"{slow.__module__}.slow")())
        running.broker.publish(SYNC)
        running.broker.start(heard.append)  # from here on this is the web process
        consumers = running.start_jobs()
    try:
        assert at_work.wait(20)
        wait_until(lambda: heard)
    finally:
        may_end.set()
        for consumer in consumers:
            consumer.stop()


def test_events_that_came_too_late_are_counted_and_told_once_in_a_while(make_app, caplog):
    app = make_app(NOTIWAY_JOBS="web")
    before = metrics.RELAY_DROPS._value.get()
    heard = []
    with app.app_context():
        running = runtime.current()
        assert relay.relay_events()
        for _ in range(3):
            running.broker.publish(SYNC)
        running.broker.start(heard.append)
        later = running.relay._get_timestamp() + timedelta(seconds=relay.EXPIRES_SECONDS + 1)
        for _ in range(3):
            running.relay.execute(running.relay.dequeue(), later)
    assert metrics.RELAY_DROPS._value.get() - before == 3
    assert heard == []
    told = [record for record in caplog.records if record.name == relay.__name__ and record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "dropped" in told[0].getMessage()


def test_others_run_between_two_events(app, monkeypatch):
    """huey goes on with the next task without a pause, as long as there is one."""
    pauses = []
    monkeypatch.setattr(relay, "pause", lambda: pauses.append("others"))
    with app.app_context():
        for _ in range(3):
            relay.relay(SYNC.to_bytes())
    assert len(pauses) == 3
