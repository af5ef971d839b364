"""Webhooks that are lost, late, doubled or overtaken: what happens to each on its way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.sandbox.failure import invalid

OVERTAKEN_S = 1.0
"""Seconds that a webhook waits, at most, for a later one to overtake it."""


class Unreliable(BaseModel):
    """Which shares of the webhooks suffer what; the shares are independent of each other."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    lose: float = Field(0.0, ge=0, le=1)
    duplicate: float = Field(0.0, ge=0, le=1)
    reorder: float = Field(0.0, ge=0, le=1)
    late: list[float] = Field([0.0, 0.0], min_length=2, max_length=2)
    """A share, and by how many seconds."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """How one webhook travels."""

    times: int = 1
    """How often it arrives; 0 when it is lost."""
    delay: float = 0.0
    overtaken: bool = False


@dataclass(slots=True)
class Ways:
    """Draws the way of each webhook, and counts what was done to them."""

    told: Unreliable = field(default_factory=Unreliable)
    done: Counter[str] = field(default_factory=Counter)
    _random: Random = field(default_factory=Random)

    def __post_init__(self) -> None:
        self._random.seed(self.told.seed)

    def draw(self) -> Way:
        """Draw one way. Four draws each, so that a seed gives the same whatever the shares."""
        lost, double, overtaken, late = (self._random.random() for _ in range(4))
        told = self.told
        if lost < told.lose:
            self.done["lost"] += 1
            return Way(times=0)
        way = Way(
            times=2 if double < told.duplicate else 1,
            delay=told.late[1] if late < told.late[0] else 0.0,
            overtaken=overtaken < told.reorder,
        )
        self.done.update(
            {"duplicated": way.times == 2, "reordered": way.overtaken, "late": late < told.late[0]}
        )
        return way


def read_unreliable(body: object) -> Unreliable:
    """Read shares from JSON. Raises ApiError 400 naming what is wrong."""
    try:
        told = Unreliable.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:100] or "body"
        raise invalid(place, f"{place}: {first['msg']}") from error
    if not (0 <= told.late[0] <= 1 and 0 <= told.late[1] <= 86_400):
        raise invalid("late", "late is a share and a number of seconds.")
    return told
