"""Error pages come in the form that was asked for, and tell nothing about the inside."""

import peewee
import pytest
from flask import Response, abort
from werkzeug.exceptions import NotFound, TooManyRequests

from notiway.host import sessions


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
    assert "Something went wrong on our side" in response.text


def test_a_database_that_is_away_still_leaves_a_readable_page(make_app, monkeypatch):
    client = make_app(TESTING=False).test_client()
    with client.session_transaction() as session:
        session["_user_id"] = "1"

    def away(*_):
        raise peewee.OperationalError("no route to host")

    monkeypatch.setattr(sessions, "find_user", away)
    response = client.get("/dashboard")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.text
    assert "no route" not in response.text


def test_a_request_that_is_too_large_is_refused(browser):
    response = browser.post("/notifications/send", form="json", data=b"x" * (1024 * 1024 + 1), csrf=True)
    assert response.status_code == 413
    assert response.json["error"]["code"] == "TooLarge"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "WrongInput"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "WrongInput"),
        (413, "TooLarge"),
        (429, "Throttled"),
        (501, "Error"),
        (503, "Unavailable"),
    ],
)
def test_each_status_has_its_code(app, status, code):
    app.add_url_rule("/refuse", view_func=lambda: abort(status))
    answer = app.test_client().get("/refuse", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("status", "told"), [(403, True), (503, True), (500, False)])
def test_a_reason_is_told_but_never_that_of_a_fault_of_ours(app, status, told):
    app.add_url_rule("/refuse", view_func=lambda: abort(status, "because of hunter2"))
    for headers in ({}, {"HX-Request": "true"}, {"Accept": "application/json"}):
        answer = app.test_client().get("/refuse", headers=headers)
        assert ("because of hunter2" in answer.text) is told


def test_what_an_error_says_in_headers_is_kept(app):
    def fail():
        raise TooManyRequests(retry_after=7)

    app.add_url_rule("/refuse", view_func=fail)
    assert app.test_client().get("/refuse").headers["Retry-After"] == "7"


def test_an_answer_that_was_made_already_is_left_as_it_is(app):
    def fail():
        raise NotFound(response=Response("own words", 404))

    app.add_url_rule("/refuse", view_func=fail)
    answer = app.test_client().get("/refuse")
    assert (answer.status_code, answer.text) == (404, "own words")


def test_a_redirect_is_no_error_page(app):
    app.add_url_rule("/folder/", view_func=lambda: "")
    answer = app.test_client().get("/folder")
    assert (answer.status_code, answer.location) == (308, "http://localhost/folder/")
