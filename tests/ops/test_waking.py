"""Waking: those that look for work now and then do so at the same moments."""

from types import SimpleNamespace

import pytest

from notiway.ops import waking
from notiway.pausing import until_then


@pytest.mark.parametrize("start", [0.0, 7.25, 7.999, 8.001])
def test_long_waits_that_begin_at_any_time_end_with_the_same_second(start):
    now = start
    for _ in range(5):
        length = until_then(1.0, now)
        assert 0 < length <= 1.02
        now += length
    assert now == pytest.approx(round(now))


def test_a_short_wait_is_as_long_as_it_says():
    assert until_then(0.1, 7.95) == 0.1


def test_a_flag_is_heard_at_once():
    flag = waking.Flag()
    assert not flag.wait(0.001)
    flag.set()
    assert flag.wait(60)
    assert flag.wait()


def test_a_worker_tells_that_it_is_alive_and_sleeps_until_the_second_ends(monkeypatch):
    told, slept = [], []
    worker = SimpleNamespace(alive=True, notify=lambda: told.append(1))
    monkeypatch.setattr(waking, "time", SimpleNamespace(monotonic=lambda: 7.25, sleep=slept.append))
    waking.notify_with_others(worker)
    worker.notify()
    assert (told, slept) == ([1], [0.75])
    worker.alive = False  # it ends: nothing is waited for
    worker.notify()
    assert (told, slept) == ([1, 1], [0.75])
