"""The guard over one batch: whom we never answer, whom we have answered already, what was asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from engine.errors import ConditionError
from engine.flow.applying import ACTED, ACTED_MS, OFF, Recorded, acted, acted_key, leaves
from engine.flow.guard import held, once_key, too_late
from engine.flow.plan import Judged, run_id
from engine.flow.ports import Profile
from engine.flow.stores import Memories
from engine.mail.address import parse_address
from engine.mail.events import Event
from engine.mail.message import Message
from engine.rules.effects import Effect, SendMessage

Profiles = Mapping[str, Profile]
NO_PROFILES: Profiles = {}


class Preparing(Protocol):
    """What planning needs; it writes nothing."""

    @property
    def lanes(self) -> Memories: ...

    @property
    def configured(self) -> frozenset[str]: ...

    @property
    def answer_within(self) -> int: ...


class Guard:
    """Says of each effect why it is held, and remembers over the batch what it lets pass."""

    def __init__(
        self,
        own: frozenset[str],
        taken: Mapping[str, str],
        away: bool,
        oldest: datetime,
        recorded: Recorded,
    ) -> None:
        self._own, self._taken, self._away, self._oldest = own, taken, away, oldest
        self._recorded = recorded
        self.taken_now: dict[str, int] = {}

    @classmethod
    async def load(
        cls,
        draining: Preparing,
        lane: str,
        profiles: Profiles,
        judged: Sequence[Judged],
        recorded: Recorded,
        now: int,
    ) -> Guard:
        own = our_addresses((lane, *draining.configured), profiles)
        keys = {key for item in judged for key in _once_keys(item)}
        away = lane in profiles and profiles[lane].is_away(now)
        oldest = datetime.fromtimestamp((now - draining.answer_within) / 1000, UTC)
        return cls(own, await draining.lanes.once(sorted(keys)), away, oldest, recorded)

    def hold(self, rule: str, effect: Effect, message: Message, event: Event) -> str | None:
        if not event.applied or not leaves(effect):
            return self._hold(rule, effect, message, event)
        key = acted_key(event, rule)
        if not event.sends:
            return OFF
        if key in self._taken or acted(event, rule, self._recorded):
            return ACTED
        why = self._hold(rule, effect, message, event)
        if not why:
            self.taken_now[key] = ACTED_MS
        return why

    def _hold(self, rule: str, effect: Effect, message: Message, event: Event) -> str | None:
        try:
            why = held(effect, message, self._own, event.cause, away=self._away)
            why = why or too_late(effect, message, event.cause, self._oldest)
        except ConditionError as error:
            return f"whether it may be answered cannot be told: {error}"
        if why or not isinstance(effect, SendMessage) or not effect.once_per:
            return why
        key = once_key(event.mailbox, rule, effect, message)
        # What `recover` found to be sent is no bar to the very run that sent it.
        if self._taken.get(key, own := run_id(event.id, rule)) != own or key in self.taken_now:
            return "this correspondent was answered by this rule within its window"
        self.taken_now[key] = effect.once_per.seconds * 1000
        return None


def our_addresses(mailboxes: Iterable[str], profiles: Profiles) -> frozenset[str]:
    """Give all addresses that are ours, in normal form."""
    ours = frozenset(map(_normal, (*mailboxes, *profiles)))
    return ours.union(*(profile.addresses for profile in profiles.values()))


@lru_cache(maxsize=10_000)
def _normal(mailbox: str) -> str:
    """All our mailboxes are gone through for each bounce that is read."""
    return parse_address(mailbox).normal


def _once_keys(item: Judged) -> Iterator[str]:
    for match in item.evaluation.matches:
        if item.event.applied:
            yield acted_key(item.event, match.rule)
        for effect in match.effects:
            if item.message and isinstance(effect, SendMessage) and effect.once_per:
                with contextlib.suppress(ConditionError):  # Then the guard holds the effect for that reason.
                    yield once_key(item.event.mailbox, match.rule, effect, item.message)
