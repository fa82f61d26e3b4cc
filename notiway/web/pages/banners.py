"""Banners: the announcements that stand, on every page."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, current_app, jsonify, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from notiway.live.runtime import current
from notiway.live.wires import own
from notiway.live.wires.json import notification_list
from notiway.store import inbox
from notiway.store.log import standing
from notiway.values.clock import now_ms
from notiway.values.item import Item
from notiway.web import auth, reply


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/notifications/announcements", "announcements", view_func=show)


def show() -> ResponseReturnValue:
    """What stands now: for pages that were away for a while."""
    user_id = auth.require_owner()
    if reply.form() != "json":
        return draw(user_id, floating=False)
    inbox.catch_up(user_id)
    return jsonify(notifications=notification_list(item.as_dict() for item in _standing(user_id)))


def draw(user_id: str, *, floating: bool) -> Markup:
    """The banners that stand for this user, with their container."""
    inbox.catch_up(user_id)
    return draw_items(_standing(user_id), floating=floating)


def draw_items(items: Sequence[Item], *, floating: bool) -> Markup:
    """These banners with their container; it stands empty too, for those that come while the page is open."""
    return Markup(  # noqa: S704 - a rendered template, escaped there
        render_template(
            "notiway/banner/_banners.html",
            items=items,
            csrf_token=reply.csrf_token(),
            now=now_ms(),
            floating=floating,
        )
    )


def _standing(user_id: str) -> list[Item]:
    kinds, env = current().kinds, current_app.jinja_env
    return standing.announcements(user_id, [each.name for each in kinds.all() if own.has(env, own.BANNERS, each.name)])
