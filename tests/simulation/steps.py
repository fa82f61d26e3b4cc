"""Steps: what may happen next, and how often."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from itertools import accumulate

from . import people, sending, trouble
from .world import World

Step = Callable[[World], None]


def next_step(world: World) -> None:
    """Draw a step and take it."""
    sums = RESTLESS_SUMS if world.is_restless else SUMS
    step = STEPS[bisect(sums, world.chance.random() * sums[-1], 0, len(STEPS) - 1)]
    world.trace("%s", step.__name__.strip("_"))
    step(world)


STEPS: tuple[Step, ...] = (
    sending.send_to_one, sending.send_to_several, sending.broadcast, sending.send_unstored, sending.roll_back,
    sending.take_back, people.change, people.undo_delete, people.mark_all, people.join_or_leave, people.subscribe,
    people.ping, trouble.cut, trouble.stall, trouble.crash, trouble.restart, people.sign_out_user, sending.clean,
    trouble.wait,
)  # fmt: skip
WEIGHTS = (14, 3, 14, 2, 2, 2, 12, 3, 3, 3, 5, 1, 7, 3, 1, 0.7, 2, 0.7, 14)
SUMS = tuple(accumulate(WEIGHTS))
RESTLESS_WEIGHTS = tuple(
    70 if step is people.join_or_leave else weight for step, weight in zip(STEPS, WEIGHTS, strict=True)
)
RESTLESS_SUMS = tuple(accumulate(RESTLESS_WEIGHTS))
