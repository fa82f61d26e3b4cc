"""Outbox: every notification that is sent while a test looks on, in the order of the commits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

from blinker import ANY
from flask import Flask

from notiway import signals
from notiway.testing.sent import ANYBODY, Sent, described, fits, listed
from notiway.values.item import Item

COMMIT = "Sent in a transaction that was not committed (commit it, or leave its `with` block):"


class Outbox(Sequence[Sent]):
    """What was sent, oldest first. It is filled after the commit, so what was rolled back is not in it.

    >>> sent[0].title, len(sent)  # doctest: +SKIP
    ('Order placed', 1)
    """

    def __init__(self) -> None:
        self._sent: list[Sent] = []
        self._promised: list[Sent] = []

    @overload
    def __getitem__(self, index: int) -> Sent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sent]: ...
    def __getitem__(self, index: int | slice) -> Sent | Sequence[Sent]:
        return self._sent[index]

    def __len__(self) -> int:
        return len(self._sent)

    def __repr__(self) -> str:
        return f"<Outbox\n{listed(self._sent)}>" if self._sent else "<Outbox: nothing was sent>"

    @property
    def uncommitted(self) -> Sequence[Sent]:
        """What was sent in a transaction that is still open, or was rolled back."""
        return tuple(self._promised)

    @property
    def titles(self) -> list[str]:
        return [each.title for each in self._sent]

    def to(self, recipient: Any) -> list[Sent]:
        """Those for this user or audience, given as to `send_notification`."""
        return [each for each in self._sent if fits(each, recipient, {})]

    def clear(self) -> None:
        """Forget what was sent so far."""
        self._sent.clear()
        self._promised.clear()

    def assert_sent(self, to: Any = ANYBODY, *, times: int | None = None, **wanted: Any) -> Sent:
        """Return the first notification that is as wanted; `AssertionError` shows what was sent instead.

        `to` is given as to `send_notification`. `wanted` may name `kind`, `title`, `message`, `type`, `priority`,
        `action_url` and `persisted`; for a text also a compiled regular expression, which is searched in it. With
        `times` exactly so many must be as wanted.

        >>> sent.assert_sent(to=user, kind="order-shipped", title=re.compile("^Order"))  # doctest: +SKIP
        """
        found = [each for each in self._sent if fits(each, to, wanted)]
        if not found:
            raise AssertionError(self._told(f"No notification {described(to, wanted)}was sent."))
        if times is not None and len(found) != times:
            raise AssertionError(self._told(f"{len(found)} {described(to, wanted)}were sent, not {times}."))
        return found[0]

    def assert_nothing_sent(self, to: Any = ANYBODY, **wanted: Any) -> None:
        """`AssertionError`, with what was sent, where anything was that is as wanted (see `assert_sent`)."""
        found = [each for each in self._sent if fits(each, to, wanted)]
        if found:
            raise AssertionError(f"{len(found)} sent, though nothing was to be:\n{listed(found)}")

    def _told(self, what: str) -> str:
        lines = [what]
        lines += ["Sent were, in this order:", listed(self._sent)] if self._sent else ["Nothing was sent."]
        lines += [COMMIT, listed(self._promised)] if self._promised else []
        return "\n".join(lines)

    def _promise(self, _app: Flask, notification: Item, user_ids: list[str], is_kept: bool = False) -> None:
        if is_kept:  # under an id of the other database, in which it is stored after the session's commit
            self._promised = [each for each in self._promised if each.notification.id != notification.id]
        else:
            self._promised.append(Sent(notification, tuple(user_ids)))

    def _take(self, _app: Flask, notification: Item, user_ids: list[str], **_more: Any) -> None:
        made = Sent(notification, tuple(user_ids))
        self._sent.append(made)
        self._promised = [each for each in self._promised if each.notification.id != notification.id]


@contextmanager
def outbox(app: Flask | None = None) -> Iterator[Outbox]:
    """Inside, take down every notification that is sent (by this application, else by any), stored or not.

    Everything else happens as usual: what is to be stored is, in the database of the test.

    >>> with outbox() as sent:  # doctest: +SKIP
    ...     place_order()
    >>> sent.assert_sent(to="ada", title="Order placed")  # doctest: +SKIP
    """
    taken = Outbox()
    sender: Any = ANY if app is None else app
    with (
        signals.sent.connected_to(taken._take, sender),
        signals.promised.connected_to(taken._promise, sender),
    ):
        yield taken
