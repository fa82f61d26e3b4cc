"""Python reads this at its start where the folder is on PYTHONPATH: the clock of that process is an hour ahead."""

import time
from typing import Any

import uuid_utils

AHEAD_SECONDS = 3600

_time, _time_ns, _uuid7 = time.time, time.time_ns, uuid_utils.uuid7


def _ahead_ns() -> int:
    return _time_ns() + AHEAD_SECONDS * 10**9


def _uuid7_ahead(*_: Any, **given: Any) -> Any:
    return _uuid7(**{"nanoseconds": _ahead_ns()} | given)


time.time = lambda: _time() + AHEAD_SECONDS
time.time_ns = _ahead_ns
uuid_utils.uuid7 = _uuid7_ahead  # it reads the system's clock by itself
