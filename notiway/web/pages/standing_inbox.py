"""The standing inbox: the newest notifications as a part of a page, and the same list as the dropdown fetches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import render_template
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from notiway.live.runtime import current
from notiway.store import inbox
from notiway.store.inbox import Page
from notiway.store.search import grouping
from notiway.store.search.grouping import Group
from notiway.values.item import Item
from notiway.web.pages import listing

Groups = Mapping[str, Group]
ALL = {"state": "all"}


def newest(user_id: str, filters: Mapping[str, Any]) -> tuple[Page, Groups]:
    """The newest rows that the filters let in, as many as the list shows, and the groups among them."""
    limit = current().config.recent_limit
    if listing.is_grouped(filters):
        return grouping.page(user_id, filters["state"], limit=limit)
    return inbox.feed(user_id, **filters, limit=limit), {}


def context(
    user_id: str, items: Sequence[Item], groups: Groups, filters: Mapping[str, Any], csrf_token: str | None
) -> dict[str, Any]:
    """What `notiway/panel/_list.html` needs."""
    return {
        "items": items,
        "days": listing.days(user_id, items, filters["state"]),
        "groups": groups,
        "filters": filters,
        "is_grouped": listing.is_grouped(filters),
        "recent_limit": current().config.recent_limit,
        "csrf_token": csrf_token,
    }


def draw(user_id: str) -> Markup:
    """The inbox with what is newest."""
    page, groups = newest(user_id, ALL)
    return _draw(user_id, page.items, groups)


def draw_empty() -> Markup:
    """The same without rows, for when the database is away; the page fetches them when it is back."""
    return _draw("", [], {})


def _draw(user_id: str, items: Sequence[Item], groups: Groups) -> Markup:
    return Markup(  # noqa: S704 - a rendered template, escaped there
        render_template(
            "notiway/panel/_inbox.html",
            newest_id=items[0].id if items else "",
            **context(user_id, items, groups, ALL, generate_csrf()),
        )
    )
