"""Pressing buttons over HTTP: in each form, only by those they are for, and with a call of the host's own route."""

import pytest
from flask import abort, g, redirect, request
from flask_login import current_user, login_required

from notiway.kinds import Action, Undo
from notiway.store import inbox
from notiway.store.database import db
from notiway.values.kinds.details import details_of
from notiway.web.pages import pressing


@pytest.fixture
def orders(app):
    """Routes of the host that buttons stand for; whom they were called by."""
    calls = []

    @app.post("/orders/<int:number>/approve")
    @login_required
    def approve(number):
        assert "notiway_outer" not in g
        calls.append((number, current_user.name, dict(globals_of()), inbox.unread_count(str(current_user.id))))
        return redirect("/orders")

    @app.post("/orders/broken")
    def broken():
        raise KeyError("broken")

    @app.post("/orders/forbidden")
    def forbidden():
        abort(403)

    @app.before_request
    def mark():
        if request_path().endswith("/actions/approve"):
            g.notiway_outer = True

    return calls


def request_path():
    return request.path


def globals_of():
    return {"q": request.args.get("q"), "htmx": request.headers.get("HX-Request")}


@pytest.fixture
def ask(app, user, send):
    def deliver(url="/orders/7/approve?q=1", to=user, **options):
        return send(to, "Bob asks", actions=[Action("Approve", url, method="post")], **options).id

    return deliver


def press(browser, notification_id, name="approve", **options):
    return browser.post(f"/notifications/{notification_id}/actions/{name}", **({"form": "json"} | options))


def test_a_button_calls_the_host_s_own_route_as_whoever_pressed(orders, browser, user, ask):
    answer = press(browser, notification_id := ask()).json
    assert answer["notificationId"] == notification_id
    assert (answer["answer"]["status"], answer["answer"]["byName"]) == ("done", user.name)
    assert orders == [(7, user.name, {"q": "1", "htmx": None}, 1)]
    assert press(browser, notification_id).json == answer
    assert len(orders) == 1


@pytest.mark.parametrize(
    ("url", "message"), [("/orders/forbidden", "You may not do that."), ("/nowhere", "It could not be done.")]
)
def test_a_route_that_refuses_has_failed(orders, browser, ask, url, message):
    answer = press(browser, ask(url)).json["answer"]
    assert (answer["status"], answer["message"]) == ("failed", message)


def test_a_route_that_breaks_has_failed(orders, browser, ask, caplog):
    assert press(browser, ask("/orders/broken")).json["answer"]["status"] == "failed"
    assert "/orders/broken" in caplog.text


def test_a_fragment_brings_the_buttons_as_they_are_now(orders, browser, ask):
    answer = press(browser, notification_id := ask(), form="htmx")
    assert 'data-notiway-event="answered"' in answer.text
    assert f'data-notiway-actions="{notification_id}" data-status="done"' in answer.text


def test_without_scripts_a_form_presses_and_leads_back(orders, browser, ask):
    answer = press(browser, ask(), form="page", data={"csrf_token": browser.token}, csrf=False)
    assert (answer.status_code, answer.location) == (303, "/notifications")
    assert len(orders) == 1
    assert "done by" in browser.get("/notifications").text


def test_only_those_it_is_for_can_press_and_only_with_the_token(orders, browser, other, auth, ask):
    notification_id = ask()
    assert press(auth(other), notification_id).status_code == 404
    assert press(browser, notification_id, "nothing").status_code == 404
    assert press(browser, notification_id, csrf=False).status_code in (400, 403)
    assert orders == []


def test_a_handler_and_its_undo(app, browser, ask, user, send):
    kind = app.extensions["notiway"].kinds.declare("access-request", label="Access")
    calls = []
    kind.action("withdraw")(lambda user_id, item: calls.append("withdrawn"))

    @kind.action("approve")
    def approve(user_id, item):
        calls.append((user_id, item.title))
        return Undo("withdraw")

    row = send(user, "Bob asks", name="access-request", actions=[Action("Approve", method="post")])
    assert press(browser, row.id).json["answer"]["undo"] == {"action": "withdraw", "label": "Undo"}
    assert f'formaction="/notifications/{row.id}/undo"' in browser.get("/notifications").text
    assert browser.post(f"/notifications/{row.id}/undo", form="json").json["answer"] is None
    assert calls == [(str(user.id), "Bob asks"), "withdrawn"]
    (item,) = browser.get("/notifications", form="json").json["notifications"]
    assert item["answer"] is None
    assert item["actions"] == details_of(actions=[Action("Approve", method="post")])["actions"]


def test_presses_need_no_second_connection_of_the_pool(app, ask, auth, user, monkeypatch):
    """While the route is called, the request that waits holds none."""
    app.add_url_rule("/orders/count", view_func=lambda: "counted", methods=["POST"])
    call, seen = pressing._call, []

    def watched(*given):
        call(*given)
        seen.append(db.is_closed())

    monkeypatch.setattr(pressing, "_call", watched)
    assert press(auth(user), ask("/orders/count")).json["answer"]["status"] == "done"
    assert seen == [True]
