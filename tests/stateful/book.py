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
    place: str = "inbox"  # or archived, snoozed, deleted
    until: float = 0.0  # of a snooze, in seconds
    press: int = 0  # which "mark all" read it; 0: none


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
        return {key: copy.is_read for key, copy in mine if copy.place == "inbox" and self.notes[key].stands(now)}

    def put_away(self, user: str, place: str, now: float) -> dict[str, bool]:
        """What is archived or snoozed, in the same way."""
        mine = self.inboxes[user].items()
        return {key: copy.is_read for key, copy in mine if copy.place == place and self.notes[key].stands(now)}

    def unread(self, user: str, now: float) -> int:
        return min(CAP, sum(not is_read for is_read in self.visible(user, now).values()))

    def change(self, action: str, user: str, key: str, now: float) -> bool:
        """Read, unread, delete, restore, archive, unarchive or unsnooze; whether that can be done."""
        copy = self.inboxes[user].get(key)
        if copy is None or not self.notes[key].stands(now):
            return False
        if copy.place == "deleted" and action in ("read", "unread", "unarchive", "unsnooze"):
            return False
        if action in ("read", "unread"):
            copy.is_read, copy.press = action == "read", 0
        else:
            copy.place = {"delete": "deleted", "archive": "archived"}.get(action, "inbox")
        return True

    def snooze(self, user: str, key: str, until: float, now: float) -> bool:
        copy = self.inboxes[user].get(key)
        if copy is None or not self.notes[key].stands(now):
            return False
        copy.place, copy.until = "snoozed", until
        return True

    def wake(self, now: float) -> list[tuple[str, str]]:
        """What is due is back unread, whether it stands or not: whose, and which."""
        woken = []
        for user, inbox in self.inboxes.items():
            for key, copy in inbox.items():
                if copy.place == "snoozed" and copy.until <= now:
                    copy.place, copy.is_read, copy.press = "inbox", False, 0
                    woken.append((user, key))
        return woken

    def mark_all(self, user: str, before: str | None, press: int, now: float) -> bool:
        """Whether any was marked that stands."""
        marked = False
        for key, copy in self.inboxes[user].items():
            if copy.place == "inbox" and not copy.is_read and (before is None or key <= before):
                copy.is_read, copy.press = True, press
                marked = marked or self.notes[key].stands(now)
        return marked

    def mark_some(self, user: str, keys: list[str], press: int) -> None:
        """Several at once are a press too: what was read before is none of it."""
        for key in keys:
            copy = self.inboxes[user][key]
            if not copy.is_read:
                copy.is_read, copy.press = True, press

    def undo_mark_all(self, user: str, press: int) -> None:
        for copy in self.inboxes[user].values():
            if copy.press == press:
                copy.is_read, copy.press = False, 0
