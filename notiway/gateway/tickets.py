"""Tickets: each opens one live connection for the page that asked for it, where no cookie reaches the live process."""

from __future__ import annotations

import secrets

from itsdangerous import BadSignature, URLSafeSerializer

from notiway import security_log
from notiway.live.runtime import Runtime
from notiway.store.credentials import tokens
from notiway.values.clock import now_ms
from notiway.values.config import EXTERNAL_USERS
from notiway.values.errors import Forbidden, Unauthorized
from notiway.values.principal import Principal

PARAMETER = "ticket"  # of the address that opens a connection
SALT = "notiway.ticket"
RANDOM_BYTES = 12
OVER = "The ticket is used, too old, or not for this; ask for a new one"


def make(now: Runtime, holder: Principal, origin: str) -> str:
    """A ticket for one connection of this user and login session, good for half a minute and for pages of that origin.

    The connection ends when the session does, as one that was opened with the cookie.
    """
    ends_at = now_ms() + tokens.TICKET_SECONDS * 1000
    words = [holder.user_id, holder.session, holder.ends_at, origin, ends_at, secrets.token_urlsafe(RANDOM_BYTES)]
    return str(_serializer(now).dumps(words))


def spend(now: Runtime, ticket: str, origin: str | None) -> Principal:
    """Use a ticket up, in all processes; whose it is. `origin` is that of the request, None without a browser.

    `Unauthorized` for one that is no ticket, too old, used before, or whose session or user is over; `Forbidden` for
    pages of another origin.
    """
    holder, page, ends_at = _read(now, ticket)
    check(now, ticket)
    if origin is not None and origin.lower() not in (page.lower(), *now.config.allowed_origins):
        security_log.note("origin_refused", origin=origin, address=None)
        raise Forbidden("This origin may not use the ticket")
    if not tokens.spend(ticket, ends_at):
        raise Unauthorized(OVER)
    return holder


def check(now: Runtime, ticket: str) -> Principal:
    """Whose a ticket is that may have been used; `Unauthorized` if its session or user is over meanwhile."""
    holder, _, ends_at = _read(now, ticket)
    issued_at = ends_at - tokens.TICKET_SECONDS * 1000
    if tokens.has_ended(holder.user_id, issued_at, None) or tokens.session_is_over(holder.session):
        raise Unauthorized(OVER)
    active = now.user_is_active(holder.user_id)
    if active is False or (active is None and now.config.users != EXTERNAL_USERS):
        raise Unauthorized(OVER)
    return holder


def _read(now: Runtime, ticket: str) -> tuple[Principal, str, int]:
    try:
        user_id, session, session_ends_at, origin, ends_at, _ = _serializer(now).loads(ticket)
    except (BadSignature, ValueError):
        raise Unauthorized(OVER) from None
    # A ticket from the future was made by a clock that is ahead: it lives no longer for that.
    if not now_ms() < ends_at <= now_ms() + 2 * tokens.TICKET_SECONDS * 1000:
        raise Unauthorized(OVER)
    return Principal(user_id, session, session_ends_at), origin, ends_at


def _serializer(now: Runtime) -> URLSafeSerializer:
    return URLSafeSerializer(now.app.secret_key or "", salt=SALT)
