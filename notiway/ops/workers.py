"""Workers: how many processes were asked for, and when they load the application."""

from __future__ import annotations

import logging
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from notiway.live.carriers.parking import REMEDY
from notiway.values.config import Config
from notiway.values.errors import ConfigError, Fault

log = logging.getLogger(__name__)


def check_workers(config: Config, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """`ConfigError` for several workers that would hold sockets with the memory broker: they could not hear each other.

    Some hosts set WEB_CONCURRENCY=2 silently. And for gevent workers that are loaded before the fork: gevent then comes
    too late. Workers that hold no sockets may be as many as wanted.
    """
    gunicorn = _loading_gunicorn()
    if gunicorn is None:
        count, is_gevent = declared_workers(arguments, environ), says_gevent(arguments, environ)
    else:
        count, is_gevent = int(gunicorn.workers), "gevent" in str(gunicorn.worker_class_str)
    if is_gevent and count > 1 and not config.broker_is_shared and not config.lives_elsewhere:
        raise ConfigError(
            f"Notiway refuses to start {count} workers with the memory broker: each would reach only its own clients",
            [
                Fault(
                    "WEB_CONCURRENCY",
                    "set it to 1 (gunicorn --workers 1): one worker holds ten thousand sockets; or let several"
                    " share a Redis, with NOTIWAY_BROKER_URL=redis://host:6379/0; or let `flask notiway live` hold"
                    " them beside these workers, with NOTIWAY_LIVE=elsewhere here",
                )
            ],
        )
    if gunicorn is not None and not is_gevent and not config.lives_elsewhere:
        log.warning("this process holds no live connections: its server would be held up by each; %s", REMEDY)
    if gunicorn is not None and gunicorn.preload_app and is_gevent:
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
    words = _words(arguments, environ)
    for here, word in enumerate(words):
        if match := re.fullmatch(r"(?:--workers=|-w=?)(\d+)", word):
            count = match.group(1)
        elif word in ("-w", "--workers") and here + 1 < len(words):
            count = words[here + 1]
    return int(count) if count.isdigit() else 1


def says_gevent(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether gunicorn's command line, or its environment, asks for the gevent worker.

    >>> says_gevent(["gunicorn", "-k", "gevent", "app:app"], {})
    True
    """
    return any("gevent" in word for word in _words(arguments, environ))


def _words(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    return [*shlex.split(environ.get("GUNICORN_CMD_ARGS", "")), *arguments[1:]]
