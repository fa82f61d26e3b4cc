"""Workers: how many processes were asked for, and when they load the application."""

from __future__ import annotations

import logging
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from notiway.live.carriers.parking import HOLDING
from notiway.values.config import Config
from notiway.values.errors import ConfigError, Fault

log = logging.getLogger(__name__)


def check_workers(config: Config, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """`ConfigError` for the memory broker with several workers (some hosts set WEB_CONCURRENCY=2 silently).

    They could not hear each other. And for gevent workers that are loaded before the fork: gevent then comes too late.
    """
    gunicorn = _loading_gunicorn()
    count = declared_workers(arguments, environ) if gunicorn is None else int(gunicorn.workers)
    if count > 1 and not config.broker_is_shared:
        raise ConfigError(
            f"Notiway refuses to start {count} workers with the memory broker: each would reach only its own clients",
            [
                Fault(
                    "WEB_CONCURRENCY",
                    "set it to 1 (gunicorn --workers 1): one worker holds ten thousand sockets; or let several"
                    " share a Redis, with NOTIWAY_BROKER_URL=redis://host:6379/0",
                )
            ],
        )
    if gunicorn is not None and "gevent" not in str(gunicorn.worker_class_str):
        log.error("live connections will be refused: %s", HOLDING)
    if gunicorn is not None and gunicorn.preload_app and "gevent" in str(gunicorn.worker_class_str):
        advice = "start gunicorn without --preload: its gevent worker must be patched before the application is loaded"
        raise ConfigError("Notiway refuses to be loaded before the fork", [Fault("preload_app", advice)])


def _loading_gunicorn() -> Any:
    """The settings of the gunicorn that is loading this application, wherever they were made; None without one.

    A configuration file (`workers = 2`) is seen neither on the command line nor in the environment.
    """
    frame = sys._getframe()
    while (caller := frame.f_back) is not None:
        frame = caller
        if frame.f_globals.get("__name__") == "gunicorn.app.base" and frame.f_code.co_name == "wsgi":
            return frame.f_locals["self"].cfg
    return None


def declared_workers(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The worker count of gunicorn's command line, else its environment.

    >>> declared_workers(["gunicorn", "-w", "4", "app:app"], {})
    4
    """
    if not arguments or "gunicorn" not in arguments[0]:
        return 1
    count = environ.get("WEB_CONCURRENCY", "1")
    words = [*shlex.split(environ.get("GUNICORN_CMD_ARGS", "")), *arguments[1:]]
    for here, word in enumerate(words):
        if match := re.fullmatch(r"(?:--workers=|-w=?)(\d+)", word):
            count = match.group(1)
        elif word in ("-w", "--workers") and here + 1 < len(words):
            count = words[here + 1]
    return int(count) if count.isdigit() else 1
