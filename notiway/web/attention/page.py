"""The settings page: do not disturb, channels, toasts, sound; and the same as JSON."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from notiway.live import runtime
from notiway.store import inbox
from notiway.store.attention import settings as stored
from notiway.values.attention import attention as kept
from notiway.values.attention import schedule, topics, zone
from notiway.values.attention.telling import told, told_in_full
from notiway.values.clock import now_ms
from notiway.values.errors import InvalidSettings
from notiway.verbs.attention import settings, trial
from notiway.web import auth, body, reply
from notiway.web.attention import form, views, why

PATH = "/notifications/settings"
RECENT = 50  # notifications whose topics can be chosen for, declared or not
NOTICE_KEY = "notiway_settings_notice"


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    add = blueprint.add_url_rule
    add(PATH, "settings", show)
    add(PATH, "change_settings", change, methods=["PUT"])
    add(PATH, "settings_by_form", save, methods=["POST"])
    add(f"{PATH}/pause", "pause", pause, methods=["POST"])
    add(f"{PATH}/test", "send_test", send_test, methods=["POST"])
    why.register(blueprint)
    views.register(blueprint)


def show() -> ResponseReturnValue:
    """The page; as JSON, everything that it shows."""
    user_id = auth.require_owner()
    if reply.form() == "json":
        return _as_json(user_id)
    return render_template("notiway/settings/page.html", **_context(user_id), notice=session.pop(NOTICE_KEY, None))


def change() -> ResponseReturnValue:
    """Change what is named and leave the rest; answers the settings as they are now."""
    user_id = auth.require_owner()
    settings.change(user_id, body.read_object())
    return _as_json(user_id)


def save() -> ResponseReturnValue:
    """The whole form, without JavaScript."""
    user_id = auth.require_owner()
    given = form.changes_of(request.form)
    try:
        settings.change(user_id, given)
    except InvalidSettings as error:
        if reply.form() != "page":
            raise
        context = _context(user_id) | {"faults": error.faults}
        page = render_template("notiway/settings/page.html", **context, notice=None)
        return make_response(page, error.status)
    return _saved(user_id)


def pause() -> ResponseReturnValue:
    """Be quiet for a while (`for`: 30m, 1h, tomorrow), or no longer (off)."""
    user_id = auth.require_owner()
    given = body.read_object() if request.is_json else request.form
    changes = {"pause": given.get("for")}
    if given.get("zone") and stored.read(user_id)[0].zone is None:
        changes["zone"] = given["zone"]  # the morning is that of the reader's clock
    settings.change(user_id, changes)
    return _saved(user_id)


def send_test() -> ResponseReturnValue:
    """Send a test to all who this user is connected with; nothing is stored. JSON: its id, and when it was sent."""
    user_id = auth.require_owner()
    notification_id = trial.send(user_id)
    if reply.form() == "page":
        session[NOTICE_KEY] = "A test was sent to the pages that you have open."
        return reply.back(url_for("notiway.settings"))
    return jsonify(notificationId=notification_id, now=now_ms())


def _saved(user_id: str) -> ResponseReturnValue:
    asked = reply.form()
    if asked == "json":
        return _as_json(user_id)
    if asked == "fragment":
        told_now = told(*stored.read(user_id), runtime.current().kinds, now_ms())
        return render_template("notiway/frames/settings.html", settings=told_now)
    session[NOTICE_KEY] = "Saved"
    return reply.back(url_for("notiway.settings"))


def _as_json(user_id: str) -> Response:
    attention, revision = stored.read(user_id)
    return jsonify(told_in_full(attention, revision, runtime.current().kinds, now_ms(), _met(user_id)))


def _context(user_id: str) -> dict[str, Any]:
    now = runtime.current()
    attention, revision = stored.read(user_id)
    return {
        "attention": attention,
        "settings": told_in_full(attention, revision, now.kinds, now_ms(), ()),
        "topics": topics.topics(now.kinds, attention, _met(user_id)),
        "channels": kept.CHANNELS,
        "days": schedule.DAYS,
        "zones": zone.offered(),
        "toast_seconds": kept.TOAST_SECONDS,
        "usual_seconds": now.config.toast_seconds,
        "socket_url": now.live_url("/ws/notifications"),
        "stream_url": now.live_url("/api/notifications/stream"),
        "faults": (),
        "csrf_token": reply.csrf_token(),
        "notiway_base": now.config.base_template,
    }


def _met(user_id: str) -> tuple[str, ...]:
    """The topics of what came lately: those that nobody declared can be muted, too."""
    return tuple(dict.fromkeys(item.topic for item in inbox.feed(user_id, limit=RECENT).items))
