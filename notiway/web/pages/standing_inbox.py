"""The standing inbox: the newest notifications as a part of a page, and the same list as the dropdown fetches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup

from notiway.live.runtime import current
from notiway.store import inbox
from notiway.values.item import Item


def context(items: Sequence[Item], state: str, csrf_token: str | None) -> dict[str, Any]:
    """What `notiway/panel/_list.html` needs."""
    return {
        "items": items,
        "state": state,
        "recent_limit": current().config.recent_limit,
        "csrf_token": csrf_token,
    }


def draw(user_id: str) -> Markup:
    """The inbox with what is newest."""
    return _draw(inbox.feed(user_id, limit=current().config.recent_limit).items)


def draw_empty() -> Markup:
    """The same without rows, for when the database is away; the page fetches them when it is back."""
    return _draw([])


def _draw(items: Sequence[Item]) -> Markup:
    return Markup(  # noqa: S704 - a rendered template, escaped there
        render_template(
            "notiway/panel/_inbox.html",
            newest_id=items[0].id if items else "",
            **context(items, "all", generate_csrf()),
        )
    )
