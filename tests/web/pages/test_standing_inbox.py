"""The standing inbox: the newest rows in a page, and what its scripts need of it."""

import re

import pytest
from flask import render_template_string
from flask_login import login_user


@pytest.fixture
def draw(app, user):
    def drawn():
        with app.test_request_context("/"):
            login_user(user)
            return render_template_string("{{ notiway.inbox() }}")

    return drawn


def test_it_shows_what_is_newest_and_marks_all_up_to_that(draw, app, user, send):
    ids = [send(user, f"Number {number}").id for number in range(app.config.get("NOTIWAY_RECENT_LIMIT", 20) + 2)]
    page = draw()
    shown = re.findall(r'<div role="listitem" class="notiway-item" data-notiway-id="([^"]+)"', page)
    assert shown == ids[:-21:-1]
    assert f'name="before" value="{ids[-1]}"' in page
    assert 'hx-get="/notifications/recent"' in page


def test_an_empty_one_says_so_and_has_nothing_to_mark(draw):
    page = draw()
    assert "all caught up" in page
    assert 'name="before" value=""' in page


def test_it_brings_no_second_badge(draw, user, send):
    send(user)
    assert "notiway-badge" not in draw()


def test_the_dropdowns_list_is_the_same_and_can_be_narrowed(browser, user, send):
    send(user, "Read already")
    ids = [item["id"] for item in browser.get("/notifications", form="json").json["notifications"]]
    browser.put(f"/notifications/{ids[0]}/read")
    send(user, "Fresh")
    assert "Read already" in browser.get("/notifications/recent", form="htmx").text
    unread = browser.get("/notifications/recent?state=unread", form="htmx").text
    assert "Fresh" in unread
    assert "Read already" not in unread
    assert 'data-state="unread"' in unread


def test_a_tab_of_the_application_narrows_it(app, browser, draw, user, send):
    assert 'data-notiway-tab="/notifications/recent?category=mentions"' not in draw()
    app.jinja_env.globals["notiway"].tab("<Mentions>", category="mentions")
    assert 'data-notiway-tab="/notifications/recent?category=mentions"' in draw()
    assert "&lt;Mentions&gt;" in draw()
    send(user, "Ann mentions you", category="mentions")
    send(user, "A build")
    listed = browser.get("/notifications/recent?category=mentions", form="htmx").text
    assert "Ann mentions you" in listed
    assert "A build" not in listed
    assert 'data-category="mentions"' in listed
    told = browser.get("/notifications/recent?category=mentions", form="json").json["notifications"]
    assert [each["title"] for each in told] == ["Ann mentions you"]
    assert browser.get("/notifications/recent?type=loud", form="json").status_code == 400
