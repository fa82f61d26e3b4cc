"""Goodbyes: which workers of a server left in good order, in memory that its processes share."""

from __future__ import annotations

import mmap

PLACES = mmap.PAGESIZE  # one byte for each worker; their numbers go round


class Goodbyes:
    """Made before the first fork. A worker says goodbye at its end, and the process that began it asks.

    >>> goodbyes = Goodbyes()
    >>> goodbyes.say(7), goodbyes.take(7), goodbyes.take(7)
    (None, True, False)
    """

    def __init__(self) -> None:
        self._said = mmap.mmap(-1, PLACES)

    def say(self, worker: int) -> None:
        """This worker has told all that it had to tell."""
        self._said[worker % PLACES] = 1

    def take(self, worker: int) -> bool:
        """Whether that worker said so; asked once, when it has ended."""
        was_said = bool(self._said[worker % PLACES])
        self._said[worker % PLACES] = 0
        return was_said
