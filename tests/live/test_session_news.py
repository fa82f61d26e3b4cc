"""Session news: what happens to a session reaches the connections that are registered just after it."""

from types import SimpleNamespace

import pytest

from notiway.live.session_news import KEPT_SECONDS, SessionNews


@pytest.fixture
def moment():
    return [100.0]


@pytest.fixture
def news(moment):
    return SessionNews(None, lambda: moment[0])


def told(news, session):
    heard = []
    news.tell(SimpleNamespace(session=session, heard=heard))
    return heard


def say(word):
    return lambda connection: connection.heard.append(word)


def test_only_the_newest_of_its_own_session_is_told(news):
    news.note("s1", say("renewed"))
    news.note("s1", say("renewed again"))
    news.note("s2", say("another"))
    assert told(news, "s1") == ["renewed again"]
    assert told(news, "s3") == told(news, None) == []


def test_nothing_comes_after_the_end(news):
    news.note("s1", say("ended"), final=True)
    news.note("s1", say("renewed"))
    assert told(news, "s1") == ["ended"]


def test_it_is_forgotten_when_nobody_can_be_on_the_way_any_more(news, moment):
    news.note("s1", say("ended"), final=True)
    moment[0] += KEPT_SECONDS / 2
    news.note("s2", say("ended"), final=True)
    moment[0] += KEPT_SECONDS / 2
    news.note("s3", say("ended"), final=True)
    assert told(news, "s1") == []
    assert told(news, "s2") == ["ended"]
    assert len(news) == 2
