"""Accounts: the users of this repository's own host application. Other hosts bring their own."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import uuid_utils

from notiway.host.tables import Session, User
from notiway.store.database import db
from notiway.store.sql import in_batches, marks, run
from notiway.values.people import Person

DEMO_EMAIL = "demo@example.com"
STAFF_EMAIL = "staff@example.com"
DEMO_PASSWORD = "notiway"  # noqa: S105 - published on purpose; made on an empty database only

FIND = "SELECT id, email, name, is_staff, timezone FROM notiway_user WHERE id = ? AND is_active"

# Without those who are locked out; a membership may outlive its user.
COUNT_MEMBERS = (
    "SELECT COUNT(*) FROM notiway_membership m LEFT JOIN notiway_user u ON u.id = m.user_id"
    " WHERE m.audience = ? AND (u.id IS NULL OR u.is_active)"
)


@dataclass(frozen=True, slots=True)
class Account:
    """One user as flask-login and the templates see it; holds no password."""

    id: str
    email: str
    name: str
    is_staff: bool
    timezone: str
    is_active: bool = True
    is_authenticated: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        return self.id


def normal_email(text: str) -> str:
    """One spelling for one address: `" Demo@Example.COM "` and `"demo@example.com"` are the same user."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def add(email: str, name: str, password_hash: str, *, is_staff: bool = False) -> Account:
    """Store a new user; raises `peewee.IntegrityError` when the address is taken."""
    user = User.create(
        id=str(uuid_utils.uuid7()),
        email=normal_email(email),
        name=name,
        password_hash=password_hash,
        is_staff=is_staff,
    )
    return _account(user)


def find(user_id: str) -> Account | None:
    """The active user of that id."""
    row = run(FIND, (user_id,)).fetchone()
    return None if row is None else of_row(row)


def of_row(row: Sequence[Any]) -> Account:
    """The account of an active user: id, email, name, is_staff, timezone."""
    user_id, email, name, is_staff, timezone = row
    return Account(user_id, email, name or email, bool(is_staff), timezone)


def find_with_hash(email: str) -> tuple[Account, str] | None:
    """The active user of that address, and the stored password hash."""
    if "\0" in email:  # nobody's, and PostgreSQL takes none in a query
        return None
    user = User.get_or_none((User.email == normal_email(email)) & (User.is_active == True))  # noqa: E712
    return (_account(user), user.password_hash) if user else None


def find_named(id_or_email: str) -> Account | None:
    """The user of that id or e-mail address, deactivated or not."""
    if "\0" in id_or_email:
        return None
    user = User.get_or_none((User.id == id_or_email) | (User.email == normal_email(id_or_email)))
    return _account(user) if user else None


def everybody() -> Iterator[Account]:
    """Every user, deactivated ones too, oldest first."""
    for user in User.select().order_by(User.created_at, User.id).iterator():
        yield _account(user)


def keep_hash(user_id: str, password_hash: str) -> None:
    """Replace the stored password hash."""
    User.update(password_hash=password_hash).where(User.id == user_id).execute()


def deactivate(user_id: str) -> bool:
    """Lock the user out, of every session; False when there is none of that id. The caller publishes the kick."""
    with db.atomic():
        Session.delete().where(Session.user_id == user_id).execute()
        return _set(user_id, is_active=False)


def activate(user_id: str) -> bool:
    """Let a user in again, who must sign in anew; False when there is none of that id."""
    return _set(user_id, is_active=True)


def set_staff(user_id: str, is_staff: bool) -> bool:
    """Let a user send to others, or no more; False when there is none of that id."""
    return _set(user_id, is_staff=is_staff)


def is_active(user_id: str) -> bool | None:
    """Whether the user may come in; None when there is none of that id."""
    row = run("SELECT is_active FROM notiway_user WHERE id = ?", (user_id,)).fetchone()
    return None if row is None else bool(row[0])


def _set(user_id: str, **changes: bool) -> bool:
    return bool(User.update(**changes).where(User.id == user_id).execute())


def unknown_users(user_ids: Iterable[str]) -> set[str]:
    """The ids among these that belong to no user, active or deactivated."""
    missing = set(user_ids)
    wanted = list(missing)  # not sorted: of a hundred thousand that would stop everybody else for a while
    for part in in_batches(wanted):
        rows = run(f"SELECT id FROM notiway_user WHERE id IN ({marks(part)})", part)  # noqa: S608 - placeholders only
        missing -= {row[0] for row in rows.fetchall()}
    return missing


class HostPeople:
    """The users as staff look for them: see `notiway.values.people.People`."""

    def search(self, text: str, limit: int) -> list[Person]:
        fits = User.email.contains(text) | User.name.contains(text) | (User.id == text)
        users = User.select().where((User.is_active == True) & fits)  # noqa: E712
        return [_person(user) for user in users.order_by(User.name, User.id).limit(limit)]

    def named(self, user_ids: Collection[str]) -> list[Person]:
        return [_person(user) for user in User.select().where(User.id.in_(list(user_ids)))]

    def count(self) -> int:
        number: int = User.select().where(User.is_active == True).count()  # noqa: E712
        return number

    def count_members(self, audience: str) -> int:
        count: int = run(COUNT_MEMBERS, (audience,)).fetchone()[0]
        return count


def _person(user: User) -> Person:
    return Person(user.id, user.name or user.email, user.email if user.name else "")


def _account(user: User) -> Account:
    return Account(
        id=user.id,
        email=user.email,
        name=user.name or user.email,
        is_staff=user.is_staff,
        timezone=user.timezone,
        is_active=user.is_active,
    )
