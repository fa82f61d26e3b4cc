"""The bell: the count, the place where its socket goes on, and what it needs, whatever the database says."""

import re

import pytest
from flask import render_template_string
from flask_login import login_user

from notiway.store import inbox
from notiway.values.audience import Audience
from notiway.values.errors import Unavailable
from notiway.values.ids import id_floor
from notiway.web.pages import bell


@pytest.fixture
def draw(app, user):
    """Draws the bell for `user` as a page does; `layout` is the page."""

    def drawn(layout="{{ notiway.bell() }}"):
        with app.test_request_context("/"):
            login_user(user)
            return render_template_string(layout)

    return drawn


def place(page):
    """The id and the number of changes that the socket names."""
    return re.search(r"since=([0-9a-f-]*)&amp;changes=(\d+)", page).groups()


def test_it_shows_the_count_and_goes_on_after_the_newest_item(draw, app, user, send):
    send(user, "one")
    newest = send(user, "two").id
    page = draw()
    assert 'data-count="2"' in page
    assert place(page)[0] == newest
    assert f'data-newest="{newest}"' in page


def test_broadcasts_that_came_since_the_last_look_are_counted(draw, send):
    newest = send(Audience.everyone(), "to all").id
    page = draw()
    assert 'data-count="1"' in page
    assert place(page)[0] == newest


def test_the_number_of_changes_rises_with_what_was_read(draw, app, user, send):
    sent = send(user).id
    before = int(place(draw())[1])
    with app.app_context():
        inbox.mark_read(user.id, [sent])
    page = draw()
    assert int(place(page)[1]) > before
    assert 'data-count="0"' in page


def test_what_changes_while_it_is_drawn_is_looked_at_again(draw, app, user, send, monkeypatch):
    sent = send(user).id
    count = inbox.unread_count

    def read_meanwhile(user_id):
        found = count(user_id)
        inbox.mark_read(user_id, [sent])
        return found

    monkeypatch.setattr(inbox, "unread_count", read_meanwhile)
    drawn = int(place(draw())[1])
    with app.app_context():
        assert inbox.changes(user.id) > drawn


def test_without_a_database_it_is_empty_and_its_socket_goes_on_from_now(draw, user, send, monkeypatch):
    send(user)

    def fail(*_):
        raise Unavailable("away")

    monkeypatch.setattr(inbox, "unread_count", fail)
    monkeypatch.setattr(bell, "now_ms", lambda: 1_800_000_000_000)
    page = draw()
    assert 'data-count="0"' in page
    assert place(page) == (id_floor(1_800_000_000_000), "0")


def test_of_two_bells_on_a_page_one_brings_styles_and_scripts(draw):
    assert draw("{{ notiway.bell() }}").count("bell.js") == draw("{{ notiway.bell() }}{{ notiway.bell() }}").count(
        "bell.js"
    )
    assert "bell.js" in draw()


def test_its_settings_are_those_of_the_application(make_app):
    app = make_app(NOTIWAY_HEARTBEAT_SECONDS=17, NOTIWAY_TOAST_SECONDS=9)
    with app.test_request_context("/"):
        page = bell._draw(0, id_floor(0), "")
    assert 'data-heartbeat="17' in page
    assert 'data-seconds="9' in page
