"""Count: how many items of a user are unread, and up to where in the log that was counted."""

from __future__ import annotations


class Count(int):
    """A number of unread items. No broadcast with a position above `as_of` is in it.

    >>> Count(3, as_of=7) == 3
    True
    """

    as_of: int

    def __new__(cls, unread: int, as_of: int) -> Count:
        count = super().__new__(cls, unread)
        count.as_of = as_of
        return count

    def __reduce__(self) -> tuple[type[Count], tuple[int, int]]:  # for the queue between processes, which pickles
        return Count, (int(self), self.as_of)


def as_of(unread: int | None) -> int | None:
    """The position that a count goes up to; None where it does not say so.

    >>> as_of(3) is None, as_of(Count(3, as_of=7))
    (True, 7)
    """
    return getattr(unread, "as_of", None)
