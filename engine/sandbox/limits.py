"""Rate limits by class: so many calls a second, and so many HEAVY ones a day, per account."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.sandbox.config import Rates
from engine.sandbox.failure import ApiError

DAY = 86_400


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
        limit = getattr(self.rates, rate_class.lower())
        if rate_class == "HEAVY" and self._heavy_today >= self.rates.heavy_daily:
            raise _refusal(rate_class, "Daily-limit", self.rates.heavy_daily, (self._day + 1) * DAY)
        if self._in_second[rate_class] >= limit:
            raise _refusal(rate_class, "QPS", limit, self._second + 1)
        self._in_second[rate_class] += 1
        self._heavy_today += rate_class == "HEAVY"
        return _headers(rate_class, "QPS", limit, limit - self._in_second[rate_class])

    def _turn(self, second: int) -> None:
        if second != self._second:
            self._second = second
            self._in_second.clear()
        if second // DAY != self._day:
            self._day, self._heavy_today = second // DAY, 0


def _headers(rate_class: str, kind: str, limit: int, remaining: int) -> dict[str, str]:
    return {
        "X-RateLimit-Category": rate_class.capitalize(),
        "X-RateLimit-Type": kind,
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
    }


def _refusal(rate_class: str, kind: str, limit: int, reset: int) -> ApiError:
    """Zoom names the end of a daily limit as a date-time, that of a per-second one in seconds."""
    daily = kind == "Daily-limit"
    headers = _headers(rate_class, kind, limit, 0) | {
        "X-RateLimit-Reset": str(reset),
        "Retry-After": datetime.fromtimestamp(reset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if daily else "1",
    }
    what = "daily rate limit" if daily else "per-second rate limit"
    return ApiError(429, f"You have reached the maximum {what} for this API.", headers=headers)
