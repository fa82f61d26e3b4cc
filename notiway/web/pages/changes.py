"""Changes: read, unread, seen, deleted, restored; each for one item, for several, or for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from notiway.store import inbox
from notiway.store.search.filters import Filters
from notiway.values.errors import Fault, WrongInput
from notiway.values.ids import is_id
from notiway.verbs import items
from notiway.web import auth, body, reply
from notiway.web.pages import listing

MAX_IDS = 1_000  # at once; a page holds about half as many
MAX_NOTICE_IDS = 40  # kept in the session cookie, which browsers cut at 4 KiB
NOTICE_KEY = "notiway_notice"
ID = "/notifications/<notification_id>"

Verb = Callable[[str, list[str]], int]
BULK: dict[str, tuple[Verb, str, dict[str, bool]]] = {
    "read": (items.mark_read, "marked as read", {"read": True}),
    "unread": (items.mark_unread, "marked as unread", {"read": False}),
    "delete": (items.delete, "deleted", {"deleted": True}),
    "restore": (items.restore, "restored", {"deleted": False}),
}


def register(blueprint: Blueprint) -> None:
    """Add the routes; the fixed paths come first, so that `read-all` is never taken for an id."""
    add = blueprint.add_url_rule
    add("/notifications/read-all", view_func=read_all, methods=["PUT", "POST"])
    add("/notifications/seen", view_func=seen, methods=["POST"])
    add("/notifications/bulk", view_func=bulk, methods=["POST"])
    add(f"{ID}/read", view_func=read, methods=["PUT", "POST"])
    add(f"{ID}/read", view_func=unread, methods=["DELETE"])
    add(f"{ID}/unread", view_func=unread, methods=["POST"], endpoint="unread_by_form")
    add(ID, view_func=delete, methods=["DELETE"])
    add(f"{ID}/delete", view_func=delete, methods=["POST"], endpoint="delete_by_form")
    add(f"{ID}/restore", view_func=restore, methods=["POST"])


def read(notification_id: str) -> ResponseReturnValue:
    """Mark one read."""
    user_id = auth.require_owner()
    count = items.mark_read(user_id, [notification_id])
    return _one_changed(user_id, notification_id, count, read=True)


def unread(notification_id: str) -> ResponseReturnValue:
    """Mark one unread."""
    user_id = auth.require_owner()
    count = items.mark_unread(user_id, [notification_id])
    return _one_changed(user_id, notification_id, count, read=False)


def delete(notification_id: str) -> ResponseReturnValue:
    """Delete one; the answer offers to undo it."""
    user_id = auth.require_owner()
    item = inbox.get_many(user_id, [notification_id], deleted=True)[0]
    count = items.delete(user_id, [notification_id])
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationId=notification_id, deleted=True, unreadCount=count)
    if asked == "page":
        return _back_with("Notification deleted", [notification_id])
    return render_template("notiway/item/_deleted.html", item=item, unread=count)


def restore(notification_id: str) -> ResponseReturnValue:
    """Undo a deletion."""
    user_id = auth.require_owner()
    count = items.restore(user_id, [notification_id])
    return _one_changed(user_id, notification_id, count, deleted=False)


def read_all() -> ResponseReturnValue:
    """Mark all read that the filters of a list let in, up to and including the item `before` where it is given."""
    user_id = auth.require_owner()
    before = _field("before") or None
    if before is not None and not is_id(before):
        raise WrongInput("Nothing was changed", [Fault("before", "must be the id of a notification")])
    filters = Filters(**listing.filters({name: _field(name) for name in listing.NAMES}))
    ids: list[str] | None = None  # of what was marked, where that is not all
    if not filters.may_be_rare:
        count = items.mark_all_read(user_id, before)
    else:
        ids, count = items.mark_matching_read(user_id, filters, before)
    asked = reply.form()
    if asked == "json":
        return jsonify(read=True, before=before, unreadCount=count)
    if asked == "page":
        return _back_with("All marked as read" if ids is None else f"{len(ids)} marked as read", [])
    if ids is not None:  # a page shows the newest of what it marked; of the rest it hears as other devices do
        return render_template("notiway/frames/change.html", kind="read", ids=ids[:MAX_IDS], unread=count)
    return render_template("notiway/item/_read_all.html", before=before, unread=count)


def seen() -> ResponseReturnValue:
    """Note that items were shown; the unread count stays as it is."""
    user_id = auth.require_owner()
    ids = _ids()
    items.mark_seen(user_id, ids)
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationIds=ids, seen=True, unreadCount=inbox.arrive(user_id))
    return reply.back(url_for("notiway.history")) if asked == "page" else make_response("", 204)


def bulk() -> ResponseReturnValue:
    """One action for the selected items."""
    user_id = auth.require_owner()
    action = _field("action")
    if action not in BULK:
        raise WrongInput("Nothing was changed", [Fault("action", f"must be one of {', '.join(BULK)}")])
    ids = _ids()
    verb, done, state = BULK[action]
    count = verb(user_id, ids)
    message, undo_ids = f"{len(ids)} {done}", ids if action == "delete" else []
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationIds=ids, **state, unreadCount=count)
    if asked == "page":
        return _back_with(message, undo_ids)
    context = listing.context(user_id, listing.filters(request.form))
    return render_template("notiway/history/_bulk.html", **context, message=message, undo_ids=undo_ids, unread=count)


def take_notice() -> dict[str, Any]:
    """What the last form without JavaScript did, to be told once: message and undo_ids, or nothing."""
    notice: dict[str, Any] = session.pop(NOTICE_KEY, {})
    return notice


def _one_changed(user_id: str, notification_id: str, count: int, **state: bool) -> ResponseReturnValue:
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationId=notification_id, **state, unreadCount=count)
    if asked == "page":
        return reply.back(url_for("notiway.history"))
    kind = "restored" if "deleted" in state else "read" if state["read"] else "unread"
    item = inbox.get(user_id, notification_id)
    return render_template("notiway/item/_changed.html", item=item, kind=kind, unread=count)


def _back_with(message: str, undo_ids: list[str]) -> Response:
    session[NOTICE_KEY] = {"message": message, "undo_ids": undo_ids if len(undo_ids) <= MAX_NOTICE_IDS else []}
    return reply.back(url_for("notiway.history"))


def _field(name: str) -> str:
    given = body.read_object().get(name) if request.is_json else request.values.get(name)
    if given is not None and not isinstance(given, str):
        raise WrongInput("The request is not understood", [Fault(name, "must be text")])
    return given or ""


def _ids() -> list[str]:
    given = body.read_object().get("ids") if request.is_json else " ".join(request.values.getlist("ids")).split()
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        raise WrongInput("Nothing was changed", [Fault("ids", "must be a list of ids")])
    ids = list(dict.fromkeys(given))
    if not 0 < len(ids) <= MAX_IDS:
        raise WrongInput("Nothing was changed", [Fault("ids", f"must be 1 to {MAX_IDS:,} notifications")])
    return ids
