"""Saved searches: tabs above the history. JSON clients change them with the other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue

from notiway.live import runtime
from notiway.store.attention import settings as stored
from notiway.values.lists.filtering import NAMES, narrowing
from notiway.values.lists.views import MOST_VIEWS
from notiway.verbs.attention import settings
from notiway.web import auth


@dataclass(frozen=True, slots=True)
class View:
    """One tab: where it leads, and whether that is the list which is shown."""

    name: str
    url: str
    is_current: bool


def register(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/notifications/views", "views", change, methods=["POST"])


def context(user_id: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What `notiway/history/_views.html` needs, for a list that is narrowed to this."""
    now = narrowing(chosen)
    saved = stored.read(user_id)[0].views
    views = [View(name, _url(filters), filters == now) for name, filters in saved.items()]
    can_save = bool(now) and len(views) < MOST_VIEWS and not any(view.is_current for view in views)
    return {"views": views, "can_save_view": can_save}


def change() -> ResponseReturnValue:
    """Save the filters of a form under a name, or remove (`do=remove`) what has it; then the list as it is."""
    user_id = auth.require_owner()
    filters = {name: request.form.get(name, "").strip() for name in NAMES}
    wanted = None if request.form.get("do") == "remove" else filters
    settings.change(user_id, {"views": {request.form.get("name", "").strip(): wanted}})
    return redirect(_url(narrowing(filters)), 303)


def _url(filters: Mapping[str, str]) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return runtime.current().url(f"/notifications{query}")
