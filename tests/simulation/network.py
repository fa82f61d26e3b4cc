"""Network: the broker between the processes. It may delay, drop, double and reorder Events, as its manners say."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from notiway.values.event import Event

from .tasks import Crash

AT_ONCE = 2_000  # microseconds that an Event takes at most on a good network


@dataclass(frozen=True)
class Manners:
    """How likely each misfortune is, and how long an Event may be under way, in microseconds."""

    late: float = 0.0
    longest: int = 0
    lost: float = 0.0
    doubled: float = 0.0
    is_calm: bool = True


def bad_manners(chance: Random) -> Manners:
    """A network on which something goes wrong."""
    return Manners(
        late=chance.choice((0.0, 0.3, 0.6)),
        longest=chance.choice((500_000, 2_000_000, 8_000_000, 20_000_000)),
        lost=chance.choice((0.0, 0.0, 0.05, 0.2)),
        doubled=chance.choice((0.0, 0.0, 0.2)),
        is_calm=False,
    )


@dataclass(slots=True)
class Parcel:
    """An Event under way, with what the checks want to know of it."""

    event: Event
    commit: int  # the number of the commit that it tells of
    users: frozenset[str]  # whom it concerns; empty: everybody
    title: str | None
    is_double: bool = False


class Network:
    """Carries each published Event to every process."""

    def __init__(self, world: Any, manners: Manners) -> None:
        self._world = world
        self.manners = manners
        self.under_way = 0
        self._newest: dict[tuple[int, str], int] = {}  # by slot and user: the latest commit that was delivered there
        self._everyone: dict[int, int] = {}  # the same for what concerns everybody

    def publish(self, process: Any, event: Event) -> None:
        world, chance, manners = self._world, self._world.chance, self.manners
        task = world.tasks.current()
        if not manners.is_calm and task is not None and world.crash_chance and chance.random() < world.crash_chance:
            world.lost(self._parcel(event, task), "its process crashed before it was published")
            world.crash(process)
            raise Crash
        parcel = self._parcel(event, task)
        raw = event.to_bytes()
        world.note_publish(process, parcel)
        for slot in world.slots:
            there = world.processes.get(slot.number)
            if there is not None and not there.runtime.broker.hears(event.told_at):
                world.trace("  %s is not heard by p%d", event.kind, slot.number)
                self._note(slot.number, parcel)  # whoever comes there later reads a database that has it
                continue
            if manners.is_calm:
                self._deliver(slot, raw, parcel)
                continue
            if manners.lost and chance.random() < manners.lost:
                world.lost(parcel, f"the broker lost it on its way to p{slot.number}")
                continue
            copies = 2 if manners.doubled and chance.random() < manners.doubled else 1
            for copy in range(copies):
                longest = manners.longest if manners.late and chance.random() < manners.late else AT_ONCE
                self.under_way += 1
                sent = Parcel(event, parcel.commit, parcel.users, parcel.title, copy > 0)
                world.at(chance.randrange(longest), self._arrive, slot, raw, sent)

    def _arrive(self, slot: Any, raw: bytes, parcel: Parcel) -> None:
        self.under_way -= 1
        self._deliver(slot, raw, parcel)

    def _deliver(self, slot: Any, raw: bytes, parcel: Parcel) -> None:
        world = self._world
        if self._note(slot.number, parcel):
            world.disordered(parcel.users)
        process = world.processes.get(slot.number)
        if process is None:
            world.trace("  %s goes to p%d, which is down", parcel.event.kind, slot.number)
            return
        world.trace("  %s %s reaches %s", parcel.event.kind, parcel.title or parcel.event.audience, process.name)
        world.delivered(slot.number, parcel)
        if parcel.event.kind == "kick":
            world.kicked(process, parcel.event)
        process.badges.deliver(Event.from_bytes(raw))

    def look_up(self, event: Event) -> None:
        """Nobody is told of this commit: it is looked up in the database, whatever is still under way by then."""
        parcel = self._parcel(event, self._world.tasks.current())
        for slot in self._world.slots:
            self._note(slot.number, parcel)

    def _note(self, slot: int, parcel: Parcel) -> bool:
        """Note that this commit is known at a process; whether a later one was known there before."""
        if not parcel.commit:
            return False
        late = parcel.commit < self._everyone.get(slot, 0)
        if not parcel.users:
            newest = max([self._everyone.get(slot, 0), *(n for (where, _), n in self._newest.items() if where == slot)])
            self._everyone[slot] = max(parcel.commit, self._everyone.get(slot, 0))
            return parcel.commit < newest
        for user in parcel.users:
            late = late or parcel.commit < self._newest.get((slot, user), 0)
            self._newest[slot, user] = max(parcel.commit, self._newest.get((slot, user), 0))
        return late

    def parcel(self, event: Event) -> Parcel:
        """An Event that no task publishes any more."""
        return self._parcel(event, None)

    def _parcel(self, event: Event, task: Any) -> Parcel:
        audience = event.audience
        users = frozenset([audience.removeprefix("user:")]) if audience.startswith("user:") else frozenset()
        notification = event.data.get("notification")
        title = None if notification is None else notification["title"]
        return Parcel(event, 0 if task is None else task.commit, users, title)
