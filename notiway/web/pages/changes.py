"""Changes: read, unread, seen, deleted, restored, archived, snoozed; each for one item, for several, or for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from notiway.store import inbox
from notiway.store.changes.presses import Press
from notiway.store.search import grouping
from notiway.store.search.filters import Filters
from notiway.values.errors import Fault, WrongInput
from notiway.values.ids import is_id
from notiway.values.item import Item
from notiway.values.lists.filtering import NAMES
from notiway.verbs import items
from notiway.verbs.changes import presses
from notiway.web import auth, reply
from notiway.web.attention import views
from notiway.web.pages import fields, listing, undoing
from notiway.web.pages.actions import ACTIONS, BACK, LEAVING

MAX_NOTED = 1_000  # ids that a page is told to have been read; of the rest it hears as other devices do
ID = "/notifications/<notification_id>"
ALL = "/notifications/read-all"


def register(blueprint: Blueprint) -> None:
    """Add the routes; the fixed paths come first, so that `read-all` is never taken for an id."""
    add = blueprint.add_url_rule
    add(ALL, view_func=read_all, methods=["PUT", "POST"])
    add(ALL, view_func=undo_read_all, methods=["DELETE"])
    add(f"{ALL}/undo", view_func=undo_read_all, methods=["POST"], endpoint="undo_read_all_by_form")
    add("/notifications/seen", view_func=seen, methods=["POST"])
    add("/notifications/bulk", view_func=bulk, methods=["POST"])
    for name, action in ACTIONS.items():
        for number, (method, path) in enumerate(action.routes):
            endpoint = f"{name}_{number}" if number else name
            add(f"{ID}{path}", endpoint, change, methods=[method], defaults={"name": name})


def change(notification_id: str, name: str) -> ResponseReturnValue:
    """One action for one item."""
    return act(auth.require_owner(), name, [notification_id])


def act(user_id: str, name: str, ids: Sequence[str]) -> ResponseReturnValue:
    """One action for an item, or for those that one row stands for."""
    action = ACTIONS[name]
    before = inbox.get_many(user_id, ids, deleted=True)
    count = action.do(user_id, ids)
    is_one = len(ids) == 1
    asked = reply.form()
    if asked == "json":
        which = {"notificationId": ids[0]} if is_one else {"notificationIds": list(ids)}
        return jsonify(**which, **action.state(), unreadCount=count)
    can_be_undone = name in LEAVING or (name in BACK and before[0].place != "deleted")
    undo = undoing.way_back(before) if can_be_undone else None
    if asked == "page":
        words = f"Notification {action.done}" if is_one else f"{len(ids)} {action.done}"
        return reply.back(url_for("notiway.history")) if undo is None else undoing.back_with(words, undo)
    return _moved(user_id, name, before, count, undo, action.told if is_one else f"{len(ids)} {action.done}")


def bulk() -> ResponseReturnValue:
    """One action for the selected items."""
    user_id = auth.require_owner()
    name = fields.text("action")
    if name not in ACTIONS:
        raise WrongInput("Nothing was changed", [Fault("action", f"must be one of {', '.join(ACTIONS)}")])
    ids = fields.ids()
    action = ACTIONS[name]
    is_moving = name in LEAVING or name in BACK
    before = inbox.get_many(user_id, ids, deleted=True) if is_moving else []
    undo = undoing.way_back(before) if is_moving else None
    if name == "read":
        _, count, press = items.press_some(user_id, ids)
        undo = undoing.unread_again(press)
    else:
        count = action.do(user_id, ids)
    message = f"{len(ids)} {action.done}"
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationIds=ids, **action.state(), unreadCount=count)
    if asked == "page":
        return undoing.back_with(message, undo)
    if undoing.is_from_bar():
        return _moved(user_id, name, before, count, None, "")
    filters = listing.filters(request.form)
    context = listing.context(user_id, filters) | views.context(user_id, filters)
    bar = Markup(_bar(user_id, name, message, undo, ids))  # noqa: S704 - a rendered template, escaped there
    return render_template("notiway/history/_bulk.html", **context, unread=count, bar=bar)


def read_all() -> ResponseReturnValue:
    """Mark all read that the filters of a list let in, up to and including the item `before` where it is given."""
    user_id = auth.require_owner()
    before = fields.text("before") or None
    if before is not None and not is_id(before):
        raise WrongInput("Nothing was changed", [Fault("before", "must be the id of a notification")])
    filters = Filters(**listing.filters({name: fields.text(name) for name in NAMES}))
    is_everything = filters.state in ("all", "unread") and not filters.may_be_rare
    marked = items.press_all(user_id, before) if is_everything else items.mark_matching_read(user_id, filters, before)
    message = f"Marked {len(marked.ids):,} as read" if marked.ids else "Nothing was unread"
    undo = undoing.unread_again(marked.press)
    asked = reply.form()
    if asked == "json":
        press = None if marked.press is None else marked.press.as_text()
        return jsonify(read=True, before=before, marked=len(marked.ids), press=press, unreadCount=marked.unread)
    if asked == "page":
        return undoing.back_with(message, undo)
    told: dict[str, Any] = {"kind": "read_all", "ids": [], "before": before}
    if not is_everything:
        told = {"kind": "read", "ids": marked.ids[:MAX_NOTED], "before": None}
    frame = render_template("notiway/frames/change.html", **told, unread=marked.unread)
    return frame + undoing.bar(message, undo)


def undo_read_all() -> ResponseReturnValue:
    """Mark unread what one press of "mark all as read" read, and nothing else."""
    user_id = auth.require_owner()
    try:
        press = Press.from_text(fields.text("press"))
    except ValueError:
        fault = Fault("press", "must be what the answer to that press said")
        raise WrongInput("Nothing was changed", [fault]) from None
    marked, count = presses.undo(user_id, press)
    asked = reply.form()
    if asked == "json":
        return jsonify(read=False, marked=len(marked), unreadCount=count)
    if asked == "page":
        return undoing.back_with(f"{len(marked):,} marked as unread")
    return render_template(
        "notiway/frames/change.html", kind="unread", ids=marked[:MAX_NOTED], before=None, unread=count
    )


def seen() -> ResponseReturnValue:
    """Note that items were shown; the unread count stays as it is."""
    user_id = auth.require_owner()
    ids = fields.ids()
    items.mark_seen(user_id, ids)
    asked = reply.form()
    if asked == "json":
        return jsonify(notificationIds=ids, seen=True, unreadCount=inbox.arrive(user_id))
    return reply.back(url_for("notiway.history")) if asked == "page" else make_response("", 204)


def _moved(user_id: str, name: str, before: Sequence[Item], count: int, undo: undoing.Undo | None, message: str) -> str:
    """What changes on a page: rows that leave, rows that come, or one row as it is now."""
    ids = [item.id for item in before]
    bar = Markup(_bar(user_id, name, message, undo, ids))  # noqa: S704 - a rendered template, escaped there
    if name in LEAVING:
        place = ACTIONS[name].place
        return render_template("notiway/undo/_left.html", ids=ids, place=place, unread=count, bar=bar)
    now = inbox.among(user_id, ids)
    if name in BACK:
        return render_template("notiway/undo/_back.html", items=now, unread=count, bar=bar)
    if len(now) > 1:
        groups = grouping.groups(user_id, "all", now[:1])
        return render_template("notiway/group/_changed.html", items=now, groups=groups, kind=name, unread=count)
    return render_template("notiway/item/_changed.html", item=now[0], kind=name, unread=count)


def _bar(user_id: str, name: str, message: str, undo: undoing.Undo | None, ids: Sequence[str]) -> str:
    until = inbox.get(user_id, ids[0]) if name == "snooze" else None
    return undoing.bar(message, undo, until=until)
