"""Pending: what is told once a SQLAlchemy session has committed, and forgotten where it rolls back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

log = logging.getLogger(__name__)

KEY = "notiway_pending"  # in Session.info
FORGOTTEN = (
    "a session was closed without a commit, so what was sent in it is not stored and nobody is told: call"
    " session.commit() after send_notification"
)

Call = Callable[[], Any]


class Pending:
    """The calls of one session's transaction, each with the savepoint (or the transaction) that it was made in."""

    def __init__(self) -> None:
        self.calls: list[tuple[SessionTransaction, Call]] = []
        self.doubts: list[Call] = []
        self.is_committed = False
        self.is_rolled_back = False


def promise(session: Session, calls: Sequence[Call], doubt: Call | None = None) -> None:
    """Make these calls after the outermost commit of the session; never if that, or a savepoint around here, fails.

    The session may be used by them again. A fault of one is logged, and the others go on. `doubt` is called where the
    transaction ends without a commit that was answered.
    """
    if not calls:
        return
    pending: Pending = session.info.setdefault(KEY, Pending())
    innermost = session.get_nested_transaction() or session.get_transaction() or session.begin()
    pending.calls += [(innermost, call) for call in calls]
    pending.doubts += [] if doubt is None else [doubt]


def _of(session: Session) -> Pending | None:
    """Nearly every session has none; those of other applications are not given an `info` for it."""
    info = vars(session).get("info")
    return None if info is None else info.get(KEY)


# For all sessions of the process, which costs each transaction a look into a dictionary. A listener for every session
# would cost those that send, and one for every factory would miss those that tests put in the place of a factory.
@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    """SQLAlchemy calls this for savepoints too."""
    pending = _of(session)
    if pending is None:
        return
    ending = session.get_nested_transaction()
    if ending is None:
        pending.is_committed = True
        return
    around = _around(ending)
    pending.calls = [(around if within is ending else within, call) for within, call in pending.calls]


@event.listens_for(Session, "after_rollback")
def _rolled_back(session: Session) -> None:
    pending = _of(session)
    if pending is not None:
        pending.is_rolled_back = True


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    pending = _of(session)
    if pending is None:
        return
    if transaction.parent is not None:  # what is still in it was rolled back
        pending.calls = [each for each in pending.calls if each[0] is not transaction]
        return
    session.info.pop(KEY, None)
    if pending.is_committed:
        _make([call for _, call in pending.calls])
        return
    _make(pending.doubts)
    if pending.calls and not pending.is_rolled_back:
        log.warning(FORGOTTEN)


def _around(nested: SessionTransaction) -> SessionTransaction:
    """The savepoint, or the transaction, that a savepoint lies in."""
    found = nested.parent or nested  # never itself: a savepoint has a parent
    while found.parent is not None and not found.nested:  # a flush has one of its own
        found = found.parent
    return found


def _make(calls: Sequence[Call]) -> None:
    for call in calls:
        try:
            call()
        except Exception:
            log.exception("a callback at the end of a session's transaction failed; the others go on")
