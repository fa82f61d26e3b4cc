"""Settings as a verb: what a user changes about attention holds in every tab and on every device at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notiway.live.runtime import Runtime, current
from notiway.store.attention import settings
from notiway.store.database import db
from notiway.store.session.joining import stands_aside
from notiway.values.attention.attention import Attention
from notiway.values.attention.changing import changed
from notiway.values.attention.telling import told
from notiway.values.clock import now_ms
from notiway.values.event import Event
from notiway.verbs.events import publish


@stands_aside
def change(user_id: str, given: Mapping[str, Any]) -> tuple[Attention, int]:
    """Change a user's settings as `PUT /notifications/settings` names them; returns them, and the number of the change.

    >>> settings.change("42", {"pause": "1h"})  # doctest: +SKIP

    `InvalidSettings` names every fault, and then nothing is changed.
    """
    runtime = current()
    now = now_ms()
    with db.atomic():
        attention, revision = settings.change(user_id, lambda before: changed(before, given, runtime.kinds, now))
        db.after_commit(lambda: _tell(runtime, user_id, attention, revision, now))
    return attention, revision


def _tell(runtime: Runtime, user_id: str, attention: Attention, revision: int, now: int) -> None:
    publish(runtime, Event("settings", f"user:{user_id}", told(attention, revision, runtime.kinds, now)))
