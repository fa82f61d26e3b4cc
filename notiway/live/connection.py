"""Connection: one live client, with a bounded backlog and whole-frame writes. It runs on the reactor, without locks."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from notiway import metrics
from notiway.live import socket_room
from notiway.live.backlog import BLOCKED, Backlog, Ledger
from notiway.live.delivery import told
from notiway.live.state import State
from notiway.values.close_codes import CloseCode, close_label

if TYPE_CHECKING:
    from notiway.live.hub import Hub

PING = "ping"  # the key of pings, which go out during a replay too: a client may be long about it
HELD_FRAMES = 10_000  # that may wait for a client which is brought up to date, or has not said hello yet


class Connection:
    """One client. `offer` never blocks and never writes part of a frame without the rest following.

    `user_id` is None for nobody; `session` names the login session, so that a sign-out finds all its tabs. `backlog` is
    None while the client keeps up. `limit` bytes may wait in it for a client that has stalled, more for one that reads.
    """

    # fmt: off
    __slots__ = (
        "audiences", "backlog", "direct", "ends_at", "fd", "format", "grants", "held", "holds", "id", "known", "limit",
        "mail", "missed", "on_gone", "opening", "owner", "parser", "partial", "paused", "replaying", "replays", "send",
        "session", "since", "slot", "sock", "stage", "state", "then", "told", "told_to", "user_id", "wants_write",
    )
    # fmt: on

    def __init__(self, sock: Any, format: Any, connection_id: str, limit: int, user_id: str | None = None) -> None:
        socket_room.prepare(sock)
        self.sock, self.send = sock, sock.send
        self.fd: int = sock.fileno()
        self.format = format
        self.id = connection_id
        self.limit = limit
        self.user_id = user_id
        self.session: str | None = None
        self.since: str | None = None  # what a client that is brought up to date later says that it has
        self.audiences: tuple[str, ...] = ()
        self.state = State.OPEN
        self.direct = False  # open, plain, nothing queued, nothing held: the fan-out may write at once
        self.held: list[tuple[str | None, str | None, bytes]] | None = []
        self.opening, self.holds = True, 1  # until the first release; by so many it is held, before it goes live
        self.told: int | None = None  # the last count that it was told, or that waits for it; None if that is not known
        self.told_to = told.NOTHING  # the highest position that it has heard, or that may be in that count
        self.known: frozenset[str] = frozenset()  # items that were replayed: their Events are passed over
        self.backlog: Backlog | None = None
        self.parser: Any = None
        self.partial: bytearray | None = None
        self.missed = 0  # beats since the client was heard
        self.slot = 0
        self.grants: tuple[str, ...] = ()  # audiences that a token lets it subscribe to
        self.ends_at: float | None = None  # seconds since the epoch: when session or token end
        self.stage = ""  # how far a protocol above the transport has come
        self.mail: Any = None
        self.paused = False  # not read from: it has said too much
        self.wants_write = False
        self.replaying = False  # held, but what it missed goes out page by page
        self.then: Callable[[], None] | None = None  # what to do when all that waits is written
        self.replays: dict[str, int] | None = None  # when each audience was last replayed, in milliseconds
        self.owner: Hub | None = None
        self.on_gone: Callable[[], None] | None = None

    def offer(self, data: bytes, key: str | None = None, item_id: str | None = None) -> None:
        """Send whole, or queue; a queued frame with the same `key` is replaced (it is superseded)."""
        if self.state is not State.OPEN or item_id in self.known:
            return
        if self.held is not None and key == PING and not self.replaying:
            return  # before its handshake is answered; the next one will do
        if self.held is not None and key != PING:
            self.held.append((item_id, key, data))
            if len(self.held) > HELD_FRAMES:
                self.drop()
            return
        if self.backlog is None:
            self.write(data)
        else:
            self._queue(self.backlog, key, data)

    def write(self, data: bytes) -> None:
        """Write at once; what the kernel does not take begins the backlog."""
        try:
            sent = self.send(data)
        except BLOCKED:
            sent = 0
        except OSError:
            self.lost()
            return
        if sent != len(data):
            self.keep(((data, None),), sent)

    def keep(self, frames: Iterable[tuple[bytes, str | None]], sent: int) -> None:
        """Begin a backlog with (bytes, key) frames of which the kernel took only the first `sent` bytes."""
        self.direct = False
        waiting = iter(frames)
        for data, _ in waiting:
            if sent < len(data):
                self.backlog = Backlog(data, self._ledger(), sent)
                break
            sent -= len(data)
        if self.owner is not None:
            self.owner.want_write(self, True)
        for data, key in waiting:
            self.offer(data, key)

    def hold(self) -> None:
        """Keep back what comes from now on, until `release`: of several holds, until the last one is released."""
        if self.state is State.OPEN:
            self.held, self.holds, self.direct = self.held or [], self.holds + 1, False

    def know(self, ids: frozenset[str]) -> None:
        """Pass over the Events of these items from now on."""
        self.known = ids
        self.direct = self._may_be_direct()

    def pass_on(self, frames: list[bytes], then: Callable[[], None]) -> None:
        """Send frames ahead of what is held, and go on holding; `then` is called when the client has taken them."""
        if self.state is not State.OPEN or self.held is None:
            return
        self.replaying = True
        self._send_ahead(frames)
        if self.backlog is None and self.state is State.OPEN:
            then()
        else:
            self.then = then

    def release(self, first: list[bytes], unread: int | None = None) -> None:
        """End a hold: `first`, of any size, goes out and tells `unread`; after the last one what came goes out."""
        self.opening = False
        if unread is not None:
            told.note(self, unread)
        if self.state is State.OPEN and self.holds > 1:
            self.holds -= 1
            self._send_ahead(first)
            return
        held, self.held, self.holds, self.replaying = self.held or [], None, 0, False
        self.told = None if held else self.told
        if self.state is not State.OPEN:
            return
        self.direct = self._may_be_direct()
        if first and self.backlog is None:
            self.write(b"".join(first))
        elif first and self.backlog is not None:
            self._queue(self.backlog, None, b"".join(first))
        for item_id, key, data in held:
            self.offer(data, key, item_id)

    def _send_ahead(self, frames: list[bytes]) -> None:
        self.held = [each for each in self.held or () if each[0] not in self.known]
        if frames:
            (self.write if self.backlog is None else self.backlog.add)(b"".join(frames))

    def flush(self) -> None:
        """Write what is queued; called when the socket can take more."""
        if self.backlog is not None:
            try:
                if not self.backlog.flush(self.sock, self.send):
                    return
            except OSError:
                self.lost()
                return
        self.backlog = None
        if self.owner is not None:
            self.owner.want_write(self, False)
        if self.state is State.CLOSING:
            self._finish()
            return
        self.direct = self._may_be_direct()
        then, self.then = self.then, None
        if then is not None:
            then()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with a code: the rest of a half-written frame goes first, then the close frame."""
        if self.state is not State.OPEN:
            return
        self.state = State.CLOSING
        self.direct, self.held, self.partial, self.then = False, None, None, None
        metrics.CLOSES.labels(code=close_label(code)).inc()
        rest = self.backlog.first if self.backlog is not None else b""
        farewell = rest + self.format.transport.farewell(code, reason)
        try:
            # With this room the kernel keeps the goodbye of a client that has stopped reading.
            socket_room.give(self.sock, socket_room.FAREWELL_BYTES)
        except OSError:
            self.lost()
            return
        if self.backlog is not None:
            self.backlog.discard()
        self.backlog = Backlog(farewell, self._ledger())
        if self.owner is not None:
            self.owner.want_write(self, True)
        self.flush()

    def lost(self) -> None:
        """The client is gone, or has had its time: let the socket go."""
        if self.state is State.CLOSED:
            return
        self.state, self.direct = State.CLOSED, False
        if self.backlog is not None:
            self.backlog.discard()
        self.backlog = self.held = self.parser = self.partial = self.then = None
        if self.owner is not None:
            self.owner.forget(self)
        with suppress(OSError):  # the client's end may have closed it
            self.sock.close()
        if self.on_gone is not None:
            self.on_gone()

    def _queue(self, backlog: Backlog, key: str | None, data: bytes) -> None:
        backlog.add(data, key)
        if self.backlog is backlog and backlog.has_stalled(self.limit):
            self.drop()

    def drop(self) -> None:
        """Let go of a client that is too slow."""
        metrics.BACKLOG_DROPS.inc()
        self.close(CloseCode.TOO_SLOW, "too slow")

    def _ledger(self) -> Ledger | None:
        return None if self.owner is None else self.owner.pressure

    def _may_be_direct(self) -> bool:
        # A TLS write that was refused must be tried again with the same bytes, so there frames are not joined.
        waits = self.held is not None or self.backlog is not None or self.known
        return self.state is State.OPEN and not waits and not isinstance(self.sock, ssl.SSLSocket)

    def _finish(self) -> None:
        self.state = State.LINGERING
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.lost()
