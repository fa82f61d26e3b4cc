"""Notiway: a notification center for Flask. One call sends; the bell rings at once."""

from notiway.audience import Audience
from notiway.errors import ConfigError, InvalidNotification, NotFound, NotiwayError
from notiway.extension import Notiway
from notiway.notifications import send_notification
from notiway.progress import report_progress

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
