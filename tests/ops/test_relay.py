"""Events of processes without sockets (commands, a worker) reach the web process through a queue of their own."""

import logging
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
import redis
from server.talk import listen
from servers import wait_until
from serving import ROOT, Site

from notiway import metrics
from notiway.live import runtime
from notiway.ops import jobs, relay
from notiway.values.audience import Audience
from notiway.values.event import Event
from notiway.verbs.send import send_notification

EVENT = Event("sync", "user:42", {"unread": 3})


@contextmanager
def relaying(app, deliver):
    """A web process that hands on what others put on its queue."""
    running = app.extensions["notiway"]
    with app.app_context():
        assert relay.is_heard()
    taker = relay.Relay(running.events)
    taker.start()
    try:
        yield running.broker
    finally:
        taker.stop()


def test_an_event_of_a_command_waits_for_the_web_process_but_not_for_ever(make_app):
    app = make_app(NOTIWAY_JOBS="web")
    heard = []
    with app.app_context():
        assert relay.is_heard()
        running = runtime.current()
        running.broker.publish((EVENT,))
        running.broker.start(heard.append)  # from here on this is the web process
        task = running.events.dequeue()
        assert timedelta(0) < task.expires_resolved - running.events._get_timestamp() <= timedelta(seconds=60)
        running.events.execute(task)
    assert [(event.kind, event.audience, event.data) for event in heard] == [("sync", "user:42", {"unread": 3})]


@pytest.mark.parametrize(("setting", "hears"), [("web", True), ("worker", True), ("off", False)])
def test_a_command_knows_whether_anybody_hears_it(make_app, setting, hears):
    with make_app(NOTIWAY_JOBS=setting).app_context():
        assert relay.is_heard() is hears


@pytest.mark.parametrize(
    "fault", [sqlite3.OperationalError("database is locked"), redis.ConnectionError("refused"), OSError("no space")]
)
def test_a_queue_that_takes_no_event_is_a_broker_that_is_down(make_app, monkeypatch, fault):
    app = make_app(NOTIWAY_JOBS="web")

    def fail(task):
        raise fault

    with app.app_context():
        assert relay.is_heard()
        running = runtime.current()
        monkeypatch.setattr(running.events, "enqueue", fail)
        with pytest.raises(OSError, match=str(fault)):
            running.broker.publish((EVENT,))


def test_events_do_not_wait_for_jobs_that_take_long(make_app):
    app = make_app(NOTIWAY_JOBS="web")
    running = app.extensions["notiway"]
    at_work, go_on, heard = threading.Event(), threading.Event(), []
    many = 8  # more than there are who could take an Event or a job

    def long_job():
        at_work.set()
        assert go_on.wait(30)

    jobs.add(app, long_job)
    with app.app_context():
        assert relay.is_heard()
        send = running.broker._deliver
        for _ in range(many):
            jobs.enqueue(long_job)
    running.badges.deliver = heard.append
    running.start()
    try:
        assert at_work.wait(20)
        send(EVENT)
        wait_until(lambda: heard)
        assert not go_on.is_set()
    finally:
        go_on.set()
        running.stop()


@pytest.mark.server
def test_progress_of_a_job_in_a_worker_is_live(tmp_path):
    site = Site(tmp_path, NOTIWAY_JOBS="worker").prepare()
    words = [sys.executable, "-m", "flask", "--app", "app", "notiway", "worker"]
    worker = subprocess.Popen(words, env=site.environment, cwd=ROOT)
    try:
        visitor = site.start().sign_in()
        with listen(visitor) as listener:
            assert visitor.post("/dashboard/import", data={"source": "broken"}).status_code == 202
            statuses = []
            while statuses[-1:] != ["failed"]:
                message = listener.hear(30)
                if message["event"] == "notification":
                    statuses.append(message["data"]["body"]["status"])
        assert statuses[0] == "queued"
        assert statuses.count("processing") > 3
    finally:
        worker.terminate()
        worker.wait(20)
        site.close()


def test_events_that_came_too_late_are_counted_and_told_once_in_a_while(make_app, caplog):
    app = make_app(NOTIWAY_JOBS="web")
    before = metrics.RELAY_DROPS._value.get()
    heard = []
    with app.app_context():
        running = runtime.current()
        assert relay.is_heard()
        for _ in range(3):
            running.broker.publish((EVENT,))
        running.broker.start(heard.append)
        later = running.events._get_timestamp() + timedelta(seconds=relay.EXPIRES_SECONDS + 1)
        for _ in range(3):
            running.events.execute(running.events.dequeue(), later)
    assert metrics.RELAY_DROPS._value.get() - before == 3
    assert heard == []
    told = [record for record in caplog.records if record.name == relay.__name__ and record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "dropped" in told[0].getMessage()


def test_a_queue_that_nobody_takes_from_stays_short_and_the_log_says_what_to_start(make_app, monkeypatch, caplog):
    monkeypatch.setattr(relay, "MOST_WAITING", 3)
    monkeypatch.setattr(relay, "LOOK_EVERY", 5)
    app = make_app(NOTIWAY_JOBS="web")
    before = metrics.RELAY_DROPS._value.get()
    running = app.extensions["notiway"]
    for number in range(10):
        running.broker.publish([created(number)])
    assert running.events.pending_count() == 4  # three, and the one that came behind the look
    assert metrics.RELAY_DROPS._value.get() - before == 6
    assert "notiway live" in caplog.text


@pytest.mark.parametrize(
    "settings", [{}, {"NOTIWAY_LIVE": "elsewhere"}, {"NOTIWAY_LIVE_URL": "https://live.example.com"}]
)
def test_what_a_process_without_sockets_sends_goes_to_the_queue_by_itself(make_app, settings):
    app = make_app(NOTIWAY_JOBS="web", TESTING=False, NOTIWAY_ENV="development", **settings)
    running = app.extensions["notiway"]
    with app.app_context():
        app.test_client().get("/healthz")
        send_notification(Audience.parse("global"), "From here")
        assert running.events.pending_count() == 1
    assert not running.holds_sockets


def test_others_run_between_two_events(app, monkeypatch):
    """huey goes on with the next task without a pause, as long as there is one."""
    pauses = []
    monkeypatch.setattr(relay, "pause", lambda: pauses.append("others"))
    with app.app_context():
        for _ in range(3):
            relay.relay(EVENT.to_bytes())
    assert len(pauses) == 3


def created(number, audience="user:42"):
    return Event("created", audience, {"notification": {"id": str(number)}, "unread": number})


@contextmanager
def web_process(app, heard):
    """The application with what other processes put on its queue; `take()` does the next task of it."""
    running = app.extensions["notiway"]
    with app.app_context():
        assert relay.is_heard()
        put = running.broker

        def take():
            running.broker.start(heard.append)
            running.events.execute(running.events.dequeue())

        yield put, take


def test_several_events_are_one_task_and_arrive_as_they_were_in_their_order(make_app, monkeypatch):
    monkeypatch.setattr(relay, "TOGETHER", 3)
    heard = []
    app = make_app(NOTIWAY_JOBS="web")
    events = [created(number, "global" if number % 2 else "user:42") for number in range(4)]
    with web_process(app, heard) as (broker, take):
        broker.publish(events)
        queue = app.extensions["notiway"].events
        assert queue.pending_count() == 2
        take()
        assert heard == events[:3]
        take()
        assert heard == events


def test_what_nobody_here_hears_is_left_out_and_a_kick_never_is(make_app, monkeypatch):
    heard = []
    app = make_app(NOTIWAY_JOBS="web")
    kick = Event("kick", "user:you", {})
    with web_process(app, heard) as (broker, take):
        broker.publish([created(1), created(2, "user:you"), kick, created(3)])
        monkeypatch.setattr(runtime.Runtime, "is_heard", lambda self, audience: audience == "user:42")
        take()
    assert heard == [created(1), kick, created(3)]


def test_a_task_that_came_too_late_counts_for_all_of_its_events(make_app):
    app = make_app(NOTIWAY_JOBS="web")
    before = metrics.RELAY_DROPS._value.get()
    with app.app_context():
        running = runtime.current()
        assert relay.is_heard()
        running.broker.publish([created(number) for number in range(5)])
        later = running.events._get_timestamp() + timedelta(seconds=relay.EXPIRES_SECONDS + 1)
        running.events.execute(running.events.dequeue(), later)
    assert metrics.RELAY_DROPS._value.get() - before == 5


@pytest.mark.parametrize(
    "put",
    [
        lambda: relay.relay(EVENT.to_bytes()),
        lambda: relay.relay_all([(EVENT.kind, EVENT.audience, EVENT.data, EVENT.published_at)]),
    ],
)
def test_events_stay_on_the_queue_while_the_hub_has_more_than_it_can_deliver(app, monkeypatch, put):
    running, heard, looks = app.extensions["notiway"], [], []
    monkeypatch.setattr(running.broker, "publish", heard.extend)
    monkeypatch.setattr(type(running.hub.waiting), "is_too_long", property(lambda _: not heard and len(looks) < 3))
    monkeypatch.setattr(relay, "pause", lambda seconds=0.0: looks.append((seconds, len(heard))))
    with app.app_context():
        put()
    assert looks == [(relay.CROWDED_SECONDS, 0)] * 3 + [(0.0, 1)]
