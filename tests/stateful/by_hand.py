"""By hand: a process whose clock, threads and loop stand still until a test moves them: every run is the same.

Everything else in it is real: the application, its routes, verbs, database, hub, connections and wires. Sockets are
pairs within the process.
"""

from __future__ import annotations

import base64
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import flask_login
import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import EnvironBuilder, run_wsgi_app

from notiway import Notiway, extension
from notiway.gateway import client_tokens
from notiway.gateway.client_tokens import Claims
from notiway.live import hub as hub_module
from notiway.live import runtime
from notiway.live.reactor import Reactor
from notiway.live.runtime import Runtime
from notiway.ops.rounds import snoozes
from notiway.store import schema
from notiway.store.database import db
from notiway.values import ids

START = 1_736_931_600.0  # seconds since the epoch: a morning in January 2025
NEVER = 4_000_000_000.0  # when the tokens end, in the same
HEARTBEAT_SECONDS = 15.0
SLICES = 100  # of the heartbeat
ROUNDS = 10_000  # of one settling; more means that it never ends
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
}


class Clock:
    """Stands where modules have `time`. Whoever sleeps moves it, and meanwhile the process works."""

    def __init__(self) -> None:
        self.now = START
        self.made = 0
        self.while_asleep: Callable[[], None] = lambda: None

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def time(self) -> float:
        return self.now

    monotonic = time

    def time_ns(self) -> int:
        return round(self.now * 1000) * 1_000_000

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.now += seconds
            self.while_asleep()

    def uuid7(self, nanoseconds: int | None = None) -> str:
        """Ids that rise, and that are the same in every run."""
        self.made += 1
        digits = f"{round(self.now * 1000):012x}7{0:03x}8{self.made:015x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Pool:
    """Stands for the threads: what is submitted waits until `run`."""

    waiting: ClassVar[deque[Callable[[], Any]]] = deque()

    def __init__(self, *args: Any, **options: Any) -> None:
        self.is_open = True

    def submit(self, work: Callable[..., Any], *args: Any) -> None:
        if not self.is_open:
            raise RuntimeError("the pool is closed")
        self.waiting.append(lambda: work(*args))

    def shutdown(self, **options: Any) -> None:
        self.is_open = False

    @classmethod
    def run(cls) -> bool:
        """Do one thing that waits; whether there was one."""
        if not cls.waiting:
            return False
        cls.waiting.popleft()()
        return True


class HandReactor(Reactor):
    """A reactor without its thread."""

    def _run(self) -> None:
        return None

    @property
    def has_work(self) -> bool:
        return bool(self._calls or self._jobs or self._epoll.poll(0))


class GreenSocket(socket.socket):
    """A socket as gunicorn's gevent worker lends it: `parking` takes it over."""

    __module__ = "gevent.by_hand"


class Process:
    """One application on a database file, until `end`; a process that starts anew is a new one of these."""

    def __init__(self, url: str, clock: Clock, compiled: FileSystemBytecodeCache) -> None:
        self.clock = clock
        self.app = Flask("by_hand")
        self.app.config.update(
            TESTING=True,
            SECRET_KEY="by hand, and long enough to be one",
            NOTIWAY_DATABASE_URL=url,
            NOTIWAY_JOBS="off",
            NOTIWAY_USERS="external",
            NOTIWAY_RECENT_LIMIT=500,
            NOTIWAY_HEARTBEAT_SECONDS=HEARTBEAT_SECONDS,
            NOTIWAY_USER_RATE="1000000 per minute",
        )
        self.app.jinja_env.bytecode_cache = compiled
        logins = flask_login.LoginManager(self.app)
        logins.request_loader(_by_header)
        Notiway(self.app)
        self.runtime: Runtime = self.app.extensions[runtime.KEY]
        self.reactor: HandReactor = self.runtime.reactor  # type: ignore[assignment]
        self.tokens: dict[str, str] = {}

    def start(self) -> None:
        self.runtime.start()
        self.clock.while_asleep = self.turn

    def turn(self) -> None:
        """What can be done at once, at this moment of the clock."""
        self.reactor._turn()
        while Pool.run():
            self.reactor._turn()

    def settle(self) -> None:
        """Let everything come to its end; the clock stands still."""
        for _ in range(ROUNDS):
            self.turn()
            if not self.reactor.has_work and not Pool.waiting:
                return
        raise AssertionError("the process does not come to rest")

    def end(self) -> None:
        """Die: sockets, and what was under way, are gone."""
        for connection in list(self.runtime.hub._by_id.values()):
            connection.lost()
        Pool.waiting.clear()
        self.runtime.stop()
        self.runtime.database.close_all()

    def headers(self, user_id: str) -> dict[str, str]:
        """What a client of this user sends: as a browser does, and a client token."""
        if user_id not in self.tokens:
            with self.app.app_context():
                self.tokens[user_id] = client_tokens.mint(self.runtime.token_secret, Claims(user_id, NEVER))
        return {"Authorization": f"Bearer {self.tokens[user_id]}", "X-User": user_id}

    def request(self, method: str, path: str, user_id: str, **options: Any) -> tuple[int, bytes]:
        """One request: status and body."""
        headers = {"Accept": "application/json", **self.headers(user_id), **options.pop("headers", {})}
        environ = EnvironBuilder(path, method=method, headers=headers, **options).get_environ()
        chunks, status, _ = run_wsgi_app(self.app, environ)
        return int(status.split()[0]), b"".join(chunks)

    def page(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """What a page's script fetches: by cookie, so to say."""
        chunks, status, _ = run_wsgi_app(self.app, EnvironBuilder(path, headers=headers).get_environ())
        return int(status.split()[0]), b"".join(chunks)

    def open(self, path: str, user_id: str, headers: dict[str, str]) -> socket.socket:
        """Open a socket as a client does; the client's end."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        carrier = GreenSocket(fileno=ours.detach())
        environ = EnvironBuilder(path, headers={**self.headers(user_id), **headers}).get_environ()
        environ["gunicorn.socket"] = carrier
        with suppress(StopIteration):  # how flask-sock tells gunicorn that the socket is taken
            _, status, _ = run_wsgi_app(self.app, environ)
            raise AssertionError(f"{path} was refused: {status}")
        return theirs


def _by_header(request: Any) -> Any:
    class User(flask_login.UserMixin):
        id = request.headers.get("X-User")

    return User() if User.id else None


class HandFuture(Future[Any]):
    """A question to the reactor: whoever asks makes it turn."""

    ask: Callable[[], None] = staticmethod(lambda: None)

    def result(self, timeout: float | None = None) -> Any:
        for _ in range(ROUNDS):
            if self.done():
                break
            self.ask()
        return super().result(0)


@contextmanager
def time_by_hand() -> Iterator[Clock]:
    """Every module of Notiway sees this clock, these threads and this loop instead of the real ones."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] != "notiway":
                continue
            if getattr(module, "time", None) is time:
                patch.setattr(module, "time", clock)
            if getattr(module, "monotonic", None) is time.monotonic:
                patch.setattr(module, "monotonic", clock.monotonic)
            if getattr(module, "ThreadPoolExecutor", None) is ThreadPoolExecutor:
                patch.setattr(module, "ThreadPoolExecutor", Pool)
        patch.setattr(ids, "uuid_utils", clock)
        patch.setattr(snoozes, "FIRST_SECONDS", 0.0)
        patch.setattr(extension, "Reactor", HandReactor)
        patch.setattr(hub_module, "Future", HandFuture)
        Pool.waiting.clear()
        yield clock


class World:
    """A database, and the process that serves it now."""

    def __init__(self, url: str, clock: Clock, compiled: FileSystemBytecodeCache) -> None:
        self.url, self.clock, self.compiled = url, clock, compiled
        self.process = self._begin()

    def restart(self, *, gracefully: bool) -> None:
        """End the process, all at once or after its goodbyes, and begin another on the same database."""
        if gracefully:
            self.process.runtime.drain()
        self.process.end()
        self.process = self._begin()

    def call(self, verb: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Call a verb as a route, a command or a job does."""
        with self.process.app.app_context():
            return verb(*args, **options)

    def close(self) -> None:
        self.process.end()

    def _begin(self) -> Process:
        process = Process(self.url, self.clock, self.compiled)
        process.start()
        HandFuture.ask = staticmethod(process.reactor._turn)
        return process


def migrate(folder: Path, compiled: FileSystemBytecodeCache) -> Path:
    """A database file with all tables, for copies of it."""
    process = Process(f"sqlite:///{folder}/live.db", Clock(), compiled)
    with process.app.app_context():
        schema.migrate(db.obj)
        db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    process.runtime.stop()
    process.runtime.database.close_all()
    return (folder / "live.db").rename(folder / "migrated.db")
