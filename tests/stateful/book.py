"""Book: what should be in every inbox, kept by rules that have nothing of Notiway's code."""

from __future__ import annotations

from dataclasses import dataclass, field

CAP = 100  # the badge counts no further


@dataclass
class Note:
    """A stored notification. `users` for whom it is, or an audience that is pulled from; `expires_at` in seconds."""

    id: str
    audience: str
    users: tuple[str, ...]
    expires_at: float | None
    is_recalled: bool = False

    def stands(self, now: float) -> bool:
        return not self.is_recalled and (self.expires_at is None or self.expires_at > now)


@dataclass
class Copy:
    is_read: bool = False
    is_deleted: bool = False


@dataclass
class Book:
    """Notes, who has which of them, and who belongs where."""

    users: tuple[str, ...]
    notes: dict[str, Note] = field(default_factory=dict)
    inboxes: dict[str, dict[str, Copy]] = field(default_factory=dict)
    memberships: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inboxes = {user: {} for user in self.users}
        self.memberships = {user: set() for user in self.users}

    def hears(self, user: str) -> set[str]:
        return {"global", f"user:{user}", *self.memberships[user]}

    def sent(self, note: Note) -> None:
        self.notes[note.id] = note
        for user in note.users:
            self.inboxes[user][note.id] = Copy()

    def looked(self, user: str, now: float) -> None:
        """A user who looks finds all broadcasts that stand."""
        for note in self.notes.values():
            if not note.users and note.audience in self.hears(user) and note.stands(now):
                self.inboxes[user].setdefault(note.id, Copy())

    def visible(self, user: str, now: float) -> dict[str, bool]:
        """What the user sees: by id, whether it is read."""
        mine = self.inboxes[user].items()
        return {key: copy.is_read for key, copy in mine if not copy.is_deleted and self.notes[key].stands(now)}

    def unread(self, user: str, now: float) -> int:
        return min(CAP, sum(not is_read for is_read in self.visible(user, now).values()))

    def change(self, action: str, user: str, key: str, now: float) -> bool:
        """Read, unread, delete or restore; whether that can be done."""
        copy = self.inboxes[user].get(key)
        if copy is None or not self.notes[key].stands(now):
            return False
        if copy.is_deleted and action in ("read", "unread"):
            return False
        if action in ("read", "unread"):
            copy.is_read = action == "read"
        else:
            copy.is_deleted = action == "delete"
        return True

    def mark_all(self, user: str, before: str | None) -> None:
        for key, copy in self.inboxes[user].items():
            if not copy.is_deleted and (before is None or key <= before):
                copy.is_read = True
