"""What a layout calls: nothing for strangers, and no fault of one part reaches the page."""

import pytest
from flask import render_template_string
from flask_login import login_user

from notiway.store import inbox
from notiway.store.search import grouping
from notiway.values.errors import Unavailable

CALLS = ("bell()", "inbox()", "announcements()", "tasks('import')")


@pytest.fixture
def draw(app, user):
    def drawn(call, signed_in=True):
        with app.test_request_context("/"):
            if signed_in:
                login_user(user)
            return render_template_string(f"<main>{{{{ notiway.{call} }}}}</main>")

    return drawn


@pytest.mark.parametrize("call", CALLS)
def test_strangers_see_nothing_of_it(draw, call):
    assert draw(call, signed_in=False) == "<main></main>"
    assert draw(call) != "<main></main>"


def test_styles_and_scripts_come_once(draw):
    assert draw("head()").count("bell.js") == 1
    assert draw("head() }}{{ notiway.head()").count("bell.js") == 1


@pytest.mark.parametrize("call", ["bell()", "inbox()"])
def test_without_a_database_the_page_stands(draw, call, monkeypatch, caplog):
    def fail(*_, **__):
        raise Unavailable("away")

    monkeypatch.setattr(inbox, "unread_count", fail)
    monkeypatch.setattr(grouping, "page", fail)
    assert "data-notiway-frame" in draw(call)
    assert "away" in caplog.text
