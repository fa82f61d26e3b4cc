"""Person: a user of a test's own, made in the site's database, so that no test meets another's notifications."""

from __future__ import annotations

import sqlite3
import time
from functools import cached_property
from typing import Any

import uuid_utils
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext
from serving import PASSWORD, Site, Visitor

from notiway.store.log.positions import TAKE

CHEAP_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
WAIT_MS = 45_000  # for anything at all, also where many others use the same two cores


class Person:
    """One user of one site.

    >>> ada.notify("Invoice paid")  # over HTTP: every open page hears it  # doctest: +SKIP
    >>> ada.store("Disk full", action_url="/servers/7")  # into the database alone: nobody hears it  # doctest: +SKIP
    """

    def __init__(self, site: Site, name: str, *, is_staff: bool = False) -> None:
        self.site = site
        self.name = name
        self.id = str(uuid_utils.uuid7())
        self.email = f"{name.lower()}-{self.id}@example.com"
        now = time.time_ns() // 1_000_000
        row = {"id": self.id, "email": self.email, "name": name, "password_hash": CHEAP_HASH, "is_staff": is_staff,
               "is_active": True, "timezone": "UTC", "created_at": now}  # fmt: skip
        self._insert("notiway_user", row)

    @cached_property
    def visitor(self) -> Visitor:
        """This person, signed in over HTTP."""
        return self.site.sign_in(self.email)

    def notify(self, title: str, message: str = "", type: str = "info") -> str:
        """Send a notification to this person; its id."""
        return str(self.visitor.notify(title, message, type)["id"])

    def store(self, title: str, *, age_ms: int = 0, **values: Any) -> str:
        """Store a notification as a process without this site's broker would; its id."""
        return self.store_many([title], age_ms=age_ms, **values)[0]

    def store_many(self, titles: list[str], *, age_ms: int = 0, **values: Any) -> list[str]:
        """Store several, the newest last."""
        now = time.time_ns() // 1_000_000 - age_ms
        ids = []
        with self._database() as database:
            (position,) = database.execute(TAKE, (1,)).fetchone()  # a resume finds them by that
            for title in titles:
                ids.append(str(uuid_utils.uuid7()))
                row = {"id": ids[-1], "audience": f"user:{self.id}", "name": "notification", "type": "info",
                       "priority": "medium", "title": title, "message": "", "created_at": now, "position": position,
                       **values}  # fmt: skip
                self._insert("notiway_notification", row, database)
                item = {"user_id": self.id, "notification_id": ids[-1], "created_at": now, "position": position}
                self._insert("notiway_inbox_item", item, database)
        return ids

    def change(self, statement: str, *values: Any) -> None:
        """Change this person's rows behind the server's back."""
        with self._database() as database:
            database.execute(statement, values)

    def look(self, statement: str, *values: Any) -> list[Any]:
        """What the database says."""
        with self._database() as database:
            return database.execute(statement, values).fetchall()

    def context(self, browser: Browser, *, signed_in: bool = True, **options: Any) -> BrowserContext:
        """A browser of its own, with a login session of its own."""
        context = browser.new_context(base_url=self.site.url, **options)
        context.set_default_timeout(WAIT_MS)
        if signed_in:
            session = self.site.sign_in(self.email)
            cookies = [{"name": cookie.name, "value": cookie.value, "url": self.site.url} for cookie in session.cookies]
            context.add_cookies(cookies)  # type: ignore[arg-type]
        return context

    def _database(self) -> sqlite3.Connection:
        return _Closing(self.site.folder / "notiway.db", timeout=30)

    def _insert(self, table: str, row: dict[str, Any], database: sqlite3.Connection | None = None) -> None:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        if database is not None:
            database.execute(statement, list(row.values()))
            return
        with self._database() as opened:
            opened.execute(statement, list(row.values()))


class _Closing(sqlite3.Connection):
    """Commits or rolls back at the end of `with`, as sqlite3 does, and closes too."""

    def __exit__(self, *error: Any) -> bool:
        done = super().__exit__(*error)
        self.close()
        return bool(done)
