"""Checks: the invariants of the design, asked after each thing that a client hears, each step, and at rest."""

from __future__ import annotations

from typing import Any

from notiway.live.state import State
from notiway.values import event
from notiway.values.ids import id_time

from .audiences import MEMBERS_ONLY
from .client import Client
from .sent import Sent
from .speech import Row, Said

OVERLAP_MS = 1_000 * getattr(event, "UNDER_WAY_SECONDS", 60)  # what a resume reads again, as documented
REMEMBERED_US = 10_000_000  # so long a replayed item's own Event is kept from the client


class Checks:
    """What must hold; a fault is a text in `world.faults`."""

    def __init__(self, world: Any) -> None:
        self.world = world

    # Whenever a client hears something

    def hears(self, client: Client, said: Said) -> None:
        if said.kind.startswith("error"):
            self.world.trace("  %s hears %s", client.name, said.kind)
            # In a storm a process may stand still for longer than a handshake may take.
            is_late = said.kind.startswith("error no handshake") and not self.world.is_calm
            if not is_late and not said.kind.startswith(("error NotFound", "error NotSupported", "error Forbidden")):
                self.world.fault(f"{client.name} was answered: {said.kind}")
        for row in said.rows:
            self._hears_row(client, row, said.kind)

    def _hears_row(self, client: Client, row: Row, kind: str) -> None:
        world = self.world
        sent: Sent | None = world.sent.get(row.title)
        world.trace("  %s hears %s %s", client.name, kind, row.title)
        if sent is None or sent.is_undone:
            world.fault(f"invariant 1: {client.name} heard {row.title!r}, which was rolled back")
            return
        if not world.may_hear(client.user, sent):
            world.fault(f"invariant 6: {client.name} ({client.user}) heard {row.title}, which was for {sent.audience}")
        for other in client.rows.values():
            if other.title == row.title and other.id != row.id:
                world.fault(f"invariant 16: {client.name} shows {row.title} twice: {other.id} and {row.id}")
        if kind == "item" and not sent.was_restored and not sent.was_doubled and not sent.replaces:
            self._told_once(client, sent)
            self._in_order(client, sent)

    def _told_once(self, client: Client, sent: Sent) -> None:
        world = self.world
        is_late = world.clock.us - sent.sent_at >= REMEMBERED_US
        if sent.title in client.heard and not is_late and not sent.audience.startswith("group:open"):
            world.fault(f"invariant 8: {client.name} was told {sent.title} twice on one line")
        client.heard.add(sent.title)

    def _in_order(self, client: Client, sent: Sent) -> None:
        if client.process is None or sent.id in client.line.replayed:
            return
        audience = sent.audience_for(client.user)
        place = sent.places.get((client.process.slot.number, audience))
        if place is None:
            return
        if place < client.order.get(audience, -1):
            self.world.fault(f"invariant 16: {client.name} heard {sent.title} behind a later one of {audience}")
        client.order[audience] = place

    def hears_read_all(self, client: Client, newest: str | None) -> None:
        """Older items may have come into the inbox since, with a group that was joined."""
        marked = self.world.marked_all.get((client.user, newest), set())
        shown = {key for key, row in client.rows.items() if row.is_kept and key <= newest}
        if not shown <= marked:
            self.world.disordered(frozenset([client.user]))

    # After each step

    def step(self) -> None:
        world = self.world
        for process in world.processes.values():
            self._nobody_waits(process)
        self._are_closed()
        if world.is_calm and not world.has_work():
            for client in world.clients:
                if client.is_open and not client.is_stalled:
                    self.holds(client, strictly=True, at_rest=False)

    def _nobody_waits(self, process: Any) -> None:
        """Invariant 3: whoever reads has nothing waiting once the process has done its work."""
        held: dict[int, int] = {}  # a frame that waits for several is in memory once
        for connection in list(process.hub._by_id.values()):
            backlog = connection.backlog
            if backlog is not None:
                waiting = [backlog._begun or b"", *(data for frame in backlog._frames for data in frame)]
                held |= {id(data): len(data) for data in waiting}
            waits = backlog is not None and connection.sock.is_writable()
            if waits and connection.state is State.OPEN and not process.loop.has_work():
                self.world.fault(
                    f"invariant 3: {connection.sock.client.name} reads, and yet {backlog.total} bytes wait"
                )
        counted, queued = process.hub.pressure.queued, sum(held.values())
        if counted < queued or (counted and not held):
            self.world.fault(f"invariant 3: {process.name} counts {counted} of {queued} bytes")

    def _are_closed(self) -> None:
        """Whoever was connected when a sign-out reached its process is not connected any more."""
        for process, connection in list(self.world.must_close):
            if not process.loop.has_work():
                self.world.must_close.remove((process, connection))
                if connection.state is State.OPEN:
                    self.world.fault(f"a sign-out passed over {connection.sock.client.name}")

    # At rest

    def holds(self, client: Client, *, strictly: bool, at_rest: bool) -> None:
        """The client shows what the database says. Not `strictly`: but for changes that the broker lost or mixed up."""
        world = self.world
        now = world.clock.now_ms()
        truth = world.database.inbox(client.user, now)
        if at_rest or not world.counts_are_old:
            self._counts(client, truth)
        rows = client.rows.items()
        shown = {key: row for key, row in rows if row.is_kept and row.title and not self._is_over(row, now)}
        expected = self._expected(client, truth)
        for key in sorted(expected.keys() - shown.keys()):
            sent = expected[key][0]
            if self._should_hear(client, sent) and not self._may_lack(client, sent, strictly, at_rest, key):
                world.fault(f"invariant 5: {client.name} lacks {sent.title}, and was not told")
        is_excused = not strictly and client.user in world.users_disordered
        if not is_excused and (client.reconciles or client.starts_afresh):
            self._is_exact(client, shown, expected, strictly and at_rest)

    def _counts(self, client: Client, truth: dict[str, bool]) -> None:
        unread = min(100, sum(not is_read for is_read in truth.values()))
        if client.badge is not None and client.badge != unread:
            self.world.fault(f"invariant 4: {client.name} shows {client.badge} unread, the database has {unread}")

    def _should_hear(self, client: Client, sent: Sent) -> bool:
        """SignalR clients are told what stands for the audiences that they listen to, the others the whole inbox."""
        return client.wire != "signalr" or self.world.listens(client, sent.audience_for(client.user))

    def _is_exact(
        self, client: Client, shown: dict[str, Row], expected: dict[str, tuple[Sent, bool]], is_fresh: bool
    ) -> None:
        for key, row in sorted(shown.items()):
            if key not in expected:
                if is_fresh or not self.world.was_removed(row.title):
                    self.world.fault(f"invariant 5: {client.name} shows {row.title}, which is gone")
            elif row.is_read is not expected[key][1]:
                state = "unread" if row.is_read else "read"
                self.world.fault(f"invariant 5: {client.name} does not show that {row.title} is {state}")

    def _expected(self, client: Client, truth: dict[str, bool]) -> dict[str, tuple[Sent, bool]]:
        found = {}
        for item_id, is_read in truth.items():
            sent = self.world.note_of(item_id)
            if client.wire == "signalr":
                found[f"{sent.audience_for(client.user)} {sent.public_id}"] = sent, is_read
            else:
                found[item_id] = sent, is_read
        return found

    def _may_lack(self, client: Client, sent: Sent, strictly: bool, at_rest: bool, key: str) -> bool:
        world = self.world
        if client.wire in sent.breaks or key in client.rows:  # it was told that it lacks this one
            return True
        if not (strictly and at_rest) and (client.user, sent.audience) in world.silent:
            return True
        if not strictly and (sent.title in world.titles_lost or key in client.hidden):
            return True
        if not strictly and sent.title in world.titles_restored and client.user in world.users_disordered:
            return True  # that it was restored may be what the broker lost
        if not client.reconciles and not client.starts_afresh:
            # It resumes from what it heard last, and is not told what came into the inbox without an Event.
            if sent.audience.startswith("group:open") and not client.wishes.get(sent.audience):
                return True
            joined_at = world.joined_at.get((client.user, sent.audience), -1)
            if joined_at >= sent.sent_at and (not world.is_calm or client.opened_at >= joined_at):
                return True
            if key in client.hidden or sent.title in world.titles_restored:
                return True  # what is changed while it is away, it learns from the list
            if sent.title in world.titles_lost:
                return bool(client.resumed_from) and sent.at_ms < id_time(client.resumed_from) - OVERLAP_MS
        return False

    def probe_heard(self, client: Client, probes: dict[str, Sent], strictly: bool) -> None:
        """No client is deaf, none hears what it has left."""
        world = self.world
        shown = {row.title for row in client.rows.values()}
        for audience, sent in probes.items():
            if not strictly and client.user in world.users_misplaced and audience in MEMBERS_ONLY:
                continue  # that its user joined or left has not reached its process
            listens = world.listens(client, audience)
            if listens and sent.title not in shown:
                world.fault(f"invariant 5: {client.name} listens to {audience}, but did not hear {sent.title}")
            if not listens and sent.title in shown and client.wire == "signalr":
                world.fault(f"{client.name} does not listen to {audience}, but heard {sent.title}")

    def nothing_is_left(self) -> None:
        """No connection, byte or work of the past is kept."""
        world = self.world
        for process in world.processes.values():
            here = [client for client in world.clients if client.process is process]
            if len(process.hub) != len(here):
                world.fault(f"{process.name} holds {len(process.hub)} connections of {len(here)} clients")
            if process.hub.pressure.queued:
                world.fault(f"invariant 3: {process.name} still counts {process.hub.pressure.queued} bytes that wait")
            if set(process.hub.listeners._left) - set(process.hub._by_id.values()):
                world.fault(f"{process.name} remembers what connections have left that are gone")
            known = set(process.hub.listeners._by_audience)
            if orphans := known - {key for each in process.hub._by_id.values() for key in each.audiences}:
                world.fault(f"{process.name} keeps audiences that nobody hears: {sorted(orphans)}")

    def _is_over(self, row: Row, now_ms: int) -> bool:
        sent = self.world.sent.get(row.title)
        return sent is not None and sent.ends_ms is not None and sent.ends_ms <= now_ms
