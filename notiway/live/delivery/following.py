"""Following: what an Event changes in the register, once its listeners have heard it."""

from __future__ import annotations

import logging

from notiway.live.connection import Connection
from notiway.live.delivery.listeners import Listeners
from notiway.live.session_news import SessionNews
from notiway.values.event import Event

Newcomer = tuple[Connection, Event]

log = logging.getLogger(__name__)


def follow(events: list[Event], heard: list[Connection], listeners: Listeners, news: SessionNews) -> list[Newcomer]:
    """Close, prolong and subscribe those who heard these events; a fault in one harms no other.

    Returns who is held since it has just joined an audience, and with which Event.
    """
    newcomers: list[Newcomer] = []
    for event in events:
        try:
            newcomers += _follow(event, heard, listeners, news)
        except Exception:
            log.exception("what follows %s for %s was not done; the next events go on", event.kind, event.audience)
    return newcomers


def _follow(event: Event, heard: list[Connection], listeners: Listeners, news: SessionNews) -> list[Newcomer]:
    if event.kind == "kick":
        news.kick(heard, event)
    elif event.kind == "renewed":
        news.renew(heard, event)
    elif event.kind == "joined":
        return listeners.admit(heard, event)
    elif event.kind == "left":
        for connection in heard:
            listeners.remove(connection, event.data["audience"])
    return []
