"""Pages: the history, the dropdown's list, and the link that reads. `register` adds these and their changes."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from notiway import signals
from notiway.live import runtime
from notiway.live.wires.json import notification_list
from notiway.store import inbox
from notiway.store.search import finding, grouping
from notiway.values.clock import iso
from notiway.values.draft import is_safe_url
from notiway.values.ids import id_after
from notiway.values.item import Item
from notiway.verbs.items import mark_read
from notiway.web import auth, body, reply
from notiway.web.attention import page as attention
from notiway.web.attention import views
from notiway.web.pages import banners, changes, fields, groups, listing, news, pressing, standing_inbox, tasks, undoing


def register(blueprint: Blueprint) -> None:
    """Add every notification route of CONTRACT §2 to a blueprint that holds nothing else but static files."""
    blueprint.before_request(guard)
    reply.register(blueprint)
    blueprint.add_url_rule("/notifications", "history", history)
    blueprint.add_url_rule("/notifications/recent", "recent", recent)
    blueprint.add_url_rule("/notifications/matching", "matching", matching)
    blueprint.add_url_rule("/n/<notification_id>", "follow", follow)
    groups.register(blueprint)
    changes.register(blueprint)
    banners.register(blueprint)
    tasks.register(blueprint)
    pressing.register(blueprint)
    news.register(blueprint)
    attention.register(blueprint)


def guard() -> None:
    """Let only signed-in users and bearers of client tokens pass; with a session, unsafe requests need its token."""
    if (request.endpoint or "").endswith(".static") or request.method == "OPTIONS":
        return
    if auth.bearer() is None:
        guard_session()
        return
    user_id = auth.require_owner()
    if request.method not in reply.SAFE_METHODS:
        auth.take_turn(user_id)
        body.take()


def guard_session() -> None:
    """Let only signed-in users pass, and unsafe requests only with the session's token."""
    user_id = auth.require_user()
    if request.method not in reply.SAFE_METHODS:
        auth.take_turn(user_id)
        body.take()
        auth.check_csrf()


def history() -> ResponseReturnValue:
    """The history page; with `before`, the next part of its list."""
    user_id = auth.require_owner()
    filters = listing.filters(request.args) | {"before": listing.cursor(request.args)}
    asked = reply.form()
    if asked == "json":
        page = inbox.feed(user_id, **filters)
        searched_to = None if page.searched_to is None else iso(page.searched_to)
        return _list(page, inbox.unread_count(user_id), searchedTo=searched_to)
    context = listing.context(user_id, filters)
    if asked == "fragment" and filters["before"]:
        return render_template("notiway/history/_rows.html", **context)
    context |= views.context(user_id, filters)
    if asked == "fragment":
        return render_template("notiway/history/_results.html", **context)
    return render_template(
        "notiway/history/page.html",
        **context,
        **undoing.take_notice(),
        sources=finding.sources(user_id),
        categories=runtime.current().kinds.categories(),
        unread=inbox.unread_count(user_id),
        notiway_base=runtime.current().config.base_template,
    )


def recent() -> ResponseReturnValue:
    """The newest items, for the dropdown; those that the filters let in."""
    user_id = auth.require_owner()
    asked = reply.form()
    if asked == "page":
        return redirect(url_for("notiway.history"))
    filters = listing.filters(request.args)
    if asked == "json":
        page = inbox.feed(user_id, **filters, limit=runtime.current().config.recent_limit)
        return _list(page, inbox.unread_count(user_id))
    page, grouped = standing_inbox.newest(user_id, filters)
    unread = inbox.unread_count(user_id)
    return render_template(
        "notiway/panel/_recent.html",
        unread=unread,
        **standing_inbox.context(user_id, page.items, grouped, filters, reply.csrf_token()),
    )


def matching() -> ResponseReturnValue:
    """The ids of all that the filters let in, as many as may be changed at once: to select what no page shows."""
    user_id = auth.require_owner()
    asked = reply.form()
    if asked == "page":
        return redirect(url_for("notiway.history"))
    page = inbox.feed(user_id, **listing.filters(request.args), limit=fields.MAX_IDS)
    ids, is_part = [item.id for item in page.items], page.next_cursor is not None
    if asked == "json":
        return jsonify(notificationIds=ids, isPart=is_part)
    return render_template("notiway/history/_matching.html", ids=ids, is_part=is_part)


def follow(notification_id: str) -> ResponseReturnValue:
    """Mark read, then go where the notification points, or to its place in the history."""
    user_id = auth.require_owner()
    item = inbox.get(user_id, notification_id)
    if not _only_looking():
        mark_read(user_id, [item.id])
    # Only checked addresses are stored; a row written by other hands must not become a redirect elsewhere.
    target = item.action_url if item.action_url and is_safe_url(item.action_url) else _place_of(user_id, item)
    if not _only_looking():
        signals.tell(signals.clicked, user_id=user_id, id=item.id, url=target)
    response: Response = make_response(redirect(target))
    if reply.form() == "fragment":
        response = make_response("", 204)
        response.headers["HX-Redirect"] = target
    return response


def _place_of(user_id: str, item: Item) -> str:
    """Where it is shown: on the first page of the history, among the members of its group, or on a page of its own."""
    anchor = f"n-{item.id}"
    if any(each.id == item.id for each in grouping.heads(user_id, "all").items):
        return url_for("notiway.history", _anchor=anchor)
    if item.group_key is not None and grouping.group(user_id, item.group_key, "all").count > 1:
        return url_for("notiway.group_members", key=item.group_key, before=id_after(item.id), _anchor=anchor)
    return url_for("notiway.history", before=id_after(item.id), _anchor=anchor)


def _only_looking() -> bool:
    """A browser that fetches ahead, or a HEAD, has shown nothing to anybody."""
    return request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", "")


def _list(page: inbox.Page, unread: int, **more: str | None) -> Response:
    return jsonify(
        notifications=notification_list(item.as_dict() for item in page.items),
        unreadCount=unread,
        nextCursor=page.next_cursor,
        **more,
    )
