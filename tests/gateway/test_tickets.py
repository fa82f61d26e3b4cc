"""Tickets: each opens one connection, soon, for the user, session and origin that asked for it."""

import pytest

from notiway.gateway import tickets
from notiway.live import runtime
from notiway.store.credentials import tokens
from notiway.store.retention import clean_expired
from notiway.values.clock import now_ms
from notiway.values.errors import Forbidden, Unauthorized
from notiway.values.principal import Principal
from notiway.verbs.sign_out import sign_out

PAGE = "https://shop.example.com"


@pytest.fixture
def now(app):
    object.__setattr__(app.extensions[runtime.KEY].config, "live_url", "https://live.example.com")
    with app.app_context():
        yield runtime.current()


@pytest.fixture
def holder(user):
    return Principal(str(user.id), "a session", 4_000_000_000.0)


def test_it_says_whose_it_is_once(now, holder):
    ticket = tickets.make(now, holder, PAGE)
    assert tickets.spend(now, ticket, PAGE) == holder
    with pytest.raises(Unauthorized):
        tickets.spend(now, ticket, PAGE)


def test_two_of_the_same_page_are_two(now, holder):
    first, second = (tickets.make(now, holder, PAGE) for _ in range(2))
    assert tickets.spend(now, first, PAGE) == tickets.spend(now, second, PAGE) == holder


def test_a_page_of_another_origin_may_not_use_it_and_does_not_use_it_up(now, holder):
    ticket = tickets.make(now, holder, PAGE)
    with pytest.raises(Forbidden):
        tickets.spend(now, ticket, "https://evil.example.com")
    assert tickets.spend(now, ticket, None) == holder


def test_it_is_good_for_half_a_minute_and_a_clock_that_is_ahead_does_not_make_it_longer(now, holder, monkeypatch):
    ticket = tickets.make(now, holder, PAGE)
    begin = now_ms()
    for seconds in (31, -3600):
        monkeypatch.setattr(tickets, "now_ms", lambda seconds=seconds: begin + seconds * 1000)
        with pytest.raises(Unauthorized):
            tickets.spend(now, ticket, PAGE)


@pytest.mark.parametrize("ticket", ["", "x", "WyI3Il0.abc", "é"])
def test_what_is_no_ticket_is_refused(now, ticket):
    with pytest.raises(Unauthorized):
        tickets.spend(now, ticket, PAGE)


@pytest.mark.parametrize("session", ["a session", None])
def test_with_its_session_or_all_of_them_it_is_over_used_or_not(now, holder, session):
    ticket, used = (tickets.make(now, holder, PAGE) for _ in range(2))
    tickets.spend(now, used, PAGE)
    assert tickets.check(now, used) == holder
    sign_out(holder.user_id, "another session")
    assert tickets.check(now, used) == holder
    sign_out(holder.user_id, session)
    for each in (used, ticket):
        with pytest.raises(Unauthorized):
            tickets.check(now, each)
    with pytest.raises(Unauthorized):
        tickets.spend(now, ticket, PAGE)


def test_a_user_who_is_deactivated_or_unknown_has_none(now, holder):
    ticket = tickets.make(now, holder, PAGE)
    now.user_is_active = lambda user_id: False
    with pytest.raises(Unauthorized):
        tickets.spend(now, ticket, PAGE)
    now.user_is_active = lambda user_id: None
    with pytest.raises(Unauthorized):
        tickets.spend(now, ticket, PAGE)


def test_what_is_remembered_of_a_session_goes_when_no_ticket_of_it_can_be_left(now, holder, monkeypatch):
    tokens.end_session("a session")
    assert tokens.session_is_over("a session")
    assert not tokens.session_is_over(None)
    later = now_ms() + (tokens.TICKET_SECONDS + 1) * 1000
    monkeypatch.setattr("notiway.store.retention.now_ms", lambda: later)
    clean_expired()
    assert not tokens.session_is_over("a session")
