"""Mutants: faults put into the code by hand, to see that the machine finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from notiway.live.hub import Hub
from notiway.live.wires.html import HtmlWire
from notiway.store import inbox
from notiway.values.event import Event
from notiway.verbs import items, recall


def mark_all_forgets_the_page(patch: pytest.MonkeyPatch) -> None:
    render = HtmlWire.render
    patch.setattr(HtmlWire, "render", lambda wire, event: None if event.kind == "read_all" else render(wire, event))


def mark_all_tells_of_all_but_one(patch: pytest.MonkeyPatch) -> None:
    listed = items.listed
    patch.setattr(items, "listed", lambda names: listed(names[:-1]))


def restore_does_not_restore(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(inbox, "restore", lambda user_id, ids: inbox.get_many(user_id, ids, deleted=True))


def restore_tells_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(items, "tell_restored", lambda *_: None)


def recall_leaves_the_badge(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Event, "leaves_counts_open", property(lambda event: event.kind == "created" and _is_open(event)))
    patch.setattr(recall, "unread_counts", lambda users: {})


def a_resume_forgets_the_oldest(patch: pytest.MonkeyPatch) -> None:
    release = Hub.release
    patch.setattr(Hub, "release", lambda hub, one, first, *more: release(hub, one, [*first[:1], *first[2:]], *more))


def _is_open(event: Event) -> bool:
    return "unread" not in event.data and bool(event.data["notification"]["persisted"])


MUTANTS: list[Callable[[Any], None]] = [
    mark_all_forgets_the_page,
    a_resume_forgets_the_oldest,
]
FOUND_LATE: list[Callable[[Any], None]] = [  # a minute or two each: the long profile runs them
    mark_all_tells_of_all_but_one,
    recall_leaves_the_badge,
    restore_does_not_restore,
    restore_tells_nobody,
]
