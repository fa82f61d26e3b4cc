"""Saved searches: tabs above the history, with and without scripts, and as JSON."""

import pytest


@pytest.fixture
def save(browser):
    def post(**fields):
        return browser.post("/notifications/views", form="page", data=fields)

    return post


def test_what_is_saved_is_a_tab_until_it_is_removed(browser, save):
    answer = save(name="Failed jobs", type="error", state="unread", text="")
    assert (answer.status_code, answer.location) == (303, "/notifications?state=unread&type=error")
    page = browser.get("/notifications?state=unread&type=error", form="page").text
    assert 'href="/notifications?state=unread&amp;type=error" aria-current="page">Failed jobs</a>' in page
    assert "Save as a tab" not in page, "it is saved"
    other = browser.get("/notifications?type=info", form="htmx").text
    assert ">Failed jobs</a>" in other
    assert "aria-current" not in other
    assert "Save as a tab" in other
    save(name="Failed jobs", do="remove")
    assert "Failed jobs" not in browser.get("/notifications", form="page").text


def test_clients_read_and_change_them_with_the_settings(browser):
    saved = {"Alarms": {"priority": "urgent"}}
    answer = browser.put("/notifications/settings", form="json", json={"views": saved}).json
    assert answer["views"] == saved
    assert browser.put("/notifications/settings", form="json", json={"views": {"Alarms": None}}).json["views"] == {}


def test_what_cannot_be_saved_is_refused_whole(browser, save):
    answer = browser.put("/notifications/settings", form="json", json={"views": {"A": {"type": "odd"}}, "sound": True})
    assert answer.status_code == 422
    assert [field["path"] for field in answer.json["error"]["fields"]] == ["views.A.type"]
    assert save(name="", type="error").status_code == 422
    settings = browser.get("/notifications/settings", form="json").json
    assert (settings["views"], settings["sound"]) == ({}, False)


def test_a_name_is_words_and_nothing_else(browser, save):
    save(name="<script>alert(1)</script>", text='"><img src=x>')
    page = browser.get("/notifications", form="page").text
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
