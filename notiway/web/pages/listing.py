"""Listing: which items the history shows, as the filters in a request say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notiway.store import inbox
from notiway.store.attention import settings
from notiway.store.search import grouping
from notiway.store.search.grouping import Group
from notiway.values.clock import moment, now_ms
from notiway.values.errors import Fault, WrongInput
from notiway.values.ids import is_id
from notiway.values.item import Item
from notiway.values.lists.days import Days, by_day
from notiway.values.lists.filtering import NAMES, filter_faults
from notiway.web import reply


def filters(given: Mapping[str, str]) -> dict[str, Any]:
    """The filters of a query or a form; `WrongInput` names every one that is not understood.

    >>> filters({"state": "unread", "type": ""})
    {'state': 'unread', 'type': None, 'source': None, 'priority': None, 'text': None}
    """
    values = {name: given.get(name, "").strip() for name in NAMES}
    if faults := filter_faults(values):
        raise WrongInput("These filters are not understood", faults)
    return {name: value or None for name, value in values.items()} | {"state": values["state"] or "all"}


def cursor(given: Mapping[str, str]) -> str | None:
    """The id that the list goes on below; None for its beginning."""
    before = given.get("before") or None
    if before and not is_id(before):
        raise WrongInput("This is not a position in the list", [Fault("before", "must be the id of a notification")])
    return before


def is_grouped(chosen: Mapping[str, Any]) -> bool:
    """Whether a list shows each group as one row; what is searched for is shown one by one."""
    return chosen["state"] in grouping.STATES and not any(chosen.get(name) for name in NAMES if name != "state")


def days(user_id: str, items: Sequence[Item], state: str) -> Days:
    """The rows below the headings of their days, so that nothing moves when scripts come to it (page/days.js).

    They are right where the server does not know the reader's time zone. What is snoozed says when it comes back.
    """
    if not items or state == "snoozed":
        return [("", list(items))]
    return by_day(items, settings.read(user_id)[0].clock, now_ms())


def context(user_id: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What `notiway/history/_rows.html` needs; with `views.context`, what `notiway/history/_results.html` does."""
    groups: dict[str, Group] = {}
    if grouped := is_grouped(chosen):
        page, groups = grouping.page(user_id, chosen["state"], before=chosen.get("before"))
    else:
        page = inbox.feed(user_id, **chosen)
    return {
        "items": page.items,
        "days": days(user_id, page.items, chosen["state"]),
        "groups": groups,
        "is_grouped": grouped,
        "next_cursor": page.next_cursor,
        "searched_to": None if page.searched_to is None else moment(page.searched_to),
        "filters": dict(chosen),
        "csrf_token": reply.csrf_token(),
    }
