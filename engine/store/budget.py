"""An account's share of its service's rate limits, common to all workers."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from redis.asyncio import Redis

SAVED_UP_S = 0.2
"""Calls not made are saved up for so long: in any second at most a fifth more than the rate."""
LEASE_S = 0.1
"""A worker may take so many seconds' worth of calls in one round trip."""
LEASE_LASTS_S = 0.2
LONGEST_PAUSE_S = 86_400.0
UNLIMITED: Mapping[str, float] = MappingProxyType({})

# The generic cell rate algorithm on Redis' clock, in microseconds. `due` is when the next call would
# fall due at an even pace. `queue` is when the last one who was refused was told to come again: each
# is told another time, so that they do not come all at once.
# KEYS: state. ARGV: calls, interval, saved up, daily cap or 0. Answers: calls granted, wait.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'due', 'pause', 'day', 'spent', 'queue')
local interval, saved, cap = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local due = math.max(tonumber(held[1] or 0), now - saved)
local pause = tonumber(held[2] or 0)
local day = math.floor(now / 86400000000)
local spent = tonumber(held[3] or -1) == day and tonumber(held[4] or 0) or 0
local function text(number) return string.format('%.0f', number) end

local free = due
if pause > now then free = math.max(free, pause) end
if cap > 0 and spent >= cap then free = math.max(free, (day + 1) * 86400000000) end
local granted = 0
if free <= now then
  granted = math.min(tonumber(ARGV[1]), math.floor((now - due) / interval) + 1)
  if cap > 0 then granted = math.min(granted, cap - spent) end
  due, spent = due + granted * interval, spent + granted
  redis.call('HSET', KEYS[1], 'due', text(due), 'day', text(day), 'spent', text(spent))
else
  local queue = math.min(math.max(tonumber(held[5] or 0) + interval, free), free + 2000000)
  redis.call('HSET', KEYS[1], 'queue', text(queue))
  free = queue
end
local ends = math.max(due, pause, cap > 0 and (day + 1) * 86400000000 or 0)
redis.call('PEXPIRE', KEYS[1], text(math.max(ends - now, 0) / 1000 + 60000))
return {granted, text(free - now)}
"""

# KEYS: state. ARGV: for how long, in microseconds.
_PAUSE = """
local clock = redis.call('TIME')
local ends = clock[1] * 1000000 + clock[2] + tonumber(ARGV[1])
if ends <= tonumber(redis.call('HGET', KEYS[1], 'pause') or 0) then return 0 end
redis.call('HSET', KEYS[1], 'pause', string.format('%.0f', ends))
local keep = ARGV[1] / 1000 + 60000
if redis.call('PTTL', KEYS[1]) < keep then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep))
end
return 1
"""


@dataclass(slots=True)
class _Local:
    """What this worker knows of one rate class without asking; times on the monotonic clock."""

    left: int = 0
    lapses: float = 0.0
    paused: float = 0.0


class RedisBudget:
    """A RateBudget in Redis. Classes without a limit cost no round trip.

    `limits` are calls per second, `daily` calls per day (UTC), both after taking our share.
    """

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        account: str,
        limits: Mapping[str, float] | None,
        daily: Mapping[str, int] | None = None,
    ) -> None:
        self._limits = UNLIMITED if limits is None else limits
        self._daily = daily or {}
        self._key = f"{prefix}:budget:{account}"
        self._take = redis.register_script(_TAKE)
        self._pause = redis.register_script(_PAUSE)
        self._local: dict[str, _Local] = defaultdict(_Local)

    async def take(self, rate_class: str, who: str = "") -> float:
        """Take one call; 0 when granted, else seconds until worth asking again."""
        local, now = self._local[rate_class], time.monotonic()
        if local.paused > now:
            return local.paused - now + random.random()
        if rate_class not in self._limits:
            return 0.0
        if local.left > 0 and local.lapses > now:
            local.left -= 1
            return 0.0
        return await self._ask(rate_class, local)

    async def pause(self, rate_class: str, until: float) -> None:
        """Grant nothing of this class before `until` (epoch seconds), at most for a day."""
        seconds = min(until - time.time(), LONGEST_PAUSE_S)
        if seconds <= 0:
            return
        local = self._local[rate_class]
        local.left, local.paused = 0, max(local.paused, time.monotonic() + seconds)
        if rate_class in self._limits:
            await self._pause(keys=[self._state(rate_class)], args=[_micros(seconds)])

    async def _ask(self, rate_class: str, local: _Local) -> float:
        rate, cap = self._limits[rate_class], self._daily.get(rate_class, 0)
        # Under a daily cap nothing is leased: what a worker leaves unused would be lost for the day.
        calls = 1 if cap else max(1, int(rate * LEASE_S))
        asked = time.monotonic()
        granted, wait = await self._take(
            keys=[self._state(rate_class)],
            args=[calls, _micros(1 / rate), _micros(SAVED_UP_S), cap],
        )
        if granted == 0:
            return float(max(int(wait) / 1_000_000, 0.001))
        local.left, local.lapses = int(granted) - 1, asked + LEASE_LASTS_S
        return 0.0

    def _state(self, rate_class: str) -> str:
        return f"{self._key}:{rate_class}"


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)
