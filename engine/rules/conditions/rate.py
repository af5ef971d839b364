from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from engine.mail.needs import Need, Needs
from engine.rules.memory import Seen, name_of
from engine.rules.memory_key import MemoryKey, sighting
from engine.rules.quantities import Count, Duration, Quantity
from engine.rules.remembering import Remembering
from engine.rules.shown import shown
from engine.rules.strict import Words
from engine.rules.text import NONE, Captures
from engine.rules.view import View

MOST = 1_000


def _bounded(count: Quantity) -> Quantity:
    if not 1 <= count.value <= MOST:
        raise ValueError(f"must be from 1 to {MOST}; to hold from the second message on, write 1")
    return count


class Rate(Remembering):
    """More than so many messages came within a window, this one counted, in this mailbox for this rule.

    A message counts where the rest of the rule holds. Times of arrival are compared, so that a backlog
    is no burst. One that is judged late counts with what came before and after it.
    """

    key = "rate"
    examples = (
        "rate: {more_than: 10, per: sender, within: 1h}",
        "rate: {more_than: 3, per: {header: X-Alert-Id}, within: 1d}",
    )

    more_than: Annotated[Count, AfterValidator(_bounded)] = Field(
        description="How many are still allowed within the window."
    )
    per: MemoryKey = Field(
        description="What is counted apart: a fact such as sender, {header: NAME}, or {template: TEXT}."
    )
    within: Duration = Field(description="The window; this message lies in it.")
    name: Words = Field("", description="A count that rules share which give it the same name.")

    @property
    def needs(self) -> Needs:
        return frozenset({Need.HEADERS})

    def check(self, view: View) -> Captures | None:
        return NONE if self._count(view) > self.more_than.value else None

    def counted(self, view: View) -> Seen | None:
        value = self.per.value(view)
        if not value:
            return None
        key = self._name(view, value)
        return Seen(key, sighting(view), self.more_than.value, self.within.value * 1000)

    def _count(self, view: View) -> int:
        """How many came, this one counted; 0 where there is nothing to count by."""
        value, (now, itself) = self.per.value(view), sighting(view)
        if not value:
            return 0
        seen, window = view.recalled(self._name(view, value)), self.within.value * 1000
        return _most([at for at, which in seen if which != itself], now, window)

    def _name(self, view: View, value: str) -> str:
        return name_of("rate", self.name or f"rule {view.beside.rule}", self.per.spec, value)

    def seen(self, view: View) -> str:
        value, count = self.per.value(view), self._count(view)
        if not value:
            return "nothing to count by"
        known = "at least " if count > self.more_than.value else ""
        told = shown([value.replace("\0", " ").strip()])
        return f"{known}{count} from {told} within {self.within.source}"


def _most(others: Iterable[int], now: int, window: int) -> int:
    """How many came within the fullest window that `now` lies in: later mail may have been judged before."""
    times = sorted([now, *(at for at in others if abs(now - at) < window)])
    starts = ((start, at) for start, at in enumerate(times) if at <= now)
    return max(bisect_left(times, at + window) - start for start, at in starts)
