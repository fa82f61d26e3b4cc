"""Choosing: whom a step concerns, by chance."""

from __future__ import annotations

from .client import Client
from .process import Process
from .world import World


def somewhere(world: World) -> Process | None:
    found = list(world.processes.values())
    return world.chance.choice(found) if found else None


def a_client(world: World, *wires: str) -> Client | None:
    found = [each for each in world.clients if each.is_open and (not wires or each.wire in wires)]
    return world.chance.choice(found) if found else None
