"""Notiway as it is served, with a probe of its event loop and with routes that start large pieces of work.

python silence_app.py SCALE     makes tables, users and rows (SCALE 1: 100,000 users, …); prints JSON
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask, jsonify, request, session
from flask_login import login_user
from flask_wtf.csrf import generate_csrf

from notiway import send_notification
from notiway.host import accounts
from notiway.host.app import create_app
from notiway.live import runtime
from notiway.ops import jobs
from notiway.store import audit, schema
from notiway.store.credentials import api_keys
from notiway.store.database import db
from notiway.store.engine.guard import Guard
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.ids import id_floor
from notiway.verbs.recall import recall

TURN_SECONDS = 0.001
LONG_SECONDS = 0.03  # without a turn for so long: the watcher looks where the loop is
LOOKS = 5  # in one stop
AGAIN = "\n      then "
SHOWN_FRAMES = 8
SHOWN_STOPS = 3
SHOWN_SQL = 300  # characters
AGO_MS = 2 * DAY_MS  # the rows are so old
OLD_MS = 365 * DAY_MS  # and those that the cleanup removes

USERS = 100_000
INBOX = 100_000
BROADCASTS = 50_000
FIRST_PULL = 10_000
READERS = 100_000
READ_BROADCASTS = 10

app: Flask = create_app()


DETAILS = {
    "title": "Read me", "message": "All of it", "type": "info", "name": "notification", "priority": "medium",
    "action_url": None, "persist": True, "expires_at": None, "people": READERS, "online": 0,
}  # fmt: skip


class Probe:
    """A greenlet that wants a turn every millisecond: how long it waits is how long the loop stood still."""

    def __init__(self) -> None:
        self._is_running = False
        self._last = 0.0
        self._where = ""
        self._gaps: list[tuple[float, float, str]] = []  # seconds on the clock, seconds of CPU, where

    def begin(self) -> None:
        import gevent
        from gevent.monkey import get_original

        self._gaps, self._is_running, self._last = [], True, time.monotonic()
        sleep = get_original("time", "sleep")
        main = get_original("threading", "get_ident")()
        gevent.spawn(self._turn)
        gevent.get_hub().threadpool.spawn(self._watch, sleep, main)

    def end(self) -> dict[str, Any]:
        self._is_running = False
        by_cpu = max(self._gaps, key=lambda gap: gap[1], default=(0.0, 0.0, ""))
        by_clock = max(self._gaps, default=(0.0, 0.0, ""))
        longest = sorted(self._gaps, key=lambda gap: -gap[1])[:SHOWN_STOPS]
        places = [f"{cpu * 1e3:.0f} ms CPU, {clock * 1e3:.0f} ms: {where}" for clock, cpu, where in longest]
        return {"cpu_ms": by_cpu[1] * 1e3, "clock_ms": by_clock[0] * 1e3, "where": places}

    def _turn(self) -> None:
        import gevent

        while self._is_running:
            clock, cpu = time.monotonic(), time.thread_time()
            gevent.sleep(TURN_SECONDS)
            self._last = time.monotonic()
            gap = self._last - clock, time.thread_time() - cpu, self._where
            self._where = ""
            if gap[0] > LONG_SECONDS / 2:
                self._gaps.append(gap)

    def _watch(self, sleep: Any, main: int) -> None:
        """In a thread of the system's: the loop cannot look at itself while it stands still."""
        while self._is_running:
            sleep(LONG_SECONDS / 6)
            looks = 1 + self._where.count(AGAIN) if self._where else 0
            if looks < LOOKS and time.monotonic() - self._last > LONG_SECONDS * (looks + 1):
                self._where += (AGAIN if looks else "") + place_of(sys._current_frames()[main])


def place_of(frame: FrameType) -> str:
    """The innermost frames, and the statement if it is one that takes the time."""
    steps = traceback.extract_stack(frame)
    frames = [each for each, _ in traceback.walk_stack(frame)]
    at = "".join(str(each.f_locals["sql"])[:SHOWN_SQL] for each in frames if each.f_code is Guard.run.__code__)
    own = [each for each in steps if f"{os.sep}notiway{os.sep}" in each.filename]
    shown = [steps[-1], *(own or steps)[-SHOWN_FRAMES:][::-1]]
    return " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in shown) + f" [{at}]"


probe = Probe()


@app.get("/probe/begin")
def begin() -> tuple[str, int]:
    probe.begin()
    return "", 204


@app.get("/probe/end")
def end() -> Any:
    return jsonify(probe.end())


@app.post("/load/send")
def send() -> Any:
    """To that many users, as a job or a route of the application would."""
    users = [f"u{number}" for number in range(int(request.args["users"]))]
    return jsonify(id=send_notification(users, "Maintenance tonight", "From ten to eleven").id)


@app.post("/load/recall")
def take_back() -> tuple[str, int]:
    recall(request.args["id"], by="u0")
    return "", 204


@app.post("/load/cleanup")
def cleanup() -> tuple[str, int]:
    old = "UPDATE notiway_notification SET created_at = created_at - ? WHERE audience = 'global'"
    db.execute_sql(old, (OLD_MS,))  # not before: the server's own cleanup comes when it starts
    jobs.clean_up()
    return "", 204


def prepare(scale: float) -> dict[str, Any]:
    """Tables, users and rows; what the loads need to know of them."""
    with app.app_context():
        schema.migrate(db.obj, runtime.current().migrations)
        people = {
            name: accounts.add(f"{name}@example.com", "", "no password at all", is_staff=name == "staff")
            for name in ("staff", "hoarder", "newcomer", "replayed", "flooder", "hub_flooder")
        }
        db.obj.execute_sql("PRAGMA synchronous = 0")
        db.obj.execute_sql("PRAGMA foreign_keys = 0")
        _copy_users(people["staff"].id, int(USERS * scale))
        counts = {name: int(count * scale) for name, count in _COUNTS.items()}
        first = now_ms() - AGO_MS
        # One after the other in time, so that no two parts share an id.
        first = _store(first, counts["inbox"], f"user:{people['hoarder'].id}", people["hoarder"].id)
        first = _store(first, counts["pull"], "group:pull", None)
        first = _store(first, counts["broadcasts"], "group:replay", None)
        first = _store(first, 1_000, "tenant:acme", None)
        _store_read(first, counts["readers"], people["staff"].id)
        _join(people["newcomer"].id, "group:pull")
        _join(people["replayed"].id, "group:replay")
        for name in ("flooder", "hub_flooder"):
            _join(people[name].id, "tenant:acme")
        _, key = api_keys.add("benchmark", ["publish"])
        db.obj.execute_sql("ANALYZE")
    return {
        "key": key,
        "cookies": {name: cookie_of(account) for name, account in people.items()},
        "ids": {name: account.id for name, account in people.items()},
    }


_COUNTS = {"inbox": INBOX, "pull": FIRST_PULL, "broadcasts": BROADCASTS, "readers": READERS}
NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
ID = "printf('%08x-%04x-7000-8000-000000000000', (? + n) >> 16, (? + n) & 65535)"


def _store(first: int, count: int, audience: str, user_id: str | None) -> int:
    """So many notifications to one audience, a millisecond apart; in this user's inbox, if there is one."""
    with db.atomic():
        db.obj.execute_sql(
            "INSERT INTO notiway_notification (id, audience, name, type, priority, title, message, source, created_at)"
            f" {NUMBERS} SELECT {ID}, ?, 'note', 'info', 'medium', 'Title of number ' || n,"
            " 'A message of a middling length that says what number ' || n || ' is about', 'source ' || n % 20, ? + n"
            " FROM numbers",
            (count - 1, first, first, audience, first),
        )
        if user_id is not None:
            db.obj.execute_sql(
                f"INSERT INTO notiway_inbox_item (user_id, notification_id, created_at) {NUMBERS}"
                f" SELECT ?, {ID}, ? + n FROM numbers",
                (count - 1, user_id, first, first, first),
            )
    return first + count


def _store_read(first: int, readers: int, staff_id: str) -> None:
    """Ten broadcasts in the inboxes of that many readers, half of whom saw and a third of whom read them."""
    _store(first, READ_BROADCASTS, "global", None)
    with db.atomic():
        for number in range(READ_BROADCASTS):
            notification_id = id_floor(first + number)
            audit.record(staff_id, "send", "global", notification_id=notification_id, details=DETAILS)
            db.obj.execute_sql(
                "INSERT INTO notiway_inbox_item (user_id, notification_id, seen_at, read_at, created_at)"
                f" {NUMBERS} SELECT 'u' || n, ?, iif(n % 2, ?, NULL), iif(n % 3, NULL, ?), ? FROM numbers",
                (readers - 1, notification_id, first, first, first),
            )


def _copy_users(user_id: str, count: int) -> None:
    columns = [column.name for column in db.obj.get_columns("notiway_user")]
    own = {"id": "'u' || n", "email": "'u' || n || '@example.com'"}
    chosen = ", ".join(own.get(name, f'"{name}"') for name in columns)
    listed = ", ".join(f'"{name}"' for name in columns)
    db.obj.execute_sql(
        f"INSERT INTO notiway_user ({listed}) {NUMBERS} SELECT {chosen} FROM numbers, notiway_user WHERE id = ?",
        (count - 1, user_id),
    )


def _join(user_id: str, audience: str) -> None:
    db.obj.execute_sql("INSERT INTO notiway_membership (user_id, audience) VALUES (?, ?)", (user_id, audience))


def cookie_of(account: accounts.Account) -> dict[str, str]:
    """The cookie of a session as the sign-in page makes it, and its CSRF token."""
    with app.test_request_context():
        session.permanent = True
        login_user(account)
        token = generate_csrf()
        response = app.make_response("")
        app.session_interface.save_session(app, session, response)
        return {"cookie": response.headers["Set-Cookie"].partition(";")[0], "csrf": token}


if __name__ == "__main__":
    print(json.dumps(prepare(float(sys.argv[1]))))
