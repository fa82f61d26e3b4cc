"""Groups: the row that stands for several notifications, and its members, one by one."""

from __future__ import annotations

from flask import Blueprint, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from notiway.live import runtime
from notiway.live.wires.json import notification_list
from notiway.store import inbox
from notiway.store.search import grouping
from notiway.values.draft import LABEL_LIMIT
from notiway.values.errors import Fault, WrongInput
from notiway.values.ids import id_after
from notiway.web import auth, reply
from notiway.web.pages import changes, listing
from notiway.web.pages.actions import ACTIONS, BACK
from notiway.web.pages.fields import MAX_IDS

PATH = "/notifications/groups"
AT_ONCE = 50  # members in one answer


def register(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule(PATH, "group_members", members)
    blueprint.add_url_rule(f"{PATH}/row", "group_row", row)
    for name, action in ACTIONS.items():
        for number, (method, path) in enumerate(action.routes if name not in BACK else ()):
            rule, endpoint = f"{PATH}/<notification_id>{path}", f"group_{name}_{number}"
            blueprint.add_url_rule(rule, endpoint, change, methods=[method], defaults={"name": name})


def members() -> ResponseReturnValue:
    """The members of the group `key`, the newest first; below `before`, where that is given."""
    user_id = auth.require_owner()
    key = _key()
    items = grouping.members(user_id, key, before=listing.cursor(request.args), limit=AT_ONCE + 1)
    more = items[AT_ONCE - 1].id if len(items) > AT_ONCE else None
    items = items[:AT_ONCE]
    asked = reply.form()
    if asked == "json":
        shown = notification_list(item.as_dict() for item in items)
        return jsonify(notifications=shown, unreadCount=inbox.unread_count(user_id), nextCursor=more)
    context = {"items": items, "key": key, "next_cursor": more, "csrf_token": reply.csrf_token()}
    if asked == "fragment":
        return render_template("notiway/group/_rows.html", **context)
    base = runtime.current().config.base_template
    return render_template("notiway/group/page.html", **context, notiway_base=base)


def row() -> ResponseReturnValue:
    """The row of a list that stands for the group `key` now; of the unread, with `state`. Nothing if none is left."""
    user_id = auth.require_owner()
    key, state = _key(), listing.filters(request.args)["state"]
    if state not in grouping.STATES:
        fault = Fault("state", f"must be one of {', '.join(grouping.STATES)}")
        raise WrongInput("These filters are not understood", [fault])
    items = grouping.members(user_id, key, state, limit=1)
    return render_template("notiway/group/_row.html", items=items, groups=grouping.groups(user_id, state, items))


def change(notification_id: str, name: str) -> ResponseReturnValue:
    """One action for a group, as a row shows it: the item that it stands at, and the members below that.

    Of more than 1,000 these are the newest.
    """
    user_id = auth.require_owner()
    head = inbox.get(user_id, notification_id)
    if head.group_key is None:
        return changes.act(user_id, name, [head.id])
    state = "unread" if name == "read" else "all"
    ids = grouping.ids(user_id, head.group_key, state, below=id_after(head.id), limit=MAX_IDS)
    return changes.act(user_id, name, ids or [head.id])


def _key() -> str:
    key = request.args.get("key", "")
    if not 0 < len(key) <= LABEL_LIMIT or "\0" in key:
        fault = Fault("key", f"must be the key of a group: 1 to {LABEL_LIMIT} characters")
        raise WrongInput("This is no group", [fault])
    return key
