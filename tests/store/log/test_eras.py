"""Eras: what a client knows of positions counts only in the database that told it."""

import base64
import json

import pytest
from fresh import verbs

from notiway.store.database import db, open_database, use_database
from notiway.store.log import eras, positions, resuming
from notiway.store.log.positions import Seen
from notiway.store.log.resuming import Cursor
from notiway.verbs.send import send_notification


@pytest.fixture(autouse=True)
def broker(place):
    with verbs(place) as notebook:
        yield notebook


def test_an_era_stays_the_same_for_all_processes(place):
    first = eras.current()
    assert first
    url = place if isinstance(place, str) else f"sqlite:///{place}/fresh.db"
    other = open_database(url)
    mine = db.obj
    use_database(other)
    assert eras.current() == first
    other.close_all()
    use_database(mine)


def test_a_cursor_carries_its_era_and_its_time():
    page = resuming.page("ada", resuming.beginning(), 10)
    assert page.cursor.era == eras.current()
    assert page.cursor.at > 0
    assert Cursor.from_text(page.cursor.as_text()) == page.cursor


def test_a_cursor_of_another_era_is_taken_up_by_its_time():
    send_notification("ada", "Before")
    now = resuming.page("ada", resuming.beginning(), 10).cursor
    send_notification("ada", "After")
    ahead = positions.now().low  # a position that says "After" was seen
    elsewhere = Cursor(Seen(ahead, ahead), era="another", at=now.at)
    assert "After" in [item.title for item in resuming.page("ada", elsewhere, 10).items]
    assert resuming.page("ada", Cursor(Seen(ahead, ahead), era=eras.current(), at=now.at), 10).items == []


def test_one_that_says_no_time_begins_anew():
    send_notification("ada", "Before")
    ahead = positions.now().low + 1
    elsewhere = Cursor(Seen(ahead, ahead), era="another")
    assert [item.title for item in resuming.page("ada", elsewhere, 10).items] == ["Before"]


def test_a_cursor_that_an_earlier_version_gave_out_is_still_read():
    send_notification("ada", "Before")
    now = positions.now()
    raw = json.dumps([[now.low, now.high, now.open], None, None, ""]).encode()
    said = Cursor.from_text("c." + base64.urlsafe_b64encode(raw).decode().rstrip("="))
    assert said.era == ""
    assert resuming.page("ada", said, 10).items == []


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a_server_that_does_not_say_has_one_era(place, monkeypatch):
    monkeypatch.setattr(eras, "OF_SERVER", "SELECT no_such_function()")
    assert eras.current() == ""
