"""Use cases: the dashboard's working examples of what a gateway is for."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from notiway.folders import resources
from notiway.gateway import envelope
from notiway.gateway.publish import publish_envelopes
from notiway.host import contacts
from notiway.host.live_numbers import GROUP, LiveNumbers
from notiway.live import runtime
from notiway.ops import jobs
from notiway.store import tasks
from notiway.store.membership import listens_to, may_subscribe
from notiway.values.audience import Audience, AudienceType
from notiway.values.clock import now_ms
from notiway.values.errors import Fault, Forbidden, InvalidNotification, NotiwayError, Unavailable, WrongInput
from notiway.values.item import ANNOUNCEMENT
from notiway.verbs.send import send_notification
from notiway.web import auth, reply

HOST = Path(__file__).resolve().parent.parent
SEVERITIES = {"info": "info", "warning": "warning", "critical": "error"}  # and the type of the row in the list
LABELS = {"title": "Headline", "message": "Text", "action_url": "Link", "expires_at": "For"}  # as the form calls them
MINUTES = (1, 10, 60, 1440)  # an announcement of the demo lives
BROKEN_ROW = 6_204


def blueprint(live: LiveNumbers) -> Blueprint:
    """The routes below `/dashboard`, for signed-in users."""
    # What draws the events of the demos is found beside the host's pages, as any application's own is.
    routes = Blueprint("usecases", __name__, template_folder=str(resources("templates", HOST) / "host"))
    reply.register(routes)
    for path, view, method in (
        ("publish", publish, "POST"),
        ("announce", announce, "POST"),
        ("import", start_import, "POST"),
        ("sample.csv", sample, "GET"),
    ):
        routes.add_url_rule(f"/dashboard/{path}", view_func=login_required(view), methods=[method])
    routes.add_url_rule("/dashboard/numbers", "numbers", login_required(lambda: numbers(live)))
    return routes


def context(user_id: str) -> dict[str, Any]:
    """What the dashboard's sections need."""
    return {
        "envelopes": {kind: example(kind, user_id) for kind in EXAMPLES},
        "addressees": _addressees(user_id),
        "severities": tuple(SEVERITIES),
        "lifetimes": MINUTES,
        "tenants": [key.split(":")[1] for key in listens_to(user_id) if _is_scoped_dashboard(key)],
        "tenant": request.args.get("tenant", ""),
        "group": GROUP,
        "jobs_run": runtime.current().config.jobs != "off",
    }


# Regular notification and notification hub


EXAMPLES: dict[str, dict[str, Any]] = {
    "regular": {
        "type": "order-shipped",
        "body": {"orderId": "ORD-12345", "message": "Your order has been shipped!"},
        "producer": "order-service",
    },
    "hub": {
        "type": "invoice-ready",
        "body": {"invoiceId": "INV-789", "amount": 149.99, "currency": "USD", "message": "149.99 USD for INV-789."},
        "producer": "billing-service",
    },
}
HUB_HOURS = 1  # the hub's example is kept so long


def example(kind: str, user_id: str) -> dict[str, Any]:
    """The envelope of one example, as a service would publish it for this user."""
    given = EXAMPLES[kind]
    now = datetime.now(UTC).replace(microsecond=0)
    kept = kind == "hub"
    metadata: dict[str, Any] = {"producer": given["producer"], "timeStamp": now.isoformat(), "isPersisted": kept}
    if kept:
        metadata["persistedTTL"] = (now + timedelta(hours=HUB_HOURS)).isoformat()
    return {
        "id": f"{given['producer']}-{uuid.uuid4()}",
        "type": given["type"],
        "body": given["body"],
        "routing": {"audienceType": int(AudienceType.USER), "audienceValue": user_id, "tenantId": None},
        "metadata": metadata,
    }


def publish() -> ResponseReturnValue:
    """Publish an example through the same door as the HTTP API."""
    kind = request.form.get("kind", "")
    if kind not in EXAMPLES:
        return _answer(Fault("kind", f"must be one of {', '.join(EXAMPLES)}").message, 422)
    parsed = envelope.parse(example(kind, auth.require_user()), "dashboard", now_ms())
    publish_envelopes(runtime.current(), [parsed])
    return _answer(
        "Published: stored for an hour" if parsed.persisted else "Published to everyone who is connected now"
    )


# Announcement


def announce() -> ResponseReturnValue:
    """Publish an announcement: to oneself, and for staff to a tenant or to everybody."""
    user_id = auth.require_user()
    form = request.form
    to = form.get("audience") or f"user:{user_id}"
    severity = form.get("severity", "info")
    minutes = form.get("minutes", "10")
    try:
        if to not in _addressees(user_id):
            raise Forbidden("Only staff may announce to others")
        if severity not in SEVERITIES or minutes not in map(str, MINUTES):
            raise InvalidNotification("Choose a severity and a time from the lists")
        send_notification(
            Audience.parse(to),
            form.get("title", ""),
            form.get("message", ""),
            name=ANNOUNCEMENT,
            type=SEVERITIES[severity],
            body={"severity": severity},
            action_url=form.get("action_url") or None,
            expires_at=datetime.now(UTC) + timedelta(minutes=int(minutes)),
            source="dashboard",
        )
    except Unavailable:
        raise
    except NotiwayError as error:
        faults = "; ".join(f"{LABELS.get(fault.path, fault.path)} {fault.message}" for fault in error.faults)
        return _answer(f"Not announced: {faults or error}", error.status)
    return _answer("Announced: see the top of every page")


def _addressees(user_id: str) -> dict[str, str]:
    """Whom this user may announce to, by audience key."""
    found = {f"user:{user_id}": "Only me"}
    if auth.is_staff():
        keys = [key for key in listens_to(user_id) if key.startswith("tenant:")]
        found |= {key: f"Tenant {key.partition(':')[2]}" for key in keys} | {"global": "Everybody"}
    return found


# Progress


def start_import() -> ResponseReturnValue:
    """Put an import of contacts on the queue; it reports to all the user's tabs, or to the one that asked."""
    user_id = auth.require_user()
    source = request.form.get("source", "sample")
    if source == "file":
        upload = request.files.get("file")
        data = upload.read() if upload else b""
        if not data:
            return _answer("Not started: choose a file first", 422)
    else:
        data = contacts.sample(BROKEN_ROW if source == "broken" else None)
    if tasks.is_running(user_id, contacts.EVENT):
        return _answer("Not started: one of your imports is already running", 409)
    tab = request.form.get("connection", "") if request.form.get("report") == "tab" else ""
    try:
        task_id, to = contacts.announce(user_id, tab)
    except ValueError:
        return _answer("Not started: this tab has no connection", 422)
    jobs.enqueue(contacts.import_contacts, task_id, user_id, to, data)
    return _answer("Started", 202)


def sample() -> ResponseReturnValue:
    """The file of the demo, to look at, to break and to upload."""
    response = make_response(contacts.sample())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = "attachment; filename=contacts.csv"
    return response


# Live dashboard


def numbers(live: LiveNumbers) -> Response:
    """The present state, before the page listens: the latest samples, oldest first."""
    user_id = auth.require_user()
    tenant = request.args.get("tenant") or None
    try:
        audience = Audience.group(GROUP, tenant)
    except ValueError as error:
        raise WrongInput("These figures do not exist", [Fault("tenant", str(error))]) from None
    if tenant is not None and not may_subscribe(user_id, audience):
        raise Forbidden(f"You are not in {tenant}'s group {GROUP}")
    return jsonify(audience=audience.key, samples=live.history(tenant))


def _is_scoped_dashboard(key: str) -> bool:
    audience = Audience.parse(key)
    return audience.value == GROUP and audience.tenant_id is not None


def _answer(text: str, status: int = 200) -> ResponseReturnValue:
    """A line for the form that was sent; without scripts a flashed one on the dashboard."""
    asked = reply.form()
    if asked == "json":
        return jsonify(message=text), status
    if asked == "page":
        flash(text)
        return reply.back(url_for("dashboard.dashboard"))
    return make_response(render_template("host/usecases/_status.html", text=text, failed=status >= 400), status)
