"""Sending: the dashboard's demo, one notification to oneself."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from notiway.live import runtime
from notiway.live.wires.json import notification_dict
from notiway.store import inbox
from notiway.values.errors import Fault, InvalidNotification
from notiway.values.item import TYPES
from notiway.verbs.send import send_notification
from notiway.web import auth, body, reply
from notiway.web.pages.history import guard_session

FIELDS = ("type", "title", "message")
STATUS_ONLY = "status"  # `answer=status`: say only whether it worked, do not render the form


def blueprint() -> Blueprint:
    """The route `/notifications/send`."""
    routes = Blueprint("sending", __name__)
    routes.before_request(guard_session)
    reply.register(routes)
    routes.add_url_rule("/notifications/send", view_func=send, methods=["POST"])
    return routes


def send() -> ResponseReturnValue:
    """Send `{type, title, message}` (JSON or form) to the signed-in user; every fault is named."""
    user_id = auth.require_user()
    runtime.current().wait_for_room()
    values = _values()
    try:
        sent = send_notification(
            user_id, values["title"], values["message"], type=values["type"] or "info", source="dashboard"
        )
    except InvalidNotification as error:
        return _refused(error, values)
    unread = inbox.arrive(user_id)
    asked = reply.form()
    if asked == "json":
        item = inbox.get(user_id, sent.id)
        body = {"notification": notification_dict(item.as_dict()), "notificationId": sent.id, "unreadCount": unread}
        return jsonify(body), 201
    if asked == "page":
        flash(f"Sent: {sent.title}")
        return reply.back(url_for("notiway.history"))
    return _fragment({"type": values["type"]}, {}, sent=sent.title, unread=unread)


def form_context(values: dict[str, str], faults: dict[str, str], sent: str = "") -> dict[str, Any]:
    """What `host/send/_form.html` needs."""
    return {"values": values, "faults": faults, "sent": sent, "types": TYPES, "csrf_token": reply.csrf_token()}


def _values() -> dict[str, str]:
    given: Any = body.read_object() if request.is_json else request.values
    values = {name: given.get(name, "") for name in FIELDS}
    faults = [Fault(name, "must be text") for name, value in values.items() if not isinstance(value, str)]
    if faults:
        raise InvalidNotification("Nothing was sent", faults)
    return values


def _refused(error: InvalidNotification, values: dict[str, str]) -> ResponseReturnValue:
    asked = reply.form()
    if asked == "json":
        raise error
    faults: dict[str, str] = {}
    for fault in error.faults:
        faults.setdefault(fault.path, fault.message)
    if asked == "fragment":
        return make_response(_fragment(values, faults), error.status)
    return make_response(
        render_template(
            "host/send/page.html",
            **form_context(values, faults),
            next=reply.origin(),
            notiway_base=runtime.current().config.base_template,
        ),
        error.status,
    )


def _fragment(values: dict[str, str], faults: dict[str, str], sent: str = "", unread: int | None = None) -> str:
    short = request.values.get("answer") == STATUS_ONLY
    template = "host/send/_status.html" if short else "host/send/_form.html"
    return render_template(template, **form_context(values, faults, sent), unread=unread)
