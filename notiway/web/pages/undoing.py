"""Undoing: what a change is told with, and the form that takes it back: in a bar, or a notice on the next page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import Response, render_template, request, session, url_for

from notiway.store.changes.presses import Press
from notiway.values.clock import now_ms
from notiway.values.item import Item
from notiway.web import reply

NOTICE_KEY = "notiway_notice"
MAX_NOTICE_IDS = 40  # kept in the session cookie, which browsers cut at 4 KiB
BULK, PRESSES = "/notifications/bulk", "/notifications/read-all/undo"


class Undo(NamedTuple):
    """A form: where it is sent, and its fields beside `ids`."""

    path: str
    fields: dict[str, str]
    ids: Sequence[str] = ()


def way_back(before: Sequence[Item]) -> Undo:
    """What puts items back to where they were before a change.

    Those that were in several places, or snoozed until several moments, go to the inbox.
    """
    ids = [item.id for item in before]
    places = {(item.place, item.snoozed_until) for item in before}
    place, until = places.pop() if len(places) == 1 else ("inbox", None)
    if place == "snoozed" and until is not None and until > now_ms():
        return Undo(BULK, {"action": "snooze", "until": str(until)}, ids)
    return Undo(BULK, {"action": "archive" if place == "archived" else "restore"}, ids)


def unread_again(press: Press | None) -> Undo | None:
    """What marks unread what a press of "mark all as read" read; None if that was nothing."""
    return None if press is None else Undo(PRESSES, {"press": press.as_text()})


def is_from_bar() -> bool:
    """Whether this request is an Undo: it offers none itself, and its page keeps its list."""
    return request.form.get("bar") == "1"


def bar(message: str, undo: Undo | None, *, until: Item | None = None) -> str:
    """The bar for a page with scripts; empty where nothing was said or the bar itself has asked."""
    if is_from_bar() or not message:
        return ""
    return render_template("notiway/undo/_bar.html", message=message, undo=undo, until=until)


def back_with(message: str, undo: Undo | None = None) -> Response:
    """Back to the page, which tells it once."""
    if undo is not None and len(undo.ids) > MAX_NOTICE_IDS:
        undo = None
    kept = None if undo is None else [undo.path, undo.fields, list(undo.ids)]
    session[NOTICE_KEY] = {"message": message, "undo": kept}
    return reply.back(url_for("notiway.history"))


def take_notice() -> dict[str, Any]:
    """What the last form without JavaScript did, to be told once: message and undo, or nothing."""
    notice: dict[str, Any] = session.pop(NOTICE_KEY, {})
    return notice | {"undo": Undo(*notice["undo"])} if notice.get("undo") else notice
