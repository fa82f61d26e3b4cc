"""Why: who a notification was for, by whom, by which rule; and one click to mute its like."""

import pytest

from notiway.store.attention import settings as stored
from notiway.values.audience import Audience
from notiway.web.attention.why import words_for

OFF = {"toast": False, "browser": False, "sound": False}


@pytest.fixture
def kinds(app):
    kinds = app.extensions["notiway"].kinds
    kinds.declare_category("orders", label="Your orders", sound=False)
    kinds.declare("order-shipped", label="Order shipped", category="orders")
    kinds.declare("recall", label="Product recall", category="orders", mutable=False)
    return kinds


@pytest.fixture
def chosen(app, user):
    def read():
        with app.app_context():
            return stored.read(user.id)[0].categories

    return read


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        ("user:7", "Sent to you"),
        ("global", "Sent to everybody"),
        ("tenant:acme", "Sent to everybody in acme"),
        ("group:admins", "Sent to the group admins, which you are in"),
        ("group:acme:admins", "Sent to the group admins of acme, which you are in"),
    ],
)
def test_an_audience_in_words(audience, words):
    assert words_for(audience) == words


@pytest.mark.parametrize("form", ["page", "htmx"])
def test_it_says_to_whom_about_what_from_whom_and_by_which_rule(kinds, browser, user, join, send, form):
    join(user, Audience.group("admins"))
    sent = send(Audience.group("admins"), name="order-shipped", actor="Ada", source="shop")
    page = browser.get(f"/notifications/{sent.id}/why", form=form).text
    for words in ("the group admins", "Your orders", "Order shipped", "Ada, shop", "Mute Your orders"):
        assert words in page


def test_without_scripts_the_list_s_form_asks(browser, user, send):
    page = browser.post(f"/notifications/{send(user).id}/why", data={"ids": "x"})
    assert page.status_code == 200
    assert "Sent to you" in page.text


def test_muting_turns_off_every_channel_and_unmuting_goes_back_to_the_declaration(kinds, browser, user, send, chosen):
    sent = send(user, name="order-shipped")
    answer = browser.post(f"/notifications/{sent.id}/mute", form="json").json
    assert (answer["topic"]["muted"], answer["mayMute"]) == (True, True)
    assert chosen() == {"orders": {"toast": False, "browser": False}}
    assert "Unmute Your orders" in browser.get(f"/notifications/{sent.id}/why", form="htmx").text
    browser.post(f"/notifications/{sent.id}/unmute", form="json")
    assert chosen() == {}


def test_without_scripts_a_form_mutes_and_the_list_says_so(kinds, browser, user, send, chosen):
    sent = send(user, source="billing")
    response = browser.post(f"/notifications/{sent.id}/mute", data={"next": "/notifications"})
    assert response.status_code == 303
    assert "billing, info is muted" in browser.get(response.location).text
    assert chosen() == {"billing/info": OFF}


def test_what_was_sent_before_stays_in_list_and_count(kinds, browser, user, send):
    sent = send(user, name="order-shipped")
    browser.post(f"/notifications/{sent.id}/mute", form="json")
    send(user, name="order-shipped")
    listed = browser.get("/notifications", form="json").json
    assert (len(listed["notifications"]), listed["unreadCount"]) == (2, 2)


def test_what_nobody_can_mute_says_so(kinds, browser, user, send, chosen):
    sent = send(user, name="recall")
    assert "Nobody can mute this kind" in browser.get(f"/notifications/{sent.id}/why", form="htmx").text
    response = browser.post(f"/notifications/{sent.id}/mute", form="json")
    assert response.status_code == 422
    assert chosen() == {}


@pytest.mark.parametrize("path", ["why", "mute", "unmute"])
def test_of_anothers_notification_nothing_is_told(browser, other, send, path):
    url = f"/notifications/{send(other).id}/{path}"
    response = browser.get(url, form="json") if path == "why" else browser.post(url, form="json")
    assert response.status_code == 404
