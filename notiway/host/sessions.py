"""Sessions: a row for each sign-in, so that a session can end before its cookie does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from notiway.host import accounts
from notiway.host.accounts import Account
from notiway.host.tables import Session
from notiway.store.database import db
from notiway.store.sql import run
from notiway.values.clock import DAY_MS, now_ms

IDLE_DAYS = 14  # of absence; every page that a person opens starts them anew
LONGEST_DAYS = 30  # however often it is used (ASVS 5.0, 7.3.2)
SEEN_MS = 60_000  # the list of devices tells the last activity to the minute
MAX_AGENT = 300  # characters of a browser's name for itself
SHOWN_AGENT = 60

# Every request of a signed-in user asks this: the user and the session in one.
FIND = (
    "SELECT u.id, u.email, u.name, u.is_staff, u.timezone, s.seen_at FROM notiway_session s"
    " JOIN notiway_user u ON u.id = s.user_id WHERE s.id = ? AND s.user_id = ? AND s.ends_at > ? AND u.is_active"
)
# The first that fits: Edge also calls itself Chrome, and Chrome Safari.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Login:
    """One session as its user sees it; times are milliseconds since the epoch."""

    id: str
    started_at: int
    seen_at: int
    address: str
    device: str


def begin(user_id: str, session_id: str, address: str, user_agent: str, now: int | None = None) -> int:
    """Keep a new session, and forget what is over of the same user; returns when it ends at the latest."""
    now = now_ms() if now is None else now
    ends_at = now + LONGEST_DAYS * DAY_MS
    with db.atomic():
        over = (Session.ends_at <= now) | (Session.seen_at <= now - IDLE_DAYS * DAY_MS)
        Session.delete().where((Session.user_id == user_id) & (over | (Session.id == session_id))).execute()
        Session.create(
            id=session_id,
            user_id=user_id,
            started_at=now,
            seen_at=now,
            ends_at=ends_at,
            address=address,
            user_agent=user_agent[:MAX_AGENT],
        )
    return ends_at


def find_user(user_id: str, session_id: str | None, now: int | None = None) -> tuple[Account, int] | None:
    """The active user of a session that is not over, and when it was last seen."""
    row = run(FIND, (session_id or "", user_id, now_ms() if now is None else now)).fetchone()
    return None if row is None else (accounts.of_row(row[:-1]), row[-1])


def is_seen_lately(seen_at: int) -> bool:
    """Whether the last activity is known well enough."""
    return seen_at > now_ms() - SEEN_MS


def note_seen(session_id: str, now: int | None = None) -> None:
    """Remember that the user of a session opened a page."""
    run("UPDATE notiway_session SET seen_at = ? WHERE id = ?", (now_ms() if now is None else now, session_id))


def of_user(user_id: str, now: int | None = None) -> list[Login]:
    """The user's sessions that are not over, the newest first."""
    now = now_ms() if now is None else now
    lives = (Session.ends_at > now) & (Session.seen_at > now - IDLE_DAYS * DAY_MS)
    rows = Session.select().where((Session.user_id == user_id) & lives).order_by(Session.started_at.desc(), Session.id)
    return [Login(row.id, row.started_at, row.seen_at, row.address, device_of(row.user_agent)) for row in rows]


def end(user_id: str, session_id: str) -> bool:
    """One session of this user is over; False when there is none of that name."""
    return bool(Session.delete().where((Session.id == session_id) & (Session.user_id == user_id)).execute())


def end_all(user_id: str, but: str | None = None) -> list[str]:
    """All sessions of the user are over, except `but`; returns the names of those that ended."""
    mine = (Session.user_id == user_id) & (Session.id != (but or ""))
    with db.atomic():
        ended = [row.id for row in Session.select(Session.id).where(mine).order_by(Session.id)]
        Session.delete().where(mine).execute()
    return ended


def device_of(user_agent: str) -> str:
    """What a user would call the device: browser and system, else what the client calls itself.

    >>> device_of("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0")
    'Firefox on Linux'
    """
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS if sign in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    return re.sub(r"[^ -~]", "", user_agent)[:SHOWN_AGENT] or "Unknown device"
