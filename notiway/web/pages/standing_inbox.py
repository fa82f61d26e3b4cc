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

Groups = Mapping[str, Group]


def newest(user_id: str, state: str) -> tuple[Page, Groups]:
    """The newest rows of the list, as many as it shows, and the groups among them."""
    limit = current().config.recent_limit
    if state in grouping.STATES:
        return grouping.page(user_id, state, limit=limit)
    return inbox.feed(user_id, state=state, limit=limit), {}


def context(items: Sequence[Item], groups: Groups, state: str, csrf_token: str | None) -> dict[str, Any]:
    """What `notiway/panel/_list.html` needs."""
    return {
        "items": items,
        "groups": groups,
        "state": state,
        "recent_limit": current().config.recent_limit,
        "csrf_token": csrf_token,
    }


def draw(user_id: str) -> Markup:
    """The inbox with what is newest."""
    page, groups = newest(user_id, "all")
    return _draw(page.items, groups)


def draw_empty() -> Markup:
    """The same without rows, for when the database is away; the page fetches them when it is back."""
    return _draw([], {})


def _draw(items: Sequence[Item], groups: Groups) -> Markup:
    return Markup(  # noqa: S704 - a rendered template, escaped there
        render_template(
            "notiway/panel/_inbox.html",
            newest_id=items[0].id if items else "",
            **context(items, groups, "all", generate_csrf()),
        )
    )
