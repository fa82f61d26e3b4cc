"""Trouble: steps in which lines break, clients stall, processes end, and time passes."""

from __future__ import annotations

from .choosing import a_client, somewhere
from .clock import MICRO
from .world import World


def cut(world: World) -> None:
    client = a_client(world)
    if client is not None:
        client.cut()


def stall(world: World) -> None:
    """A client stops to read, or goes on."""
    stalled = [client for client in world.clients if client.is_stalled]
    if stalled and world.chance.random() < 0.6:
        world.chance.choice(stalled).is_stalled = False
    elif (client := a_client(world)) is not None:
        world.trace("  %s stalls", client.name)
        client.is_stalled = True


def crash(world: World) -> None:
    process = somewhere(world)
    if process is not None:
        world.crash(process)


def restart(world: World) -> None:
    process = somewhere(world)
    if process is not None and not process.is_leaving:
        world.trace("  %s leaves", process.name)
        world.leave(process)


def wait(world: World) -> None:
    longest = world.chance.choices((100_000, 1_500_000, 9_000_000, 70_000_000), (5, 4, 2, 1))[0]
    us = world.chance.randrange(longest)
    world.trace("  %.3f s pass", us / MICRO)
    world.advance(us)
