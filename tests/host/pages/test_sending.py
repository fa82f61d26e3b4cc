"""The dashboard's demo sends to oneself, and names every fault of what it is given."""

import re

import pytest


def test_sending_as_json_answers_with_the_notification(browser):
    body = {"type": "success", "title": "Invoice paid", "message": "John paid $500"}
    response = browser.post("/notifications/send", form="json", json=body)
    assert response.status_code == 201
    assert response.json["notification"]["title"] == "Invoice paid"
    assert response.json["notification"]["type"] == "success"
    assert response.json["unreadCount"] == 1


def test_sending_with_htmx_answers_with_an_empty_form_that_says_so(browser):
    fields = {"type": "warning", "title": "Disk 90 % full", "message": "Soon"}
    text = browser.post("/notifications/send", form="htmx", data=fields).text
    assert 'id="notiway-send"' in text
    assert "Sent: <bdi>Disk 90 % full</bdi>" in text
    assert 'value="warning" checked' in text
    assert ">Soon<" not in text
    assert 'id="notiway-badge"' in text


def test_a_send_button_gets_only_a_status(browser):
    fields = {"title": "<b>Hi</b>", "answer": "status"}
    text = browser.post("/notifications/send", form="htmx", data=fields).text
    assert "Sent: <bdi>&lt;b&gt;Hi&lt;/b&gt;</bdi>" in text
    assert "<form" not in text


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, {"title"}),
        ({"title": "   "}, {"title"}),
        ({"title": "x" * 201}, {"title"}),
        ({"title": "x", "message": "y" * 2_001}, {"message"}),
        ({"title": "x", "type": "loud"}, {"type"}),
        ({"title": "", "message": "y" * 2_001, "type": "loud"}, {"title", "message", "type"}),
        ({"title": 7}, {"title"}),
        ({"title": ["x"], "message": {}}, {"title", "message"}),
        ({"title": "x\0"}, {"title"}),
    ],
)
def test_every_fault_of_what_is_sent_is_named_and_nothing_is_sent(browser, body, paths):
    response = browser.post("/notifications/send", form="json", json=body)
    assert response.status_code == 422
    assert {fault["path"] for fault in response.json["error"]["fields"]} == paths
    assert browser.get("/notifications", form="json").json["unreadCount"] == 0


@pytest.mark.parametrize("form", ["htmx", "page"])
def test_faults_stand_beside_their_fields_and_what_was_typed_stays(browser, form):
    fields = {"title": "", "message": "y" * 2_001, "type": "error"}
    response = browser.post("/notifications/send", form=form, data=fields)
    assert response.status_code == 422
    assert ("<html" in response.text) is (form == "page")
    assert re.search(
        r'id="send-title"[^>]*aria-describedby="[^"]*send-title-fault"[^>]*aria-invalid="true"', response.text
    )
    assert 'id="send-title-fault"' in response.text
    assert 'id="send-message-fault"' in response.text
    assert "y" * 2_001 in response.text
    assert 'value="error" checked' in response.text


def test_without_javascript_one_comes_back_to_the_dashboard_after_mending_a_fault(browser):
    refused = browser.post("/notifications/send", data={"title": ""}, headers={"Referer": "http://localhost/dashboard"})
    assert 'name="next" value="/dashboard"' in refused.text
    fields = {"title": "Mended", "next": "/dashboard"}
    mended = browser.post(
        "/notifications/send", data=fields, headers={"Referer": "http://localhost/notifications/send"}
    )
    assert (mended.status_code, mended.location) == (303, "/dashboard")
    astray = browser.post(
        "/notifications/send", data={"title": "x"}, headers={"Referer": "http://localhost/notifications/send"}
    )
    assert astray.location == "/notifications", "the address that was posted to has no page"
