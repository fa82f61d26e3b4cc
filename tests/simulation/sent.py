"""Sent: what the world knows of each notification that it sent, known by its title."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Sent:
    """`audience` is a key, or `users` for several; times are microseconds of the virtual clock."""

    title: str
    audience: str
    users: frozenset[str]  # who was named, empty for a broadcast
    sent_at: int
    at_ms: int
    id: str = ""
    public_id: str = ""
    breaks: frozenset[str] = frozenset()  # wires that cannot show it
    replaces: bool = False
    is_kept: bool = True
    is_undone: bool = False
    was_restored: bool = False
    was_doubled: bool = False
    ends_ms: int | None = None
    places: dict[tuple[int, str], int] = field(default_factory=dict)  # by slot and audience: when it was delivered

    @property
    def is_broadcast(self) -> bool:
        return not self.users

    def audience_for(self, user: str) -> str:
        """The audience as this user's clients are told it."""
        return f"user:{user}" if self.audience == "users" else self.audience
