"""Signals: what has happened to notifications, for receivers in the application's own code, after the commit.

They are Blinker's, as Flask's own are: the sender is the application, everything else comes by name.

>>> from notiway import signals
>>> @signals.sent.connect
... def count(app, notification, **more):
...     print(notification.title)
"""

from __future__ import annotations

import logging
from typing import Any

from blinker import NamedSignal, Namespace
from flask import current_app, has_app_context

log = logging.getLogger(__name__)

_all = Namespace()

sent = _all.signal("notiway-sent", "A notification was sent: notification (an Item), audience, user_ids, persisted.")
seen = _all.signal("notiway-seen", "A list showed items to their user: user_id, ids.")
read = _all.signal("notiway-read", "A user has read items: user_id, ids.")
clicked = _all.signal("notiway-clicked", "A user followed a notification's link: user_id, id, url.")
acted = _all.signal("notiway-acted", "A user's action on a notification is done: user_id, id, action.")
deleted = _all.signal("notiway-deleted", "A user has deleted items: user_id, ids.")

promised = _all.signal("notiway-promised", "Sent inside a transaction that is not committed yet: for notiway.testing.")


def tell(signal: NamedSignal, **said: Any) -> None:
    """Tell the receivers of the current application; one that fails is logged, and costs nobody else anything."""
    if not signal.receivers or not has_app_context():
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    for receiver in list(signal.receivers_for(app)):
        try:
            receiver(app, **said)
        except Exception:
            log.exception("a receiver of the signal %s failed: correct it, nobody else is affected", signal.name)
