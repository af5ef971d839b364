"""What is left of the accounts' rate budgets, as `store/budget.py` keeps them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from engine.store.base import Base
from engine.store.budget import SAVED_UP_S

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """An account's share, in calls, by rate class; classes that are not named have no limit."""

    per_second: Mapping[str, float]
    daily: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Left:
    """What one rate class of one account has left."""

    account: str
    rate_class: str
    per_second: float
    """Its share."""
    now: int
    """Calls that could be made at once."""
    daily: int
    """Its share of a day (UTC); 0 for no daily limit."""
    today: int
    """What is left of that."""
    paused: float
    """For how many seconds the service has told us to wait."""


async def read_left(base: Base, limits: Mapping[str, Limits]) -> list[Left]:
    """What every limited class has left."""
    classes = [(account, rate, own) for account, own in limits.items() for rate in own.per_second]
    async with base.redis.pipeline(transaction=False) as pipe:
        for account, rate, _ in classes:
            pipe.hmget(base.key("budget", account, rate), ["due", "pause", "day", "spent"])
        held = await pipe.execute()
    now = int(time.time() * 1_000_000)
    return [_left(*one, [int(v or 0) for v in state], now) for one, state in zip(classes, held, strict=True)]


def _left(account: str, rate: str, limits: Limits, state: list[int], now: int) -> Left:
    """The state in microseconds, as the script of the budget writes it."""
    due, pause, day, spent = state
    per_second, daily = limits.per_second[rate], limits.daily.get(rate, 0)
    saved = SAVED_UP_S * 1_000_000
    at_once = int((now - max(due, now - saved)) * per_second / 1_000_000) + 1 if due <= now else 0
    today = max(daily - (spent if day == now // DAY_US else 0), 0)
    if pause > now:
        at_once = 0
    return Left(account, rate, per_second, at_once, daily, today, max(pause - now, 0) / 1_000_000)
