"""Subscriptions: which channels a process wants to hear, which it is known to hear, and who waits for that."""

from __future__ import annotations

import threading
from collections.abc import Collection

AT_ONCE = 500  # channels in one command

Command = tuple[str, list[str]]  # SUBSCRIBE or UNSUBSCRIBE, and channels


class Ticket:
    """Somebody who waits until some channels are heard."""

    def __init__(self, channels: Collection[str]) -> None:
        self.missing = set(channels)
        self.is_confirmed = False
        self.is_late = False  # nobody waits any more: what was told meanwhile was missed
        self._done = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether they were all confirmed in time."""
        self._done.wait(seconds)
        return self.is_confirmed

    def confirm(self, channel: str) -> None:
        self.missing.discard(channel)
        if not self.missing:
            self.is_confirmed = True
            self._done.set()

    def fail(self) -> None:
        self._done.set()


class Subscriptions:
    """The wishes of all threads, and the commands for the one that reads.

    A channel is heard when Redis has confirmed the last SUBSCRIBE that was sent for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, None] = {}
        self._heard: set[str] = set()
        self._asked: dict[str, int] = {}  # SUBSCRIBEs that are not confirmed
        self._queue: list[tuple[str, str]] = []  # commands to be sent, and their channels
        self._tickets: dict[str, list[Ticket]] = {}
        self.is_connected = False
        self._is_away = False  # there is no line, and the last try to get one has failed

    def __len__(self) -> int:
        return len(self._wanted)

    @property
    def is_whole(self) -> bool:
        """Whether all that is wanted is heard."""
        with self._lock:
            return self.is_connected and len(self._heard) == len(self._wanted)

    def want(self, channels: Collection[str]) -> Ticket | None:
        """Hear these from now on; None if they are heard already, else what is to be waited for."""
        with self._lock:
            missing = [each for each in channels if each not in self._heard]
            if not missing:
                return None
            ticket = Ticket(missing)
            for each in missing:
                if each not in self._wanted:
                    self._wanted[each] = None
                    self._ask(each)
                self._tickets.setdefault(each, []).append(ticket)
            if self._is_away:
                self._forget(ticket)
                ticket.fail()
            return ticket

    def drop(self, channels: Collection[str]) -> None:
        """Hear these no more."""
        with self._lock:
            for each in channels:
                if each in self._wanted:
                    del self._wanted[each]
                    self._heard.discard(each)
                    if self.is_connected:
                        self._queue.append(("UNSUBSCRIBE", each))

    def give_up(self, ticket: Ticket) -> None:
        """Nobody waits for this any more; it is told of when it is confirmed after all."""
        with self._lock:
            ticket.is_late = not ticket.is_confirmed

    def commands(self) -> list[Command]:
        """What is to be sent now, in its order, in as few commands as possible."""
        with self._lock:
            queue, self._queue = self._queue, []
        found: list[Command] = []
        for name, channel in queue:
            if found and found[-1][0] == name and len(found[-1][1]) < AT_ONCE:
                found[-1][1].append(channel)
            else:
                found.append((name, [channel]))
        return found

    def confirm(self, channel: str) -> bool:
        """Redis hears for us on this channel; whether somebody had given up to wait for it."""
        with self._lock:
            left = self._asked.pop(channel, 1) - 1
            if left > 0:
                self._asked[channel] = left
                return False
            if channel not in self._wanted:
                return False
            self._heard.add(channel)
            tickets = self._tickets.pop(channel, [])
            for ticket in tickets:
                ticket.confirm(channel)
            return any(ticket.is_late for ticket in tickets)

    def connect(self) -> None:
        """There is a new line: everything has to be asked for again."""
        with self._lock:
            self.is_connected, self._is_away = True, False
            self._queue = []
            self._asked.clear()
            for each in self._wanted:
                self._ask(each)

    def disconnect(self) -> None:
        """The line is gone: nothing is heard, and nobody waits for it."""
        with self._lock:
            self.is_connected, self._is_away = False, True
            self._heard.clear()
            tickets = {ticket for each in self._tickets.values() for ticket in each}
            self._tickets.clear()
        for ticket in tickets:
            ticket.fail()

    def _ask(self, channel: str) -> None:
        if self.is_connected:
            self._asked[channel] = self._asked.get(channel, 0) + 1
            self._queue.append(("SUBSCRIBE", channel))

    def _forget(self, ticket: Ticket) -> None:
        for each in ticket.missing:
            self._tickets[each].remove(ticket)
            if not self._tickets[each]:
                del self._tickets[each]
