"""Snoozing: items leave list and count until a moment, and are back by themselves then, unread, on every device."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from notiway.live.runtime import Runtime, current
from notiway.pausing import pause
from notiway.store import inbox
from notiway.store.changes import snoozes as store
from notiway.store.database import db
from notiway.store.session.joining import stands_aside
from notiway.values.clock import DAY_MS, now_ms
from notiway.values.errors import Fault, WrongInput
from notiway.verbs.items import change, tell_restored

log = logging.getLogger(__name__)

MAX_DAYS = 366


@stands_aside
def snooze(user_id: str, ids: Sequence[str], until: int) -> int:
    """Snooze items, wherever they are now, until a moment in milliseconds since the epoch; returns the unread count.

    `WrongInput` for a moment that has passed, or that is more than `MAX_DAYS` away; `NotFound`, and nothing changed, if
    an item is not the user's. `verbs.changes.archive.put_back` undoes it.

    >>> snooze("42", [item.id], now_ms() + 3_600_000)  # doctest: +SKIP
    2
    """
    now = now_ms()
    if not now < until <= now + MAX_DAYS * DAY_MS:
        fault = Fault("until", f"must be a moment in the future, at most {MAX_DAYS} days away")
        raise WrongInput("Nothing was snoozed", [fault])
    runtime = current()
    with db.atomic():
        unread = change("deleted", user_id, ids, lambda user, ids: store.snooze(user, ids, until), snoozed_until=until)
        db.after_commit(lambda: runtime.snoozes.expect(until))
    return unread


def wake_due() -> int:
    """Bring back whatever is due, and tell everybody whose it is; how many items came back.

    Any number of processes may call it at once: each item comes back once. What fails is due the next time still.
    """
    runtime = current()
    count = failed = 0
    while not failed and (due := store.due()):
        for user_id, ids in due.items():
            try:
                count += _wake(runtime, user_id, ids)
            except Exception:
                failed += 1
                log.exception(
                    "snoozed notifications of user %s could not be brought back; they are tried again", user_id
                )
            pause()
    return count


def _wake(runtime: Runtime, user_id: str, ids: Sequence[str]) -> int:
    with db.atomic():
        items = store.wake(user_id, ids)
        unread = inbox.unread_count(user_id)
        if items:
            db.after_commit(lambda: tell_restored(runtime, user_id, items, unread, woken=now_ms()))
    return len(items)
