"""Sessions: what the host keeps of each sign-in, so that it can end before its cookie does."""

import pytest

from notiway.host import accounts, sessions
from notiway.store.database import db
from notiway.store.sql import run
from notiway.values.clock import DAY_MS

NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def in_context(app, rows):
    with app.app_context():
        yield


@pytest.fixture
def begin(user):
    def start(name="tab", now=NOW, owner=user):
        return sessions.begin(owner.id, name, "127.0.0.1", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", now)

    return start


def is_in(user, name="tab", now=NOW):
    return sessions.find_user(user.id, name, now) is not None


def test_a_session_that_began_is_its_users_and_nobody_elses(user, other, begin):
    begin()
    assert is_in(user)
    assert not is_in(other)
    assert not is_in(user, "another")
    assert not is_in(user, None)


def test_a_session_ends_after_thirty_days_however_busy(user, begin):
    ends_at = begin()
    assert ends_at == NOW + 30 * DAY_MS
    sessions.note_seen("tab", ends_at - 1)
    assert is_in(user, now=ends_at - 1)
    assert not is_in(user, now=ends_at)


def test_user_and_session_are_one_statement(user, begin, monkeypatch):
    begin()
    statements = []
    execute = db.obj.execute_sql
    monkeypatch.setattr(db.obj, "execute_sql", lambda *args: statements.append(args[0]) or execute(*args))
    assert is_in(user)
    assert len(statements) == 1


def test_one_session_ends_and_the_others_go_on(user, begin):
    for name in ("phone", "desk"):
        begin(name)
    assert sessions.end(user.id, "phone")
    assert not sessions.end(user.id, "phone"), "it has ended already"
    assert (is_in(user, "phone"), is_in(user, "desk")) == (False, True)


def test_nobody_ends_somebody_elses_session(user, other, begin):
    begin()
    assert not sessions.end(other.id, "tab")
    assert is_in(user)


def test_all_sessions_end_but_the_one_that_asks(user, other, begin):
    for name in ("phone", "desk", "here"):
        begin(name)
    begin("theirs", owner=other)
    assert sessions.end_all(user.id, but="here") == ["desk", "phone"]
    assert [is_in(user, name) for name in ("phone", "desk", "here")] == [False, False, True]
    sessions.end_all(user.id)
    assert not is_in(user, "here")
    assert is_in(other, "theirs")


def test_a_deactivated_user_is_in_no_session(user, begin):
    begin()
    accounts.deactivate(user.id)
    assert not is_in(user)
    accounts.activate(user.id)
    assert not is_in(user), "the old session does not come back with the user"


def test_a_user_who_is_not_active_is_in_no_session_that_is_still_there(user, begin):
    begin()
    run("UPDATE notiway_user SET is_active = false WHERE id = ?", (user.id,))
    assert not is_in(user)


def test_a_list_shows_what_lives_the_newest_first(user, begin):
    begin("expired", now=NOW - 31 * DAY_MS)
    begin("left", now=NOW - 15 * DAY_MS)
    begin("phone", now=NOW - DAY_MS)
    begin("desk")
    assert [each.id for each in sessions.of_user(user.id, NOW)] == ["desk", "phone"]


@pytest.mark.parametrize("over", [30 * DAY_MS, 14 * DAY_MS], ids=["its last day", "absence"])
def test_a_session_is_listed_until_the_moment_in_which_it_is_over(user, begin, over):
    begin("tab", now=NOW - over)
    if over == 30 * DAY_MS:
        sessions.note_seen("tab", NOW - 1)
    assert [each.id for each in sessions.of_user(user.id, NOW - 1)] == ["tab"]
    assert sessions.of_user(user.id, NOW) == []
    begin("next")
    assert db.execute_sql("SELECT id FROM notiway_session").fetchall() == [("next",)]


def test_what_is_over_is_removed_when_its_user_signs_in_again(user, begin):
    begin("expired", now=NOW - 31 * DAY_MS)
    begin("left", now=NOW - 15 * DAY_MS)
    begin("desk")
    assert db.execute_sql("SELECT id FROM notiway_session").fetchall() == [("desk",)]


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/139.0 Safari/537.36 Edg/139.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/139.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.6 Safari/605.1.15",
            "Safari on Mac",
        ),
        ("python-requests/2.32", "python-requests/2.32"),
        ("", "Unknown device"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_device_is_named_as_its_user_would(agent, device):
    assert sessions.device_of(agent) == device
