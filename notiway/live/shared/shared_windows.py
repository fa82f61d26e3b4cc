"""SharedWindows: what each client did lately, counted over all processes, in the broker's Redis."""

from __future__ import annotations

from limits import RateLimitItem

from notiway.live.limits.throttle import Windows
from notiway.live.shared.asking import Asking

PARTS = 64  # of a window: what was counted within one of them is kept as one number
MS = 1_000

# KEYS: the window. ARGV: its length in ms, how much may be in it, how much is to be counted, its parts.
# Returns 0 where that was counted, else in how many ms the oldest counts no more.
HIT = """
local length, most, cost, parts = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local part = math.max(math.floor(length / parts), 1)
local present = math.floor(now / part)
local first = math.floor((now - length) / part) + 1
local sum, oldest, all = 0, present, redis.call('HGETALL', KEYS[1])
for place = 1, #all, 2 do
  local number = tonumber(all[place])
  if number < first then
    redis.call('HDEL', KEYS[1], all[place])
  else
    sum = sum + all[place + 1]
    oldest = math.min(oldest, number)
  end
end
if sum + cost > most then return math.max(oldest * part + length - now, 1) end
redis.call('HINCRBY', KEYS[1], string.format('%d', present), cost)
redis.call('PEXPIRE', KEYS[1], length + part)
return 0
"""


class SharedWindows:
    """As `Windows`, over all processes. While Redis is away each process counts by itself, and allows the whole rate.

    >>> SharedWindows(asking).hit(limits.parse("2 per minute"), "publish", "me", 1)  # doctest: +SKIP
    0.0
    """

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._here = Windows()
        self._script = asking.client.register_script(HIT)

    def hit(self, limit: RateLimitItem, what: str, who: str, cost: int) -> float:
        """Count `cost`, unless that would go over the limit: then the seconds to wait, else 0.0."""
        key = f"notiway:rate:{limit.amount}/{limit.get_expiry()}:{what}:{who}"
        args = [limit.get_expiry() * MS, limit.amount, cost, PARTS]
        return self._asking.ask(
            lambda _: int(self._script(keys=[key], args=args)) / MS,
            lambda: self._here.hit(limit, what, who, cost),
        )
