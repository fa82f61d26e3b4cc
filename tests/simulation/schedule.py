"""Schedule: one run of a world from its seed to its rest, with all checks; and what came out."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from notiway.values.audience import Audience

from . import mutants, sending, stand_ins, steps
from .audiences import MEMBERS_ONLY, OPEN_GROUP
from .choosing import somewhere
from .clock import MICRO
from .network import Manners
from .process import HEARTBEAT_SECONDS
from .sent import Sent
from .site import Site
from .world import World

STEPS = (15, 50)
GC_THRESHOLDS = 20_000, 10, 10  # what a schedule makes is let go at its end
SETTLE_SECONDS = 40  # more than any Event is under way, and any client away


@dataclass
class Outcome:
    """`fault` is the first invariant that failed, None for a good schedule."""

    seed: int
    fault: str | None
    steps: int
    trace: list[str] = field(default_factory=list)


@cache
def site() -> Site:
    return Site()


@contextmanager
def simulating(mutant: str | None = None) -> Iterator[None]:
    """Inside, schedules can run; with a mutant, Notiway has that fault."""
    site()  # what it is made of is real
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        with stand_ins.installed(), mutants.installed(mutant):
            yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def run(seed: int, *, steps_at_most: int | None = None, traced: bool = False) -> Outcome:
    """Run the schedule of this seed; call it inside `simulating`."""
    lines: list[str] | None = [] if traced else None
    ours = site()
    ours.database.reset()
    world = World(ours, seed, lines)
    with stand_ins.playing(world):
        try:
            taken = _play(world, steps_at_most)
        finally:
            world.end()
    return Outcome(seed, world.faults[0] if world.faults else None, taken, lines or [])


def _play(world: World, steps_at_most: int | None) -> int:
    number = world.chance.randint(*STEPS)
    world.start()
    world.advance(100_000)
    limit = number if steps_at_most is None else min(number, steps_at_most)
    for taken in range(limit):
        steps.next_step(world)
        world.work_off() if world.is_calm or world.chance.random() < 0.4 else world.work(world.chance.randrange(30))
        world.checks.step()
        if world.faults:
            return taken + 1
    _rest(world)
    return limit


def _rest(world: World) -> None:
    """Things go quiet: nobody does anything more, all lines hold, and every Event arrives."""
    world.trace("all goes quiet")
    world.crash_chance = 0.0
    world.is_quiet = True
    world.network.manners = Manners()
    for client in world.clients:
        client.is_stalled = False
    world.work_off()
    _settle(world)
    world.advance(int((HEARTBEAT_SECONDS + 1) * MICRO))
    _check(world, strictly=False)
    if world.faults:
        return
    world.trace("all clients connect anew")
    for client in world.clients:
        client.cut()
    world.users_disordered.clear()
    world.users_misplaced.clear()
    world.silent.clear()
    _settle(world)
    _check(world, strictly=True)


def _settle(world: World) -> None:
    for _ in range(SETTLE_SECONDS):
        if all(client.is_open for client in world.clients) and not world.network.under_way and not world.has_work():
            return
        world.advance(MICRO)


def _check(world: World, *, strictly: bool) -> None:
    while world.counts_are_old and not world.faults:
        world.advance(int(HEARTBEAT_SECONDS * MICRO))
    _settle(world)  # whoever was found to have missed something was told to come back
    for client in world.clients:
        if not client.is_open:
            world.fault(f"{client.name} gets no connection ({client.closed_with})")
            return
        world.checks.holds(client, strictly=strictly, at_rest=True)
    if world.faults:
        return
    open_group = f"group:{OPEN_GROUP}"
    is_wished = any(client.wishes.get(open_group) for client in world.clients)
    audience = open_group if is_wished else world.chance.choice(("global", *MEMBERS_ONLY, open_group))
    probes = {audience: _probe(world, audience)}
    world.work_off()
    for client in world.clients:
        world.checks.probe_heard(client, probes, strictly)
    world.checks.nothing_is_left()


def _probe(world: World, audience: str) -> Sent:
    note = sending.sent(world, audience)
    note.breaks = frozenset()
    world.sent.pop(note.title)
    note.title = f"probe{len(world.sent)}"
    world.sent[note.title] = note
    process = somewhere(world)
    if process is None:
        raise AssertionError("no process is there when all is quiet")
    process.do(lambda: sending.deliver(world, note, Audience.parse(audience)))
    return note
