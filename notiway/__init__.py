"""Notiway: a notification center for Flask. One call sends; the bell rings at once."""

from notiway.extension import Notiway
from notiway.ops import jobs
from notiway.store.database import db
from notiway.values.audience import Audience
from notiway.values.errors import ConfigError, InvalidNotification, NotFound, NotiwayError
from notiway.values.people import Person
from notiway.verbs import membership
from notiway.verbs.progress import report_progress
from notiway.verbs.send import send_notification

__version__ = "0.1.0"
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
