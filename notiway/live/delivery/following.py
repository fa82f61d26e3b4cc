"""Following: what an Event changes in the register, once its listeners have heard it."""

from __future__ import annotations

import logging

from notiway.live.connection import Connection
from notiway.live.delivery.listeners import Listeners, Moved
from notiway.live.session_news import SessionNews
from notiway.values.event import Event

log = logging.getLogger(__name__)


def follow(events: list[Event], heard: list[Connection], listeners: Listeners, news: SessionNews) -> list[Moved]:
    """Close, prolong and subscribe those who heard these events; a fault in one harms no other.

    Returns who has just joined an audience, and is held, and who has left one, and with which Event.
    """
    moved: list[Moved] = []
    for event in events:
        try:
            moved += _follow(event, heard, listeners, news)
        except Exception:
            log.exception("what follows %s for %s was not done; the next events go on", event.kind, event.audience)
    return moved


def _follow(event: Event, heard: list[Connection], listeners: Listeners, news: SessionNews) -> list[Moved]:
    if event.kind == "kick":
        news.kick(heard, event)
    elif event.kind == "renewed":
        news.renew(heard, event)
    elif event.kind == "joined":
        return listeners.admit(heard, event)
    elif event.kind == "left":
        return listeners.dismiss(heard, event)
    return []
