"""Notiway: a notification center for Flask. One call sends; the bell rings at once.

What is public is imported when it is first asked for: gunicorn reads `notiway.ops.serving` before its workers are
patched by gevent, and nothing of the application may be loaded by then.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from notiway.values.version import VERSION

if TYPE_CHECKING:
    from notiway.extension import Notiway
    from notiway.ops import jobs
    from notiway.store.database import db
    from notiway.values.audience import Audience
    from notiway.values.errors import ConfigError, InvalidNotification, NotFound, NotiwayError
    from notiway.values.people import Person
    from notiway.verbs import membership
    from notiway.verbs.progress import report_progress
    from notiway.verbs.send import send_notification

__version__ = VERSION
__all__ = [
    "Audience",
    "ConfigError",
    "InvalidNotification",
    "NotFound",
    "Notiway",
    "NotiwayError",
    "Person",
    "db",
    "jobs",
    "membership",
    "report_progress",
    "send_notification",
]
PLACES = {  # the module that each is in
    "Audience": "values.audience",
    "ConfigError": "values.errors",
    "InvalidNotification": "values.errors",
    "NotFound": "values.errors",
    "Notiway": "extension",
    "NotiwayError": "values.errors",
    "Person": "values.people",
    "db": "store.database",
    "jobs": "ops",
    "membership": "verbs",
    "report_progress": "verbs.progress",
    "send_notification": "verbs.send",
}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = f"{__name__}.{PLACES[name]}"
    if name in ("jobs", "membership"):
        found: Any = importlib.import_module(f"{module}.{name}")
    else:
        found = getattr(importlib.import_module(module), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
