"""Rate limits by class: so many calls a second, and so many HEAVY ones a day, per account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from engine.sandbox.config import Rates
from engine.sandbox.failure import ApiError

DAY = 86_400

Limit = Literal["QPS", "Daily-limit"]
"""How Zoom names the limit that was reached, in `X-RateLimit-Type`."""


@dataclass(slots=True)
class Limiter:
    """Counts calls in calendar seconds and UTC days, as the service does."""

    rates: Rates
    on: bool = True
    _second: int = 0
    _in_second: Counter[str] = field(default_factory=Counter)
    _day: int = 0
    _heavy_today: int = 0

    def take(self, rate_class: str, now: float) -> dict[str, str]:
        """Count one call; returns the headers of its answer. Raises ApiError 429."""
        if not self.on:
            return {}
        self._turn(int(now))
        if rate_class == "HEAVY" and self._heavy_today >= self.rates.heavy_daily:
            end = {"Retry-After": zoom_time((self._day + 1) * DAY)}
            raise limit_reached(self.rates, rate_class, "Daily-limit", end)
        limit = allowed(self.rates, rate_class, "QPS")
        if self._in_second[rate_class] >= limit:
            end = {"X-RateLimit-Reset": str(self._second + 1)}
            raise limit_reached(self.rates, rate_class, "QPS", end)
        self._in_second[rate_class] += 1
        self._heavy_today += rate_class == "HEAVY"
        return _headers(rate_class, "QPS", limit, limit - self._in_second[rate_class])

    def _turn(self, second: int) -> None:
        if second != self._second:
            self._second = second
            self._in_second.clear()
        if second // DAY != self._day:
            self._day, self._heavy_today = second // DAY, 0


def allowed(rates: Rates, rate_class: str, limit: Limit) -> int:
    """How many calls of a class are allowed, in a second or, of HEAVY ones, in a day."""
    value: int = rates.heavy_daily if limit == "Daily-limit" else getattr(rates, rate_class.lower())
    return value


def limit_reached(rates: Rates, rate_class: str, limit: Limit, end: dict[str, str]) -> ApiError:
    """Refuse a call for a limit. `end` is the header that tells when to come back.

    Zoom tells the end of a per-second limit as `X-RateLimit-Reset` (epoch seconds) and that of a
    daily one as `Retry-After` (a date-time): its skills' rest-api/references/rate-limits.md.
    """
    what = "daily" if limit == "Daily-limit" else "per-second"
    message = f"You have reached the maximum {what} rate limit for this API. Try again later."
    headers = _headers(rate_class, limit, allowed(rates, rate_class, limit), 0)
    return ApiError(429, message, headers=headers | end)


def zoom_time(moment: float) -> str:
    """An epoch second as Zoom writes times."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _headers(rate_class: str, limit: Limit, most: int, remaining: int) -> dict[str, str]:
    return {
        "X-RateLimit-Category": rate_class.capitalize(),
        "X-RateLimit-Type": limit,
        "X-RateLimit-Limit": str(most),
        "X-RateLimit-Remaining": str(remaining),
    }
