"""Stand-ins for time, chance and threads, put into every module of Notiway in place of the real ones."""

from __future__ import annotations

import concurrent.futures
import logging
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, SimpleNamespace
from typing import Any

import uuid_utils
from flask import request

from notiway import metrics
from notiway.live import badges, heartbeat
from notiway.live.delivery import budget
from notiway.pausing import STRETCH_SECONDS, in_stretches
from notiway.values.ids import UUID_BITS
from notiway.values.principal import Principal
from notiway.web.sockets import handshake, opening, signalr, sse, websocket

BEATS = 2  # slices of the heartbeat: a hundred would be most of the work of a schedule

VISITOR = handshake.VISITOR
VIEWS: dict[str, Any] = {
    "SLICES": BEATS,
    "SENDS": 1,  # between two pauses: no time passes in a turn, and few clients listen
    "take_socket": lambda _: (request.environ["simulation"], False),
    "take_carrier": lambda *_: (request.environ["simulation"], False),
    "auth": SimpleNamespace(require_principal=lambda: request.environ[VISITOR]),
    "asking_user_id": lambda: _signed_in(),
}


def _signed_in() -> str | None:
    """Whose request this is, unless the session has ended."""
    visitor = request.environ[VISITOR]
    principal: Principal = visitor[0] if isinstance(visitor, tuple) else visitor
    return None if principal.session in stage.ended_sessions else principal.user_id


stage: Any = None  # the world that is running now


class SimulatedFault(Exception):
    """A fault that the world made: whatever logs it has done right."""


class VirtualTime:
    """In place of the module `time`."""

    worked = 0.0

    def monotonic(self) -> float:
        return stage.clock.us / 1_000_000

    def time(self) -> float:
        return stage.clock.time()

    def time_ns(self) -> int:
        return stage.clock.time_ns()

    perf_counter = monotonic

    def work(self) -> float:
        """For those who measure how long they have worked: by chance it was long."""
        self.worked += stage.has_worked_long()
        return self.worked

    def sleep(self, seconds: float = 0.0) -> None:
        stage.sleep(seconds)


class SeededSecrets:
    """In place of the module `secrets`."""

    def token_urlsafe(self, size: int = 32) -> str:
        return f"{stage.chance.getrandbits(48):012x}"

    def token_hex(self, size: int = 32) -> str:
        return f"{stage.chance.getrandbits(size * 8):0{size * 2}x}"

    def randbelow(self, end: int) -> int:
        return stage.chance.randrange(end)


class SeededIds:
    """In place of the module `uuid_utils`."""

    def uuid7(self, *_: Any, **__: Any) -> str:
        number = stage.clock.now_ms() << 80 | 7 << 76 | stage.chance.getrandbits(12) << 64
        digits = f"{number | 2 << 62 | stage.chance.getrandbits(62):0{UUID_BITS // 4}x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Pool:
    """In place of a `ThreadPoolExecutor`: its work becomes tasks of the process that made it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._owner = stage.building

    def submit(self, work: Callable[..., Any], *args: Any) -> None:
        stage.tasks.spawn(self._owner, lambda: work(*args))

    def shutdown(self, *_: Any, **__: Any) -> None:
        return None


class Answer:
    """In place of a `Future`: whoever asks for the result waits as a task."""

    def __init__(self) -> None:
        self._result: Any = None
        self._error: BaseException | None = None
        self._is_done = False
        self._asks: Any = None

    def set_result(self, result: Any) -> None:
        self._result, self._is_done = result, True
        self._wake()

    def set_exception(self, error: BaseException) -> None:
        self._error, self._is_done = error, True
        self._wake()

    def result(self, timeout: float | None = None) -> Any:
        while not self._is_done:
            self._asks = stage.tasks.current()
            if self._asks is None:
                raise AssertionError("the reactor waits for itself")
            stage.tasks.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def _wake(self) -> None:
        if self._asks is not None:
            stage.tasks.wake(self._asks)


class Listener(logging.Handler):
    """Takes note of faults that Notiway logged and that the world did not make."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if stage is not None and error is not None and not isinstance(error, SimulatedFault):
            stage.tasks.faults.append(f"logged: {record.getMessage()}: {type(error).__name__}: {error}")


class Uncounted:
    """In place of a metric."""

    def inc(self, _: float = 1) -> None:
        return None

    set = observe = dec = inc

    def labels(self, **_: str) -> Uncounted:
        return self


def functions() -> Iterator[Any]:
    """All functions of Notiway that are loaded, methods too: a default may be a clock."""
    seen: set[int] = set()
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] == "notiway":
            own = [each for each in vars(module).values() if getattr(each, "__module__", "") == name]
            methods = [each for kind in own if isinstance(kind, type) for each in vars(kind).values()]
            for each in (*own, *methods):
                if isinstance(each, FunctionType) and id(each) not in seen:
                    seen.add(id(each))
                    yield each


@contextmanager
def installed() -> Iterator[None]:
    """Inside, Notiway's modules know the stand-ins only."""
    virtual, uncounted = VirtualTime(), Uncounted()
    replaced: dict[int, Any] = {
        id(time): virtual,
        id(time.monotonic): virtual.monotonic,
        id(time.time): virtual.time,
        id(time.time_ns): virtual.time_ns,
        id(time.sleep): virtual.sleep,
        id(time.perf_counter): virtual.perf_counter,
        id(secrets): SeededSecrets(),
        id(uuid_utils): SeededIds(),
        id(concurrent.futures.ThreadPoolExecutor): Pool,
        id(concurrent.futures.Future): Answer,
    }
    before: list[tuple[Any, str, Any]] = [
        (heartbeat, "SLICES", heartbeat.SLICES),
        (badges, "SLICES", badges.SLICES),
        (budget, "SENDS", budget.SENDS),
    ]
    counted = [(metrics, key, each) for key, each in vars(metrics).items() if hasattr(each, "labels")]
    before += [each for each in counted if not isinstance(each[2], type)]
    views = [
        (websocket, "take_socket"),
        (signalr, "take_socket"),
        (sse, "take_carrier"),
        (sse, "auth"),
        (opening, "asking_user_id"),
    ]
    before += [(module, key, getattr(module, key)) for module, key in views]
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] == "notiway":
            before += [(module, key, value) for key, value in vars(module).items() if id(value) in replaced]
    logger, listener = logging.getLogger("notiway"), Listener(logging.ERROR)
    settings = logger.level, logger.propagate
    for module, key, value in before:
        setattr(module, key, VIEWS[key] if key in VIEWS else replaced.get(id(value), uncounted))
    defaults = [(function, function.__defaults__) for function in functions() if function.__defaults__]
    for function, values in defaults:
        function.__defaults__ = tuple(replaced.get(id(value), value) for value in values)
    in_stretches.__defaults__ = STRETCH_SECONDS, virtual.work
    logger.addHandler(listener)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.level, logger.propagate = settings
        for function, values in defaults:
            function.__defaults__ = values
        for module, key, value in before:
            setattr(module, key, value)


@contextmanager
def playing(world: Any) -> Iterator[None]:
    """Inside, the stand-ins ask this world."""
    global stage
    stage = world
    try:
        yield
    finally:
        stage = None
