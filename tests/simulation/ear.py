"""Ear: what a process's broker is to Notiway. One that is remote hears what it has confirmed, and has gaps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from notiway.live import drain
from notiway.live.broker.later import is_looked_up
from notiway.values.errors import BrokerDown
from notiway.values.event import Event

CONFIRM_US = 300_000  # that a subscription takes at most
GAP_US = (50_000, 9_000_000)  # how long a process is cut off
BETWEEN_US = 20_000_000  # gaps of one process, at most
RESYNC_RATE = 500.0  # connections a second


class Ear:
    """Hands Events to the network, and says which of them its process hears."""

    def __init__(self, process: Any, network: Any, *, is_remote: bool) -> None:
        self._process = process
        self._network = network
        self.node = process.name
        self.is_remote = is_remote
        self.is_away = False
        self._wanted: set[str] = set()
        self._heard: set[str] = set()
        self._waiting: list[Any] = []  # tasks
        self._kept: list[Event] = []
        if is_remote:
            self._process.hub.hearing.ask_of(self)
            self._plan()

    def hears(self, audience: str) -> bool:
        """Whether what is told to this audience now comes to this process."""
        if not self.is_remote or audience.startswith("connection:"):
            return not self.is_away
        return audience in self._heard and not self.is_away

    # As `Broker`

    def listen(self, audiences: Collection[str]) -> bool:
        missing = self.ask(audiences)
        world = self._process.world
        task = world.tasks.current()
        assert task is not None, "the reactor waits for the broker"
        while not (self.is_away or self._heard.issuperset(missing)):
            self._waiting.append(task)
            world.tasks.wait()
        if self.is_away:
            raise BrokerDown("cut off")
        return bool(missing)

    def ask(self, audiences: Collection[str]) -> set[str]:
        """Want these, without a wait for the answer; those that are not heard yet."""
        world = self._process.world
        missing = set(audiences) - self._heard
        self._wanted |= missing
        if missing and not self.is_away:
            if world.is_calm:
                self._heard |= missing
            else:
                world.at(world.chance.randrange(CONFIRM_US), self._confirm, missing)
        return missing

    def unlisten(self, audiences: Collection[str]) -> None:
        self._wanted -= set(audiences)
        self._heard -= set(audiences)

    def heard_among(self, audiences: Sequence[str]) -> Sequence[str]:
        return audiences

    def publish(self, events: Sequence[Event]) -> None:
        if self.is_away:
            raise BrokerDown("cut off")
        for event in events:
            self._network.publish(self._process, event)

    def tell_later(self, events: Sequence[Event]) -> None:
        self._kept += events
        for event in filter(is_looked_up, events):
            self._network.look_up(event)

    def tell_gap(self, audiences: Collection[str] | None) -> None:
        raise AssertionError("nothing here is too much to be kept")

    # What goes wrong

    def _confirm(self, audiences: set[str]) -> None:
        if not self.is_away:
            self._heard |= audiences & self._wanted
            self._wake()

    def _plan(self) -> None:
        world = self._process.world
        if not world.is_calm:
            world.at(world.chance.randrange(BETWEEN_US), self._while_alive, self._begin)

    def _while_alive(self, call: Callable[[], None]) -> None:
        process = self._process
        if process.world.processes.get(process.slot.number) is process:
            call()
        elif self.is_away:
            self._network.under_way -= 1
            for event in self._kept:
                process.world.lost(self._network.parcel(event), "its process crashed while it was cut off")

    def _begin(self) -> None:
        world = self._process.world
        if world.is_quiet:
            return
        world.trace("  %s is cut off from the broker", self._process.name)
        self.is_away = True
        self._heard.clear()
        self._network.under_way += 1
        self._wake()
        world.at(world.chance.randint(*GAP_US), self._while_alive, self._end)

    def _end(self) -> None:
        world = self._process.world
        world.trace("  %s hears the broker again", self._process.name)
        self.is_away = False
        self._heard |= self._wanted
        self._network.under_way -= 1
        kept, self._kept = self._kept, []
        for event in kept:
            if not is_looked_up(event):
                self._network.publish(self._process, event)
        self._tell_gap({event.audience for event in kept if is_looked_up(event)})
        drain.resync(self._process.hub, None, RESYNC_RATE)
        self._plan()

    def _tell_gap(self, audiences: set[str]) -> None:
        for process in self._process.world.processes.values() if audiences else ():
            if not process.runtime.broker.is_away:  # one that is away looks at everything when it is back
                drain.resync(process.hub, audiences, RESYNC_RATE)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._process.world.tasks.wake(task)
