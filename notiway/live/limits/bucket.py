"""Bucket: how much of something may be had at once, and how fast it comes back."""

from __future__ import annotations


class Bucket:
    """A token bucket: `burst` at once, `rate` a second in the long run.

    What is taken beyond that is owed, and answered with the seconds to wait.

    >>> bucket = Bucket(rate=10, burst=2, now=0.0)
    >>> bucket.take(2, 0.0), bucket.take(1, 0.0), bucket.take(1, 1.0)
    (0.0, 0.1, 0.0)
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take so many; the seconds until they are paid for, 0.0 if they were there."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - amount
        self._at = now
        return max(0.0, -self._tokens / self._rate)

    def take_if_there(self, amount: float, now: float) -> bool:
        """Take so many if there are as many; whether there were. Nothing is owed."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < amount:
            return False
        self._tokens -= amount
        return True

    def is_full(self, now: float) -> bool:
        """Whether nothing is owed or used: a bucket that need not be kept."""
        return self._tokens + (now - self._at) * self._rate >= self._burst
