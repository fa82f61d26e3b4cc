"""The doctor: checks an installation from the database to a real WebSocket, and says how to fix each fault."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from notiway.live import runtime
from notiway.live.shared.node import compare
from notiway.ops import queue_file
from notiway.ops.logs import redact
from notiway.ops.probe import FORBIDDEN, Probe, Refused, end_session, proxy_advice, refusal_advice, session_cookie
from notiway.store import schema
from notiway.store.database import db
from notiway.store.engine import checks, private_files
from notiway.values.config import SHORTEST_SECRET_BYTES
from notiway.values.errors import BrokerDown
from notiway.values.event import Event
from notiway.verbs.events import publish

LONGEST_QUEUE = 100  # tasks; more means that nobody works on them
TIMEOUT_SECONDS = 5.0
FOREIGN_ORIGIN = "https://foreign.invalid"
SOCKET_PATH = "/ws/notifications"
SECRET_FILE = "secret_key"  # noqa: S105 - its name; in the instance folder, where this host keeps one


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw; `remedy` is empty when all is well."""

    name: str
    text: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.remedy


def examine(app: Flask, url: str, user_id: str | None = None) -> Iterator[Finding]:
    """Run all checks, in an application context; `url` is where the server runs.

    The WebSocket signs in as `user_id`, or as any user that the application's `people` know.
    """
    database = check_database()
    yield database
    if database.ok:
        yield check_migrations()
    yield check_broker()
    yield check_workers(os.environ.get("WEB_CONCURRENCY", "1"))
    yield check_nodes()
    yield check_jobs()
    yield check_secret(app)
    yield check_files(app)
    server = check_server(url)
    yield server
    if not server.ok or not database.ok:
        return
    cookie = session_cookie(app, url, user_id)
    if cookie is None:
        remedy = "add one (flask --app app notiway user add), or name one with --user"
        yield Finding("websocket", "not tried: there is no active user to sign in as", remedy)
        return
    now = runtime.current()
    try:
        for check in (check_origin, check_socket, *((check_event,) if now.presence.is_shared else ())):
            yield check(now.config.live_url or url, cookie)
    finally:
        end_session(app, url, cookie)


def check_database() -> Finding:
    """Does it answer, can it be written to, and is it whole? That its tables are missing, the next check says."""
    where = redact(runtime.current().config.database_url) or "SQLite in the instance folder"
    found = [each for each in checks.troubles() if checks.MIGRATE not in each.remedy]
    trouble = found[0] if found else checks.damage()
    if trouble is not None:
        return Finding("database", f"{where}: {trouble.text}", redact(trouble.remedy))
    return Finding("database", f"{where} answers")


def check_migrations() -> Finding:
    """Are the tables those of this version?"""
    missing = schema.pending(db.obj, runtime.current().migrations)
    if missing:
        return Finding("migrations", f"{', '.join(missing)} pending", "run: flask --app app notiway migrate")
    return Finding("migrations", "none pending")


def check_broker() -> Finding:
    """Does it take Events?"""
    now = runtime.current()
    where = redact(now.config.broker_url)
    try:
        now.broker.ping()
    except OSError as error:
        return Finding("broker", f"{where}: {error}", "start it, or correct NOTIWAY_BROKER_URL")
    return Finding("broker", f"{where} answers")


def check_workers(count: str) -> Finding:
    """Can all workers hear each other?"""
    config = runtime.current().config
    if count != "1" and not (config.broker_is_shared or config.lives_elsewhere):
        remedy = "set WEB_CONCURRENCY=1: one worker holds ten thousand sockets"
        return Finding("workers", f"{count} workers, but the memory broker serves one", remedy)
    return Finding("workers", f"{count}, broker {'shared' if config.broker_is_shared else 'in memory'}")


def check_nodes() -> Finding:
    """Which processes hold live connections, are they of one version, and do their clocks agree?"""
    presence = runtime.current().presence
    if not presence.is_shared:
        return Finding("nodes", "one process, which shares nothing")
    try:
        return Finding("nodes", *compare(presence.nodes()))
    except BrokerDown as error:
        return Finding("nodes", f"not known: {error.reason}", "start Redis, or correct NOTIWAY_BROKER_URL")


def check_jobs() -> Finding:
    """Does the queue of background work answer, and does anybody work on it?"""
    now = runtime.current()
    if now.config.jobs == "off":
        remedy = "set NOTIWAY_JOBS=web, or worker and start: flask --app app notiway worker"
        return Finding("jobs", "off: there is no automatic cleanup", remedy)
    fault = queue_file.trouble(now.huey)
    if fault is not None:
        return Finding("jobs", "the queue does not accept work", fault)
    waiting = now.huey.storage.queue_size()
    if waiting > LONGEST_QUEUE:
        remedy = "start the server" if now.config.jobs == "web" else "start: flask --app app notiway worker"
        return Finding("jobs", f"{waiting} tasks wait but no worker is running", remedy)
    return Finding("jobs", f"in the {now.config.jobs} process, {waiting} waiting")


def check_secret(app: Flask) -> Finding:
    """Can sessions be trusted?"""
    remedy = 'set SECRET_KEY to the output of: python -c "import secrets; print(secrets.token_hex(32))"'
    if not app.secret_key:
        return Finding("secret", "SECRET_KEY is not set", remedy)
    raw = app.secret_key if isinstance(app.secret_key, bytes) else app.secret_key.encode()
    if len(raw) < SHORTEST_SECRET_BYTES:
        return Finding("secret", f"SECRET_KEY is shorter than {SHORTEST_SECRET_BYTES} bytes", remedy)
    if not os.environ.get("SECRET_KEY") and runtime.current().config.development:
        return Finding("secret", "made for development and kept in the instance folder; production needs SECRET_KEY")
    return Finding("secret", "set")


def check_files(app: Flask) -> Finding:
    """Can nobody else on this machine read what holds secrets and inboxes?"""
    names = private_files.file_of(db.obj), runtime.current().huey.storage_kwargs.get("filename")
    paths = [Path(app.instance_path) / SECRET_FILE, *(Path(name) for name in names if name)]
    wide = [str(path) for path in private_files.open_to_others(paths)]
    if wide:
        return Finding(
            "files", f"others on this machine may read {', '.join(wide)}", f"run: chmod 600 {' '.join(wide)}"
        )
    return Finding("files", "readable by their owner only")


def check_server(url: str) -> Finding:
    """Does it run, and is it ready?"""
    remedy = "start it (make run, or gunicorn app:app), or name its address with --url"
    if urlsplit(url).scheme not in ("http", "https"):
        return Finding("server", f"{url} is not an address", "pass one such as http://127.0.0.1:5000 with --url")
    try:
        with urllib.request.urlopen(_address(url, "/readyz"), timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            return Finding("server", f"{url} is ready ({answer.status})")
    except urllib.error.HTTPError as error:
        reasons = redact(error.read(500).decode(errors="replace")).strip()
        return Finding("server", f"{url} answers {error.code}: {reasons}", "fix what it names, then try again")
    except OSError as error:
        return Finding("server", f"{url} does not answer: {error}", remedy)


def check_origin(url: str, cookie: str) -> Finding:
    """Is another site kept from opening a socket with this user's cookie?"""
    remedy = f"take {FOREIGN_ORIGIN} and * out of NOTIWAY_ALLOWED_ORIGINS; is {url} this application?"
    try:
        with Probe(_address(url, SOCKET_PATH), {"Cookie": cookie, "Origin": FOREIGN_ORIGIN}, TIMEOUT_SECONDS):
            return Finding("origin", "another site may open a socket with a user's cookie", remedy)
    except Refused as refusal:
        if refusal.code == FORBIDDEN:
            return Finding("origin", "another site is refused")
        return Finding("origin", f"another site is refused with {refusal.code} instead of {FORBIDDEN}", remedy)
    except OSError as error:
        return Finding("origin", f"could not be tried: {error}", proxy_advice(url))


def check_socket(url: str, cookie: str) -> Finding:
    """Does a signed-in browser get its socket, and an answer through it?"""
    headers = {"Cookie": cookie, "Origin": _origin(url)}
    began = time.perf_counter()
    try:
        with Probe(_address(url, SOCKET_PATH), headers, TIMEOUT_SECONDS) as probe:
            probe.send('{"action": "ping"}')
            _wait_for(probe, "pong")
    except Refused as refusal:
        return Finding("websocket", str(refusal), refusal_advice(refusal.code, headers["Origin"]))
    except (OSError, ValueError) as error:
        return Finding("websocket", f"broken: {error}", proxy_advice(url))
    return Finding("websocket", f"round trip in {(time.perf_counter() - began) * 1000:.0f} ms")


def check_event(url: str, cookie: str) -> Finding:
    """Does an Event of another process, this one, reach a client of the server?"""
    headers = {"Cookie": cookie, "Origin": _origin(url)}
    try:
        with Probe(_address(url, SOCKET_PATH), headers, TIMEOUT_SECONDS) as probe:
            connection_id = _wait_for(probe, "connected")["connectionId"]
            began = time.perf_counter()
            publish(runtime.current(), Event("sync", f"connection:{connection_id}", {"unread": 0}))
            _wait_for(probe, "pong")
    except (OSError, ValueError) as error:
        return Finding("events", f"none arrives: {error}", "give this command the server's NOTIWAY_BROKER_URL")
    return Finding("events", f"one of this process arrived after {(time.perf_counter() - began) * 1000:.0f} ms")


def _wait_for(probe: Probe, name: str) -> dict[str, Any]:
    while (said := json.loads(probe.receive())).get("event") != name:
        pass  # what is live comes between
    return dict(said["data"])


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _address(url: str, path: str) -> str:
    return url.rstrip("/") + runtime.current().config.url_prefix + path
