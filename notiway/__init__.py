"""Notiway: a notification center for Flask. One call sends; the bell rings at once."""

from notiway.extension import Notiway
from notiway.values.audience import Audience
from notiway.values.errors import ConfigError, InvalidNotification, NotFound, NotiwayError
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
    "report_progress",
    "send_notification",
]
