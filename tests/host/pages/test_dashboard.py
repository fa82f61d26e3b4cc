"""The dashboard's demo, and what every page of the host carries."""

import re
from urllib.parse import parse_qs, urlsplit

import peewee
import pytest

from notiway.host import sessions

TYPES = ("info", "success", "warning", "error")
PAGES = ("/login", "/dashboard", "/account", "/notifications", "/no-such-page")


def test_home_leads_to_the_dashboard_and_strangers_to_the_sign_in_page(browser, visitor):
    assert browser.get("/").location == "/dashboard"
    assert visitor.get("/dashboard").location == "/login?next=%2Fdashboard"


def test_there_is_one_send_button_for_each_type_and_it_works_without_javascript(browser):
    page = browser.get("/dashboard").text
    assert "Real-time Notification Demo" in page
    actions = [
        action.replace("&amp;", "&") for action in re.findall(r'<form class="sample[^>]* action="([^"]+)"', page)
    ]
    assert [parse_qs(urlsplit(action).query)["type"] for action in actions] == [[name] for name in TYPES]
    for action in actions:
        response = browser.post(action, headers={"Referer": "http://localhost/dashboard"})
        assert (response.status_code, response.location) == (303, "/dashboard")
    listed = browser.get("/notifications", form="json").json["notifications"]
    assert [item["type"] for item in listed] == list(TYPES[::-1])


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
    assert "Sent: Disk 90 % full" in text
    assert 'value="warning" checked' in text
    assert ">Soon<" not in text
    assert 'id="notiway-badge"' in text


def test_a_send_button_gets_only_a_status(browser):
    fields = {"title": "<b>Hi</b>", "answer": "status"}
    text = browser.post("/notifications/send", form="htmx", data=fields).text
    assert "Sent: &lt;b&gt;Hi&lt;/b&gt;" in text
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


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_the_csrf_token_and_refuses_foreign_code(browser, visitor, path):
    response = (visitor if path == "/login" else browser).get(path)
    assert re.search(r'<meta name="csrf-token" content="[^"]+">', response.text)
    policy = response.headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)", response.text)
    assert "<style" not in response.text
    assert not re.search(r"<[^>]+\s(style|on\w+)=", response.text)


@pytest.mark.parametrize("path", ["/dashboard", "/account", "/notifications", "/no-such-page"])
def test_every_page_of_a_signed_in_user_has_the_bell(browser, path):
    page = browser.get(path).text
    assert page.count("data-notiway-bell") == 1
    assert '<nav class="links"' in page


def test_the_sign_in_page_has_no_bell(visitor):
    assert "data-notiway-bell" not in visitor.get("/login").text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no-such-page", 404),
        ("POST", "/no-such-page", 404),
        ("POST", "/dashboard", 405),
        ("POST", "/logout", 400),
    ],
)
@pytest.mark.parametrize("form", ["page", "htmx", "json"])
def test_errors_come_in_the_form_that_was_asked_for(browser, method, path, status, form):
    response = browser.open(method, path, form=form, csrf=False)
    assert response.status_code == status
    if form == "json":
        assert set(response.json["error"]) == {"code", "message", "fields"}
    else:
        assert ("<html" in response.text) is (form == "page")
    if status == 405:
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("form", ["page", "htmx", "json"])
def test_a_fault_of_ours_tells_nothing_about_the_inside(make_app, form):
    app = make_app(TESTING=False)
    app.add_url_rule("/broken", view_func=lambda: 1 / 0)
    response = app.test_client().get(
        "/broken",
        headers={"Accept": "application/json"} if form == "json" else {"HX-Request": "true"} if form == "htmx" else {},
    )
    assert response.status_code == 500
    assert "ZeroDivisionError" not in response.text
    assert "The fault is ours" in response.text


def test_a_database_that_is_away_still_leaves_a_readable_page(make_app, monkeypatch):
    client = make_app(TESTING=False).test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "1"

    def away(*_):
        raise peewee.OperationalError("no route to host")

    monkeypatch.setattr(sessions, "find_user", away)
    response = client.get("/dashboard")
    assert response.status_code == 500
    assert "The fault is ours" in response.text
    assert "no route" not in response.text


def test_a_request_that_is_too_large_is_refused(browser):
    response = browser.post("/notifications/send", form="json", data=b"x" * (1024 * 1024 + 1), csrf=True)
    assert response.status_code == 413
    assert response.json["error"]["code"] == "TooLarge"


def test_static_files_may_be_kept_by_the_browser(visitor):
    with visitor.get("/static/host/css/theme.css") as response:
        assert response.status_code == 200
        assert response.headers.get("Cache-Control") != "no-store"
