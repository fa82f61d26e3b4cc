"""Domain errors: each has a code, an HTTP status and every fault at once (CONTRACT §3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import click

RETRY_SECONDS = 5  # after which something that is unavailable is worth another try


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where, and what to do about it."""

    path: str
    message: str


class NotiwayError(Exception):
    """Base of every error that Notiway raises on purpose."""

    code: ClassVar[str] = "Error"
    status: ClassVar[int] = 500
    retry_after: int | None = None  # seconds, where trying again helps

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.faults = tuple(faults)

    def as_dict(self) -> dict[str, Any]:
        """The error body that every JSON answer carries."""
        fields = [{"path": fault.path, "message": fault.message} for fault in self.faults]
        return {"error": {"code": self.code, "message": self.message, "fields": fields}}

    def __str__(self) -> str:
        details = "; ".join(f"{fault.path}: {fault.message}" for fault in self.faults)
        return f"{self.message} ({details})" if details else self.message


class ConfigError(NotiwayError, click.ClickException):  # type: ignore[misc]  # click declares its `message` final
    """A setting is missing or wrong; the message says what to set.

    It is click's as well: a `flask` command that cannot load the application tells it in one line, without a traceback.
    """

    code = "ConfigError"

    def format_message(self) -> str:
        return str(self)


class WrongInput(NotiwayError):
    """The request cannot be understood."""

    code = "WrongInput"
    status = 400


class InvalidNotification(WrongInput):
    """A notification breaks a rule; every fault is named, nothing is stored or sent.

    >>> send_notification("42", "", type="loud")  # doctest: +SKIP
    InvalidNotification: ... (title: must not be empty; type: must be one of …)
    """

    status = 422


class InvalidSettings(WrongInput):
    """A user's settings break a rule; every fault is named, nothing is changed."""

    status = 422


class Unauthorized(NotiwayError):
    """Nobody is signed in, or the key or token is not valid."""

    code = "Unauthorized"
    status = 401


class Forbidden(NotiwayError):
    """Signed in, but not allowed to do this."""

    code = "Forbidden"
    status = 403


class NotFound(NotiwayError):
    """There is no such thing, or it belongs to somebody else: the answer is the same."""

    code = "NotFound"
    status = 404


class NotSupported(NotiwayError):
    """This wire does not offer that."""

    code = "NotSupported"
    status = 400


class NoCarrier(NotiwayError):
    """The WSGI server does not lend its socket."""

    code = "NotSupported"
    status = 501


class CannotHold(NotiwayError):
    """The server lends its socket, but each open connection would hold one of its few workers or threads."""

    code = "Unavailable"
    status = 503


class Restarting(NotiwayError):
    """This process takes no new connections. @microsoft/signalr 10 does not retry after an immediate close."""

    code = "Restarting"
    status = 503


class Busy(NotiwayError):
    """More live connections at once than this process takes; `retry_after` is in seconds."""

    code = "Unavailable"
    status = 503
    retry_after: int

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ActionFailed(NotiwayError):
    """What the button of a notification does cannot be done. The message is for readers, so it says why.

    >>> raise ActionFailed("The order was cancelled")  # doctest: +SKIP
    """

    code = "ActionFailed"
    status = 409


class TooLarge(NotiwayError):
    """The input is over a size limit."""

    code = "TooLarge"
    status = 413


class TooSlow(NotiwayError):
    """The body of a request did not arrive in time (RFC 9110 §15.5.9)."""

    code = "WrongInput"
    status = 408


class Throttled(NotiwayError):
    """Too many requests; `retry_after` is in seconds."""

    code = "Throttled"
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(NotiwayError):
    """More is published than can be delivered. Nothing was stored; `retry_after` is in seconds."""

    code = "Unavailable"
    status = 503
    retry_after = 1


class Unavailable(NotiwayError):
    """The database is locked, full or away, or all its connections are in use. Nothing was changed; try again.

    `retry_after` is in seconds; `reason`, with the remedy, is for the log and not for clients.
    """

    code = "Unavailable"
    status = 503

    def __init__(self, message: str, reason: str = "", retry_after: int = RETRY_SECONDS) -> None:
        super().__init__(message)
        self.reason = reason or message
        self.retry_after = retry_after


class BrokerDown(Unavailable, OSError):
    """The broker does not answer, or cannot take what it is given. What is stored is stored, and is heard later.

    It is an `OSError`, as any other connection that fails. `reason` is for the log, `retry_after` is in seconds.
    """

    def __init__(self, reason: str, retry_after: int = RETRY_SECONDS) -> None:
        super().__init__("Live delivery is not available. Try again in a few seconds.", reason, retry_after)
