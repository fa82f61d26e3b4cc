"""What staff do: send, in one transaction with the audit row that tells of it. (`recall` has its own.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee

from notiway.live.runtime import current
from notiway.store import audit
from notiway.store.database import db
from notiway.store.session.joining import joins
from notiway.values.audience import Audience
from notiway.verbs import reach
from notiway.verbs.send import send_notification


@joins
def send(
    by: str, to: Audience | Sequence[str], title: str, message: str = "", *, form_key: str | None = None, **fields: Any
) -> tuple[audit.Entry, bool]:
    """Send to an audience, or to these user ids; the audit row, and False if this form was sent before.

    `by` is who does it, `fields` are those of `send_notification`. A second call with the same `form_key` (a uuid)
    stores and sends nothing. `InvalidNotification` names every fault; then there is no row either.

    >>> staff.send(current_user.id, Audience.tenant("acme"), "Maintenance tonight", type="warning")  # doctest: +SKIP
    """
    try:
        with db.atomic():
            return _send(by, to, title, message, form_key, fields)
    except peewee.IntegrityError:
        # Two requests with one form at once, on a database with many writers: the other one has sent it.
        first = audit.sent_by_form(by, form_key) if form_key else None
        if first is None:
            raise
        return first, False


def _send(
    by: str, to: Audience | Sequence[str], title: str, message: str, form_key: str | None, fields: dict[str, Any]
) -> tuple[audit.Entry, bool]:
    first = audit.sent_by_form(by, form_key) if form_key else None
    if first is not None:
        return first, False
    now = current()
    sent = send_notification(to, title, message, dedupe_key=form_key, **fields)
    reached = reach.of(now, to)
    details = {
        "title": sent.title,
        "message": sent.message,
        "type": sent.type,
        "name": sent.name,
        "priority": sent.priority,
        "action_url": sent.action_url,
        "persist": fields.get("persist", True),
        "expires_at": sent.expires_at,
        "people": reached.people,
        # A command has no sockets of its own: without a broker that is shared it cannot know who is connected.
        "online": None if by == audit.COMMAND_LINE and not now.presence.is_shared else reached.online,
    }
    if not isinstance(to, Audience):
        details["to"] = list(dict.fromkeys(to))
    entry = audit.record(by, "send", sent.audience, notification_id=sent.id, form_key=form_key, details=details)
    return entry, True
