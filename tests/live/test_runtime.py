"""Runtime: starts and stops what one application has running, once, and knows where its site lies."""

from dataclasses import replace

import pytest

from notiway.live import runtime as module
from notiway.live.delivery.waiting import FEW
from notiway.live.runtime import current
from notiway.values.errors import Overloaded


@pytest.fixture
def runtime(app):
    with app.app_context():
        return current()


class Part:
    """Stands for a part of the runtime, and writes down what is done with it."""

    def __init__(self, done, name):
        self.done, self.name = done, name

    def __getattr__(self, action):
        return lambda *_, **__: self.done.append(f"{self.name} {action}")


@pytest.fixture
def done(runtime, monkeypatch):
    """What the parts were asked to do, in order."""
    done = []
    for name in ("reactor", "broker", "inbound"):
        monkeypatch.setattr(runtime, name, Part(done, name))
    jobs = Part(done, "jobs")
    monkeypatch.setattr(runtime, "start_jobs", lambda: (done.append("jobs start"), jobs)[1])
    return done


def test_it_starts_its_parts_once_however_often_it_is_asked(runtime, done):
    for _ in range(3):
        runtime.start()
    assert done == ["reactor start", "broker start", "jobs start"]


def test_it_stops_what_it_started_the_loop_last(runtime, done):
    runtime.start()
    done.clear()
    runtime.stop()
    assert done == ["jobs stop", "broker close", "inbound close", "reactor stop"]


def test_one_that_never_started_stops_nothing(runtime, done):
    runtime.stop()
    assert done == []


def test_what_the_broker_carries_goes_through_the_badges(runtime, done, monkeypatch):
    taken = []
    monkeypatch.setattr(runtime.broker, "start", lambda deliver, on_gap: taken.append(deliver), raising=False)
    runtime.start()
    assert taken == [runtime.badges.deliver]


@pytest.mark.parametrize(
    ("root", "prefix", "url"),
    [
        ("/", "", "/n/7"),
        ("/shop", "", "/shop/n/7"),
        ("/shop/", "/bell", "/shop/bell/n/7"),
        (None, "/bell", "/bell/n/7"),
    ],
)
def test_an_address_has_the_sites_root_and_the_mounts_prefix(make_app, root, prefix, url):
    app = make_app(APPLICATION_ROOT=root, NOTIWAY_URL_PREFIX=prefix)
    assert app.extensions[module.KEY].url("/n/7") == url


def test_before_a_drain_it_says_that_it_is_not_ready(runtime):
    assert not runtime.draining
    runtime.begin_drain()
    assert runtime.draining


@pytest.mark.parametrize(("given", "window"), [(None, 7.0), (0.5, 0.5)])
def test_a_drain_takes_the_window_that_is_set_unless_another_is_given(make_app, monkeypatch, given, window):
    runtime = make_app(NOTIWAY_DRAIN_SECONDS=7).extensions[module.KEY]
    asked = []
    monkeypatch.setattr(module.drain, "drain", lambda hub, seconds: asked.append((hub, seconds)))
    runtime.drain(given)
    assert asked == [(runtime.hub, window)]


def test_outside_an_application_there_is_none():
    with pytest.raises(RuntimeError):
        current()


def test_each_application_has_its_own(make_app):
    first, second = make_app(), make_app()
    with first.app_context():
        mine = current()
        with second.app_context():
            assert current() is not mine
        assert current() is mine


def test_only_a_process_that_holds_all_connections_knows_that_nobody_hears(runtime, done, monkeypatch):
    assert runtime.is_heard("user:nobody"), "a command has no connections, and its events go elsewhere"
    runtime.start()
    assert not runtime.is_heard("user:nobody")
    monkeypatch.setattr(runtime.hub, "is_heard", lambda audience: audience == "user:ada")
    assert runtime.is_heard("user:ada")
    monkeypatch.setattr(runtime, "config", replace(runtime.config, broker_url="redis://elsewhere"))
    assert runtime.is_heard("user:nobody")


def test_publishers_are_refused_while_events_wait_for_too_long_and_the_log_says_so_once(runtime, monkeypatch, caplog):
    runtime.wait_for_room()
    monkeypatch.setattr(type(runtime.hub.waiting), "is_too_long", True)
    for _ in range(3):
        with pytest.raises(Overloaded) as refused:
            runtime.wait_for_room()
    assert (refused.value.code, refused.value.status, refused.value.retry_after) == ("Unavailable", 503, 1)
    assert caplog.text.count("publishers are answered with 503") == 1
    assert runtime.is_crowded() is False, "in a process without sockets the queue counts"
    runtime._started = True
    assert runtime.is_crowded()


def test_a_process_without_sockets_is_crowded_when_its_queue_is_long(runtime, monkeypatch):
    monkeypatch.setattr(runtime.events, "pending_count", lambda: module.QUEUE_MOST + 1)
    assert runtime.is_crowded()
    monkeypatch.setattr(runtime.events, "pending_count", lambda: 1 / 0)
    assert not runtime.is_crowded()


@pytest.mark.parametrize(("late", "is_refused"), [(0, False), (1, False), (module.LOOKS, False), (1_000, True)])
def test_a_publisher_lets_late_events_go_first_and_is_refused_when_they_stay_late(
    runtime, monkeypatch, late, is_refused
):
    rounds = []
    monkeypatch.setattr(module, "pause", rounds.append)
    for name in ("is_late", "is_overtaken"):
        monkeypatch.setattr(type(runtime.hub.waiting), name, property(lambda _: len(rounds) < late))
    if is_refused:
        with pytest.raises(Overloaded):
            runtime.wait_for_room()
    else:
        runtime.wait_for_room()
    assert len(rounds) == min(late, module.LOOKS)


def test_nobody_is_refused_because_this_process_did_not_get_the_processor(runtime, monkeypatch):
    """A single Event that the loop has not looked at for long says nothing of what is published."""
    monkeypatch.setattr(module, "pause", lambda _: None)
    waiting = runtime.hub.waiting
    waiting.hand_over()
    monkeypatch.setattr(waiting, "_clock", lambda: waiting._unseen[0] + 60)
    assert waiting.is_late
    runtime.wait_for_room()
    for _ in range(FEW):
        waiting._unseen.append(waiting._unseen[0])
    with pytest.raises(Overloaded):
        runtime.wait_for_room()
