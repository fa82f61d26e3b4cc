"""The broker's URL: its forms, and what is said about one that is broken."""

import pytest

from notiway.values import broker_url

GOOD = [
    "memory://",
    "redis://localhost",
    "redis://ada:secret@cache:6380/2",
    "rediss://cache/0",
    "unix:///run/redis/redis.sock?db=1",
    "redis+sentinel://a:26379,b,c:1/mymaster/3",
    "rediss+sentinel://:secret@a/mymaster",
]


@pytest.mark.parametrize("url", GOOD)
def test_what_may_be_used_has_no_fault(url):
    assert broker_url.fault(url) is None
    assert broker_url.is_shared(url) is (url != "memory://")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must be memory://"),
        ("kafka://host", "must be memory://"),
        ("memory", "must be memory://"),
        ("redis://", "needs a host"),
        ("redis://host:port", "invalid literal|Port"),
        ("redis://host/zero", "must be a number"),
        ("unix://", "needs the path"),
        ("redis+sentinel://host", "needs the name of the master"),
        ("redis+sentinel:///mymaster", "needs a host"),
        ("redis+sentinel://a,,b/mymaster", "needs a host"),
        ("redis+sentinel://a/mymaster/zero", "must be a number"),
    ],
)
def test_what_is_wrong_is_said(url, said):
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(broker_url.fault(url))


def test_sentinels_are_read_with_what_opens_their_master():
    found = broker_url.sentinels("rediss+sentinel://ada:s%40cret@a:1,[::1]:2,c/my%2Fmaster/3")
    assert found.places == (("a", 1), ("::1", 2), ("c", 26379))
    assert (found.service, found.database) == ("my/master", 3)
    assert (found.username, found.password, found.is_encrypted) == ("ada", "s@cret", True)
