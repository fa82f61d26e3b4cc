"""Announcements: banners on every page, until they are dismissed on any device, or over."""

from datetime import UTC, datetime, timedelta

import pytest
from jinja2 import ChoiceLoader, DictLoader

from notiway.store import membership, schema
from notiway.store.database import db
from notiway.store.log.standing import ANNOUNCEMENTS
from notiway.store.rows import COLUMNS
from notiway.store.sql import run
from notiway.store.tables import Notification
from notiway.store.writing import item_of
from notiway.values.audience import Audience
from notiway.values.event import Event
from notiway.values.item import ANNOUNCEMENT, Item

PAGES = ("/dashboard", "/account", "/notifications")


@pytest.fixture
def announce(send):
    def deliver(to, title="Maintenance", **options):
        return send(to, title, "From 02:00 to 04:00 UTC.", name=ANNOUNCEMENT, **options)

    return deliver


def banners(browser, path="/dashboard"):
    return browser.get(path).text.count('class="notiway-banner"')


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_everybody_shows_it(announce, browser, other, auth, path):
    row = announce(Audience.everyone(), type="error", action_url="/status")
    for each in (browser, auth(other)):
        page = each.get(path).text
        assert f'id="notiway-banner-{row.id}" role="region" aria-label="Announcement: Maintenance"' in page
        assert 'data-severity="critical"' in page
        assert '<a href="/status">' in page
        assert page.index("notiway-banner") < page.index("<main")


def test_a_tenant_s_is_for_its_members(app, announce, browser, user, other, auth):
    with app.app_context():
        membership.join(user.id, Audience.tenant("acme"))
    announce(Audience.tenant("acme"))
    assert (banners(browser), banners(auth(other))) == (1, 0)


def test_dismissing_is_reading_and_holds_for_all_devices_of_that_user_only(announce, browser, user, other, auth):
    row = announce(Audience.everyone())
    phone = auth(user)
    response = browser.put(f"/notifications/{row.id}/read", form="htmx")
    assert f'data-ids="{row.id}"' in response.text
    assert (banners(phone), banners(auth(other))) == (0, 1)
    assert phone.get("/notifications", form="json").json["unreadCount"] == 0


def test_without_scripts_a_form_dismisses_and_leads_back(announce, browser):
    row = announce(Audience.everyone())
    page = browser.get("/dashboard").text
    form = page[page.index(f'action="/notifications/{row.id}/read"') :]
    assert '<input type="hidden" name="csrf_token"' in form[: form.index("</form>")]
    response = browser.post(f"/notifications/{row.id}/read", headers={"Referer": "http://localhost/account"})
    assert (response.status_code, response.location) == (303, "/account")
    assert banners(browser) == 0


def test_it_names_its_end_and_is_not_drawn_after_it(app, announce, browser):
    row = announce(Audience.everyone(), expires_at=datetime.now(UTC) + timedelta(minutes=5))
    assert f'data-notiway-expires="{row.expires_at}"' in browser.get("/dashboard").text
    with app.app_context():
        Notification.update(expires_at=1).execute()
        db.close()
    assert banners(browser) == 0


def test_the_newest_three_are_shown(announce, browser):
    for number in range(5):
        announce(Audience.everyone(), f"Number {number}")
    page = browser.get("/dashboard").text
    assert banners(browser) == 3
    assert page.index("Announcement: Number 4") < page.index("Announcement: Number 2")


def test_graver_ones_come_before_newer_ones(announce, browser):
    announce(Audience.everyone(), "Grave", body={"severity": "critical"})
    announce(Audience.everyone(), "Typed", type="warning")
    for number in range(3):
        announce(Audience.everyone(), f"Number {number}", body={"severity": "info"})
    page = browser.get("/dashboard").text
    places = [page.find(f"Announcement: {title}") for title in ("Grave", "Typed", "Number 2")]
    assert banners(browser) == 3
    assert -1 < places[0] < places[1] < places[2]


def test_pages_that_were_away_fetch_what_stands(announce, browser, visitor):
    row = announce(Audience.everyone())
    assert f"notiway-banner-{row.id}" in browser.get("/notifications/announcements", form="htmx").text
    told = browser.get("/notifications/announcements", form="json").json["notifications"]
    assert [each["id"] for each in told] == [row.id]
    assert visitor.get("/notifications/announcements", form="json").status_code == 401


def test_a_frame_carries_no_token_and_one_that_was_read_before_draws_none(app, announce, user):
    row = announce(user.id)
    wire = app.extensions["notiway"].formats["html"].wire
    item = item_of(row).as_dict()
    frame = wire.render(Event("created", f"user:{user.id}", {"notification": item, "unread": 1}))
    assert "notiway-banner" in frame
    assert "csrf" not in frame
    read = wire.render(Event("created", f"user:{user.id}", {"notification": item | {"read_at": 1}, "unread": 0}))
    assert "notiway-banner" not in read


def test_one_that_is_not_stored_is_dismissed_on_the_page_alone(app):
    item = Item("1", "global", ANNOUNCEMENT, "warning", "medium", "Soon", "", 1, persisted=False)
    frame = (
        app.extensions["notiway"]
        .formats["html"]
        .wire.render(Event("created", "global", {"notification": item.as_dict()}))
    )
    assert "data-notiway-dismiss" in frame
    assert "<form" not in frame


@pytest.mark.sqlite  # tests/store/test_plans_of_postgresql.py has the others
def test_a_full_inbox_is_not_searched_for_them(rows):
    plan = run(f"EXPLAIN QUERY PLAN SELECT {COLUMNS} {ANNOUNCEMENTS}", ("1", 0, 3)).fetchall()
    assert "notiway_notification_announcement" in str(plan[0])
    assert schema.pending(db.obj) == []


def test_a_kind_with_a_banner_of_its_own_stands_on_every_page_until_it_is_read(app, browser, user, send):
    text = '{% extends "events/system-announcement.html" %}{% block text %} [by {{ item.source }}]{% endblock %}'
    app.jinja_env.loader = ChoiceLoader([DictLoader({"notiway/banners/outage.html": text}), app.jinja_env.loader])
    kinds = app.extensions["notiway"].kinds
    kinds.declare("outage", label="Outage")
    kinds.declare("order-shipped", label="Order shipped")
    row = send(user, "Payments are down", name="outage", source="monitoring")
    send(user, "Your order", name="order-shipped")
    assert banners(browser) == 1
    assert "[by monitoring]" in browser.get("/dashboard").text
    found = browser.get("/notifications/announcements", form="json").json["notifications"]
    assert [item["id"] for item in found] == [row.id]
    browser.put(f"/notifications/{row.id}/read", form="htmx")
    assert banners(browser) == 0
