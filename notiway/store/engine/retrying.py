"""Retrying: a transaction that the database ended in favour of another one is done again, where that is safe."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import peewee

from notiway.pausing import pause
from notiway.store.engine.faults import is_conflict

log = logging.getLogger(__name__)

RETRIES = 2
PAUSE_SECONDS = 0.05  # before the first; the other transaction is likely to be done by then

Result = TypeVar("Result")


def in_transaction(database: Any, work: Callable[[], Result]) -> Result:
    """Do `work` in a transaction, and again after a deadlock or a serialization failure, twice at most.

    Nothing of the first attempt is left then, and its `after_commit` calls are forgotten. Inside a transaction of the
    caller's it is done once: that one is lost as a whole, and only the caller could begin it again.
    `DatabaseUnavailable` if it does not help.
    """
    left = 0 if database.in_transaction() else RETRIES
    while True:
        try:
            with database.atomic():
                return work()
        except peewee.OperationalError as error:
            if not left or not is_conflict(error):
                raise
            log.info("a transaction gave way to another one (%s) and is tried again", error)
        pause(PAUSE_SECONDS * (RETRIES - left + 1))
        left -= 1
