"""World: one schedule. Everything in it follows from its seed: who does what, when, and what goes wrong."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

from notiway.live import runtime
from notiway.pausing import STRETCH_SECONDS
from notiway.store import inbox

from .audiences import USERS
from .chance import Chance
from .checks import Checks
from .client import Client
from .clock import MICRO, Clock
from .network import Manners, Network, bad_manners
from .process import HEARTBEAT_SECONDS, Process
from .record import Record
from .site import SLOTS, Site
from .sockets import Line
from .tasks import Tasks

WIRES = ("json", "sse", "signalr", "html")
WIRE_WEIGHTS = (4, 3, 3, 1)
UNITS_AT_MOST = 20_000  # pieces of work in one go: more is a loop without end
AWAY_US = (10_000, 3_000_000)  # before a client that lost its line comes back
DOWN_US = (1_000, 300_000)
ROOM_BYTES = (300, 1_000, 4_000, 40_000)  # that the kernels keep for a client which does not read
RESTLESS = 16  # in one of so many schedules users join and leave all the time
REMOTE = 4  # in one of so many schedules processes hear what they ask for, and are cut off from the broker
COUNTS_AGE_US = int(2.1 * HEARTBEAT_SECONDS * MICRO)


class World(Record):
    """The clock, the processes, the clients and what lies between them."""

    def __init__(self, site: Site, seed: int, lines: list[str] | None = None) -> None:
        super().__init__(Clock(), site.database)
        self.seed = seed
        self.chance = Chance(seed)
        self.tasks = Tasks()
        self.faults = self.tasks.faults
        self.lines = lines
        self.agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self.commits = 0
        self.building: Any = None
        self.checks = Checks(self)
        chance = self.chance
        self.is_calm = chance.random() < 0.35
        self.is_restless = seed % RESTLESS == 1  # by the seed itself: the schedules of the others stay as they were
        self.is_remote = seed % REMOTE == 3
        self.queue_total = 1024 * 1024
        self.network = Network(self, Manners() if self.is_calm else bad_manners(chance))
        self.crash_chance = 0.0 if self.is_calm or chance.random() < 0.5 else 0.02
        self.slots = site.slots[: chance.randint(1, SLOTS)]
        self.processes: dict[int, Process] = {}
        self.clients: list[Client] = []
        self.pinging: list[Client] = []  # those of them who speak SignalR
        self.ended_sessions: set[str] = set()
        self.is_quiet = False
        self._fd = 0

    # What the stand-ins ask

    def sleep(self, seconds: float) -> None:
        task = self.tasks.current()
        if task is None or self.database.raw.in_transaction:
            return
        microseconds = int(seconds * MICRO)  # none for a pause that only lets others run
        if microseconds:
            self.at(microseconds, self.tasks.wake, task)
            self.tasks.wait()
        elif not self.is_calm:
            self.tasks.pause()

    def has_worked_long(self) -> float:
        """For how many seconds a task has worked since it was asked last."""
        is_task = not self.is_calm and self.tasks.current() is not None
        return 2 * STRETCH_SECONDS if is_task and self.chance.random() < 0.1 else 0.0

    def before_statement(self) -> None:
        if not self.is_calm and self.tasks.current() is not None and self.chance.random() < 0.15:
            self.tasks.pause()

    def after_commit(self) -> None:
        self.commits += 1
        task = self.tasks.current()
        if task is not None:
            task.commit = self.commits
            if not self.is_calm and self.chance.random() < 0.15:
                self.tasks.pause()

    # What happens

    def at(self, delay_us: int, call: Callable[..., None], *args: Any) -> None:
        self._number += 1
        heapq.heappush(self.agenda, (self.clock.us + delay_us, self._number, call, args))

    def start(self) -> None:
        chance = self.chance
        for slot in self.slots:
            self.processes[slot.number] = Process(slot, self)
        wires = chance.choices(WIRES, WIRE_WEIGHTS, k=chance.randint(2, 4))
        for number, wire in enumerate(wires):
            user = chance.choice(USERS[:2])
            reconciles = wire == "html" or (wire != "signalr" and chance.random() < 0.5)
            # By the seed itself: what chance draws stays as it was, and so do the schedules without SignalR.
            resumes = wire == "signalr" and bool(self.seed >> number & 1)
            client = Client(self, f"c{number}", user, wire, reconciles, resumes)
            self.clients.append(client)
            if wire == "signalr":
                self.pinging.append(client)
            manner = ", reconciles" if reconciles else ", resumes" if resumes else ""
            self.trace("%s is %s on %s%s", client.name, user, wire, manner)
            self.come_back(client)
        self.trace("%s, %d processes, %s", "calm" if self.is_calm else "stormy", len(self.slots), self.network.manners)

    def new_line(self, client: Client) -> Line:
        self._fd += 1
        return Line(self._fd, self.chance.choice(ROOM_BYTES), client)

    def come_back(self, client: Client) -> None:
        self.at(self.chance.randint(*AWAY_US), self._come_back, client)

    def _come_back(self, client: Client) -> None:
        if client.line is not None:
            return
        open_ones = [process for process in self.processes.values() if not process.is_leaving]
        if open_ones:
            client.connect(self.chance.choice(open_ones))
        else:
            self.come_back(client)

    def crash(self, process: Process) -> None:
        """The process is dead at once. Its machine starts another one a little later."""
        self.trace("  %s crashes", process.name)
        self._end(process)
        if self.tasks.kill(process):
            self.disordered(frozenset())  # what they had committed, nobody is told
            self.users_misplaced.update(USERS)

    def _end(self, process: Process) -> None:
        self.processes.pop(process.slot.number, None)
        process.slot.app.extensions.pop(runtime.KEY, None)
        for client in self.clients:
            if client.process is process:
                client.cut()
        self.at(self.chance.randint(*DOWN_US), self._restart, process.slot)

    def _restart(self, slot: Any) -> None:
        self.trace("  p%d starts again", slot.number)
        self.processes[slot.number] = Process(slot, self)

    def leave(self, process: Process) -> None:
        """SIGTERM: the process says goodbye to its clients, and ends."""
        process.is_leaving = True
        process.runtime.begin_drain()
        process.hub.close_all(1012, "restarting", 0.0)
        self.at(200_000, self._gone, process)

    def _gone(self, process: Process) -> None:
        if self.processes.get(process.slot.number) is process:
            self.crash(process)

    def listed(self, user: str, limit: int) -> list[Any]:
        return inbox.feed(user, limit=limit).items

    # Time and work

    def has_work(self) -> bool:
        return bool(
            self.tasks.ready
            or any(process.loop.has_work() for process in self.processes.values())
            or any(client.wants_to_read() for client in self.clients)
        )

    def work(self, units: int) -> None:
        """Let so many pieces of work be done, in an order by chance; all there is, if there is less."""
        tasks, clients, below = self.tasks, self.clients, self.chance.below
        for _ in range(units):
            if self.is_calm:
                if not self._work_in_order():
                    return
                continue
            ready = [process.loop.turn for process in self.processes.values() if process.loop.has_work()]
            ready += [client.read for client in clients if client.wants_to_read()]
            number = len(ready) + len(tasks.ready)
            if not number:
                return
            chosen = below(number) if number > 1 else 0
            if chosen < len(ready):
                ready[chosen]()
            else:
                tasks.run(chosen - len(ready))
        if units >= UNITS_AT_MOST:
            self.fault("invariant 14: the work never ends")

    def _work_in_order(self) -> bool:
        """Do the first piece of work that there is; False if there is none."""
        for process in self.processes.values():
            if process.loop.has_work():
                process.loop.turn()
                return True
        for client in self.clients:
            if client.wants_to_read():
                client.read()
                return True
        if self.tasks.ready:
            self.tasks.run(0)
            return True
        return False

    def work_off(self) -> None:
        self.work(UNITS_AT_MOST)

    def advance(self, us: int) -> None:
        """Let time pass, from one thing that is due to the next."""
        until = self.clock.us + us
        while self.clock.us < until and not self.faults:
            due = min(until, self.agenda[0][0]) if self.agenda else until
            for process in self.processes.values():
                due = min(due, process.beats_at)
            self.clock.us = max(due, self.clock.us)
            while self.agenda and self.agenda[0][0] <= self.clock.us:
                _, _, call, args = heapq.heappop(self.agenda)
                call(*args)
            for process in list(self.processes.values()):
                process.loop.turn()
            for client in self.pinging:
                client.keep_alive()
            if self.is_calm or self.is_quiet or self.chance.random() < 0.5:
                self.work_off()
            else:
                self.work(self.chance.randrange(20))

    def end(self) -> None:
        self.tasks.end()
