"""Scripts: what Redis does in one step, by its own clock.

Keys, each behind `notiway:`

- `nodes`: the processes, each with the time (in ms) until which it counts as living; `told`: what they told
- `missed`: the processes that died, whose death one of the others has been told of
- `here:<node>:<audience>`: the users who hear an audience there; `heard:<node>`: those audiences
- `places:<user>`: how many connections a user has in each process

What a process that died leaves behind is passed over at once, and removed by another one.
"""

from __future__ import annotations

KEPT_SECONDS = 25 * 3600  # keys of a process that nobody has removed go by themselves; the living write them each hour
_NOW = "local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
_LIVING = "local living = redis.call('ZRANGEBYSCORE', 'notiway:nodes', '(' .. now, '+inf')\n"

# ARGV: node, ms that it counts as living, what it tells, ms after which others remove what it left, ms after which it
# is told of those that died (empty: not now).
# Returns the time, whether the node was known and living, which nodes to remove, until when those counted as living
# that died and of whose death nobody has been told, and what the living told.
BEAT = (
    _NOW
    + """
local till = redis.call('ZSCORE', 'notiway:nodes', ARGV[1])
local known, lives = till and 1 or 0, till and tonumber(till) > now and 1 or 0
redis.call('ZADD', 'notiway:nodes', now + ARGV[2], ARGV[1])
redis.call('HSET', 'notiway:told', ARGV[1], ARGV[3])
redis.call('HDEL', 'notiway:missed', ARGV[1])
local died = {}
if lives == 1 and ARGV[5] ~= '' then
  local late = redis.call('ZRANGEBYSCORE', 'notiway:nodes', '-inf', now - ARGV[5], 'WITHSCORES')
  for place = 1, #late, 2 do
    if redis.call('HSETNX', 'notiway:missed', late[place], now) == 1 then died[#died + 1] = late[place + 1] end
  end
end
local dead = redis.call('ZRANGEBYSCORE', 'notiway:nodes', '-inf', now - ARGV[4], 'LIMIT', 0, 20)
for _, node in ipairs(dead) do
  redis.call('ZREM', 'notiway:nodes', node)
  redis.call('HDEL', 'notiway:told', node)
  redis.call('HDEL', 'notiway:missed', node)
end
"""
    + _LIVING
    + "return {now, known, lives, dead, died, redis.call('HMGET', 'notiway:told', unpack(living))}"
)

# What the living told.
NODES = _NOW + _LIVING + "return #living == 0 and {} or redis.call('HMGET', 'notiway:told', unpack(living))"

# ARGV: node, connections that a user may have, seconds that keys are kept, then JSON: [[user, connections here,
# [new audiences], [audiences that are over]], …]. Returns users, and how many connections of each are too many.
CHANGE = (
    _NOW
    + """
local node, most, kept, over = ARGV[1], tonumber(ARGV[2]), ARGV[3], {}
local lives = {}
local function is_living(other)
  if lives[other] == nil then
    local till = redis.call('ZSCORE', 'notiway:nodes', other)
    lives[other] = till and tonumber(till) > now or false
  end
  return lives[other]
end
for _, change in ipairs(cjson.decode(ARGV[4])) do
  local user, count = change[1], change[2]
  local places = 'notiway:places:' .. user
  if count == 0 then
    redis.call('HDEL', places, node)
  else
    local elsewhere, all = 0, redis.call('HGETALL', places)
    for place = 1, #all, 2 do
      if all[place] ~= node then
        if is_living(all[place]) then elsewhere = elsewhere + all[place + 1]
        else redis.call('HDEL', places, all[place]) end
      end
    end
    local allowed = math.max(most - elsewhere, 0)
    if count > allowed then
      over[#over + 1] = {user, count - allowed}
      count = allowed
    end
    redis.call('HSET', places, node, count)
    redis.call('EXPIRE', places, kept)
  end
  for _, audience in ipairs(change[3]) do
    local here = 'notiway:here:' .. node .. ':' .. audience
    redis.call('SADD', here, user)
    redis.call('EXPIRE', here, kept)
    redis.call('SADD', 'notiway:heard:' .. node, audience)
    redis.call('EXPIRE', 'notiway:heard:' .. node, kept)
  end
  for _, audience in ipairs(change[4]) do
    local here = 'notiway:here:' .. node .. ':' .. audience
    redis.call('SREM', here, user)
    if redis.call('EXISTS', here) == 0 then redis.call('SREM', 'notiway:heard:' .. node, audience) end
  end
end
return over
"""
)

# ARGV: node, how many audiences at once. Removes what a node has told of its users; returns whether there is more.
REMOVE = """
local some = redis.call('SPOP', 'notiway:heard:' .. ARGV[1], ARGV[2])
for _, audience in ipairs(some) do redis.call('UNLINK', 'notiway:here:' .. ARGV[1] .. ':' .. audience) end
return redis.call('EXISTS', 'notiway:heard:' .. ARGV[1])
"""

_HERE = """
local keys, sum = {}, 0
for _, node in ipairs(living) do
  local here = 'notiway:here:' .. node .. ':' .. ARGV[1]
  local count = redis.call('SCARD', here)
  if count > 0 then keys[#keys + 1] = here; sum = sum + count end
end
if #keys == 0 then return %s end
"""

# ARGV: audience. The users who hear it.
USERS = _NOW + _LIVING + _HERE % "{}" + "return redis.call('SUNION', unpack(keys))"

# ARGV: audience, how many are counted exactly. How many users hear it: over that number, one who is connected to two
# processes counts twice.
COUNT = (
    _NOW
    + _LIVING
    + _HERE % "0"
    + "if #keys == 1 or sum > tonumber(ARGV[2]) then return sum end\nreturn #redis.call('SUNION', unpack(keys))"
)

# ARGV: audience, then user ids. Which of them hear it: 0 or 1 for each.
AMONG = (
    _NOW
    + _LIVING
    + """
local found = {}
for place = 2, #ARGV do found[place - 1] = 0 end
for _, node in ipairs(living) do
  local here = redis.call('SMISMEMBER', 'notiway:here:' .. node .. ':' .. ARGV[1], unpack(ARGV, 2))
  for place, is_here in ipairs(here) do if is_here == 1 then found[place] = 1 end end
end
return found
"""
)
