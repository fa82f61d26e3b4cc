"""Wires: pure renderers from Event to text, one module for each format."""

from __future__ import annotations

from typing import Protocol

from notiway.values.event import Event


class Wire(Protocol):
    """A pure renderer from Event to text; None where this wire has nothing to say."""

    name: str
    counts: bool  # whether its clients are told how many are unread
    redraws: bool  # whether what it draws may look different the next time

    def render(self, event: Event) -> str | None: ...
    def connected(self, connection_id: str, unread: int) -> str | None: ...
    def heartbeat(self, unread: int) -> str | None: ...
    def error(self, code: str, message: str) -> str | None: ...
    def incomplete(self, audience: str, missing: int) -> str | None: ...
