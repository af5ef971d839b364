"""What the rules ask for, worked out offline: the least that any worker has to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from engine.flow.drain import BATCH
from engine.flow.guard import held, once_key
from engine.flow.plan import Judged, LabelGroup, Plan, make_plan
from engine.mail.address import Address
from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.providers.zoom_mail.client import PAGE
from engine.rules.effects import Effect, SaveDraft, SendMessage
from engine.rules.evaluate import evaluate
from engine.rules.loader import RuleSet, load_rules, read_sources

HERE = Path(__file__).parent
RULES, TEMPLATES = HERE / "rules", HERE / "templates"
ARRIVED = frozenset({"INBOX", "UNREAD"})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Work:
    """What has to be done for so many messages; a message is named by its place."""

    messages: int
    groups: tuple[LabelGroup, ...]
    """Label changes by batch; each is one call."""
    sends: tuple[int, ...]
    drafts: tuple[int, ...]

    @property
    def floor(self) -> dict[str, int]:
        """The fewest calls, by what they are for; each template that is rendered reads its message."""
        return {
            "history": ceil(self.messages / PAGE),
            "get": self.messages + len(self.sends) + len(self.drafts),
            "label": len(self.groups),
            "send": len(self.sends),
            "draft": len(self.drafts),
        }

    @property
    def echo(self) -> int:
        """The fewest pages that tell us of our own changes."""
        changed = sum(len(group.keys) for group in self.groups)
        return ceil((changed + len(self.sends) + len(self.drafts)) / PAGE)


def bench_rules() -> RuleSet:
    return load_rules(read_sources(RULES), None)


def judge_all(raws: Sequence[bytes], mailbox: str) -> list[Judged]:
    rules = bench_rules()
    return [_judge(rules, from_raw(raw, key=str(at), labels=ARRIVED), mailbox) for at, raw in enumerate(raws)]


def expect(raws: Sequence[bytes], mailbox: str, batch: int = BATCH) -> Work:
    """Judge and plan mail that has just arrived, `batch` messages at a time."""
    judged, hold = judge_all(raws, mailbox), _Guard(mailbox).hold
    starts = range(0, len(judged), batch)
    plans = [make_plan(judged[start : start + batch], "", NOW.timestamp(), hold) for start in starts]
    return Work(
        len(raws),
        tuple(group for plan in plans for group in plan.groups),
        _places(plans, SendMessage),
        _places(plans, SaveDraft),
    )


def _judge(rules: RuleSet, message: Message, mailbox: str) -> Judged:
    event = Event(EventKind.MESSAGE_RECEIVED, mailbox, 1, message.key, labels=tuple(sorted(message.labels)))
    return Judged(event, message, evaluate(rules, event, message, NOW, final=True))


def _places(plans: Sequence[Plan], kind: type[Effect]) -> tuple[int, ...]:
    runs = (run for plan in plans for run in plan.runs)
    return tuple(
        int(run.key)
        for run in runs
        for step, effect in enumerate(run.steps)
        if isinstance(effect, kind) and step not in run.held
    )


class _Guard:
    """Whom nobody answers, and whom we have answered."""

    def __init__(self, mailbox: str) -> None:
        self._own = frozenset({Address("", mailbox).normal})
        self._answered: set[str] = set()

    def hold(self, rule: str, effect: Effect, message: Message, event: Event) -> str | None:
        why = held(effect, message, self._own, event.kind)
        if why or not isinstance(effect, SendMessage) or not effect.once_per:
            return why
        key = once_key(event.mailbox, rule, effect, message)
        if key in self._answered:
            return "answered before"
        self._answered.add(key)
        return None
