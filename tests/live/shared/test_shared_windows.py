"""SharedWindows: a rate holds over all processes; the same tests for memory and Redis."""

import time

import limits
import pytest
from servers import wait_until

from notiway.live.limits.throttle import Windows
from notiway.live.shared.asking import Asking
from notiway.live.shared.shared_windows import SharedWindows

TEN_A_MINUTE, TWO_A_SECOND = limits.parse("10 per minute"), limits.parse("2 per second")


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.redis)])
def windows(request):
    return Windows() if request.param == "memory" else SharedWindows(Asking(request.getfixturevalue("client")))


def test_what_goes_over_the_rate_is_not_counted(windows):
    assert windows.hit(TEN_A_MINUTE, "publish", "billing", 9) == 0.0
    assert 0 < windows.hit(TEN_A_MINUTE, "publish", "billing", 2) <= 60
    assert windows.hit(TEN_A_MINUTE, "publish", "billing", 1) == 0.0
    assert windows.hit(TEN_A_MINUTE, "publish", "billing", 1) > 0


def test_others_and_other_things_are_counted_apart(windows):
    for what, who in (("publish", "billing"), ("publish", "orders"), ("token", "billing")):
        assert windows.hit(TEN_A_MINUTE, what, who, 10) == 0.0
    assert windows.hit(limits.parse("10 per hour"), "publish", "billing", 10) == 0.0


def test_the_window_moves(windows):
    while windows.hit(TWO_A_SECOND, "user", "ada", 1) == 0.0:
        pass
    began = time.monotonic()
    wait_until(lambda: windows.hit(TWO_A_SECOND, "user", "ada", 1) == 0.0)
    assert time.monotonic() - began > 0.01


@pytest.mark.redis
def test_what_one_process_counted_counts_in_all(client):
    here, there = SharedWindows(Asking(client)), SharedWindows(Asking(client))
    assert [each.hit(TEN_A_MINUTE, "user", "ada", 5) for each in (here, there)] == [0.0, 0.0]
    assert 50 < here.hit(TEN_A_MINUTE, "user", "ada", 1) <= 60
    assert 50 < there.hit(TEN_A_MINUTE, "user", "ada", 1) <= 60


@pytest.mark.redis
def test_what_is_kept_of_a_window_is_bounded_and_goes_by_itself(client):
    windows = SharedWindows(Asking(client))
    for _ in range(300):
        windows.hit(limits.parse("100000 per minute"), "user", "ada", 7)
    (name,) = client.keys("notiway:rate:*")
    assert client.hlen(name) <= 64
    assert sum(map(int, client.hvals(name))) == 2_100
    assert 60 <= client.ttl(name) <= 62


@pytest.mark.redis
def test_while_redis_is_away_each_process_counts_by_itself(client, frozen):
    here, there = SharedWindows(Asking(client)), SharedWindows(Asking(client))
    assert here.hit(TEN_A_MINUTE, "user", "ada", 10) == 0.0
    with frozen():
        assert here.hit(TEN_A_MINUTE, "user", "ada", 10) == 0.0
        assert here.hit(TEN_A_MINUTE, "user", "ada", 1) > 0
        assert there.hit(TEN_A_MINUTE, "user", "ada", 10) == 0.0
