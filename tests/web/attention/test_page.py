"""The settings page and its JSON: what is saved holds, what is refused says why, and nobody reads another's."""

import re

import pytest

from notiway.store.attention import settings as stored
from notiway.values.attention.attention import Attention
from notiway.verbs.attention import trial

PATH = "/notifications/settings"


@pytest.fixture
def saved(app, user):
    """What is stored for `user`."""

    def read():
        with app.app_context():
            return stored.read(user.id)[0]

    return read


def test_a_visitor_signs_in_first(visitor):
    assert visitor.get(PATH).status_code == 302
    assert visitor.get(PATH, form="json").status_code == 401
    assert visitor.put(PATH, form="json", json={"sound": True}).status_code == 401


def test_the_page_shows_what_there_is_to_choose(app, browser, send, user):
    app.extensions["notiway"].kinds.declare_category("orders", label="Your orders", sound=False)
    app.extensions["notiway"].kinds.declare_category("security", label="Security alerts", mutable=False)
    send(user, source="billing", type="success")
    page = browser.get(PATH).text
    for words in ("Your orders", "Security alerts", "Cannot be turned off", "billing, success", "Do not disturb"):
        assert words in page
    assert re.search(r'data-notiway-topic="security" data-notiway-channel="toast"[^>]* checked disabled>', page)
    assert not re.search(r'data-notiway-topic="orders" data-notiway-channel="sound"[^>]* checked', page)


def test_one_setting_is_changed_and_the_rest_stays(browser, saved, heard):
    browser.put(PATH, form="json", json={"sound": True})
    answer = browser.put(PATH, form="json", json={"volume": 80, "categories": {"orders": {"toast": False}}}).json
    assert (answer["sound"], answer["volume"], answer["revision"]) == (True, 80, 2)
    assert saved() == Attention(sound=True, volume=80, categories={"orders": {"toast": False}})
    assert [event.kind for event in heard] == ["settings", "settings"]
    assert browser.get(PATH, form="json").json["categories"] == answer["categories"]


def test_faults_are_named_and_nothing_is_changed(app, browser, saved, heard):
    app.extensions["notiway"].kinds.declare_category("security", label="Security", mutable=False)
    given = {"volume": 200, "sound": True, "categories": {"security": {"toast": False}}}
    response = browser.put(PATH, form="json", json=given)
    assert response.status_code == 422
    assert [fault["path"] for fault in response.json["error"]["fields"]] == ["categories.security.toast", "volume"]
    assert saved() == Attention()
    assert heard == []


@pytest.mark.parametrize("json", [[], "loud", None, 3])
def test_what_is_no_object_is_refused(browser, json):
    assert browser.put(PATH, form="json", json=json).status_code == 400


def test_a_change_needs_the_token_of_the_session(browser, saved):
    assert browser.put(PATH, form="json", json={"sound": True}, csrf=False).status_code == 400
    assert browser.post(f"{PATH}/pause", data={"for": "1h"}, csrf=False).status_code == 400
    assert saved() == Attention()


def test_the_whole_form_can_be_sent_without_scripts(browser, saved):
    page = browser.get(PATH).text
    fields = {
        "part": re.findall(r'name="part" value="([^"]*)"', page), "schedule": "on", "days": ["sat", "sun"],
        "from": "00:00", "to": "00:00", "zone": "Europe/Berlin", "toast_seconds": "15", "volume": "30",
        "motion": "reduced", "density": "compact",
    }  # fmt: skip
    response = browser.post(PATH, data=fields)
    assert response.status_code == 303
    assert "Saved" in browser.get(response.location).text
    now = saved()
    assert (now.schedule.on, now.schedule.days, now.zone) == (True, ("sat", "sun"), "Europe/Berlin")
    assert (now.toast_seconds, now.volume, now.motion, now.density) == (15, 30, "reduced", "compact")
    assert not now.shortcuts


def test_a_form_that_is_refused_says_so_on_the_page(browser, saved):
    response = browser.post(PATH, data={"part": "schedule", "schedule": "on", "from": "22:00", "to": "07:00"})
    assert response.status_code == 422
    assert "schedule.days must name at least one day" in response.text
    assert saved() == Attention()


def test_do_not_disturb_is_one_button(browser, saved, user, send):
    response = browser.post(f"{PATH}/pause", data={"for": "1h", "zone": "Asia/Tokyo"})
    assert response.status_code == 303
    assert saved().paused_until
    assert saved().zone == "Asia/Tokyo"
    page = browser.get("/notifications").text
    assert re.search(r"data-quiet\b", page)
    assert "Do not disturb is on" in page
    browser.post(f"{PATH}/pause", data={"for": "off", "zone": "Europe/Berlin"})
    assert saved() == Attention(zone="Asia/Tokyo")  # one that was chosen is kept
    assert not re.search(r"data-quiet\s", browser.get("/notifications").text)


def test_the_panel_s_own_form_is_answered_with_the_settings(browser):
    answer = browser.post(f"{PATH}/pause", form="htmx", data={"for": "30m"})
    assert 'data-notiway-event="settings"' in answer.text
    assert '"quietUntil": null' not in answer.text


@pytest.mark.parametrize("length", ["", "2h", "forever"])
def test_other_lengths_are_refused(browser, length):
    assert browser.post(f"{PATH}/pause", form="json", json={"for": length}).status_code == 422


def test_a_test_is_sent_to_oneself_and_only_so_often(app, browser, user, heard):
    answer = browser.post(f"{PATH}/test", form="json")
    assert heard[-1].audience == f"user:{user.id}"
    assert heard[-1].data["notification"]["id"] == answer.json["notificationId"]
    for _ in range(9):
        browser.post(f"{PATH}/test", form="json")
    refused = browser.post(f"{PATH}/test", form="json")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert len(heard) == 10
    assert trial.RATE == "10 per minute"


def test_every_page_brings_the_settings_of_its_reader(browser, auth, other):
    browser.put(PATH, form="json", json={"toastSeconds": 0})
    assert (
        "&#34;toastSeconds&#34;: 0" in browser.get("/account").text
        or '"toastSeconds": 0' in browser.get("/account").text
    )
    assert '"toastSeconds": null' in auth(other).get("/account").text
