"""Judge messages of the past, each at the time of its arrival, as far as that needs no other message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from engine.backtest.outcome import Act, Headline, Looked, Outcome, Ran
from engine.backtest.spill import dump
from engine.errors import ConditionError
from engine.flow.guard import held, once_key
from engine.mail.archive import Archived
from engine.mail.dates import arrival
from engine.mail.events import Event, EventKind
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.mail.mime import from_raw
from engine.mail.needs import Need, Needs, union
from engine.rules.audience import Audience
from engine.rules.effects import Effect, SaveDraft, SendMessage
from engine.rules.evaluate import evaluate
from engine.rules.evaluation import Evaluation, Match, judging_failed
from engine.rules.home import NOWHERE, Homes
from engine.rules.loader import load_rules
from engine.rules.memory import Kept, Memory, in_ms
from engine.rules.ruleset import Rule, RuleSet

KNOWN: Needs = frozenset({Need.LABELS, Need.HEADERS})
FETCHED_APART: Needs = frozenset({Need.THREAD})
LONGEST_HEADLINE = 200
"""Characters of a sender or a subject."""

MAX_REFERENCES = 50
_ID = re.compile(r"<[^<>\s]{1,500}>")

Show = Callable[[Rule, Match], Sequence[Mapping[str, Any]]]
"""Gives a match's actions as one-key maps."""
Item = Archived | Message
"""A message as it lies in an archive, or as it was fetched from a mailbox."""


def as_matched(_rule: Rule, match: Match) -> Sequence[Mapping[str, Any]]:
    """Show actions as the match has them."""
    return match.actions


@dataclass(frozen=True)
class Version:
    """The sources of one version of the rules."""

    rules: Mapping[str, str]
    templates: Mapping[str, Needs] | None = None
    """What each template reads; None where none are known."""
    homes: Homes = NOWHERE


@dataclass(frozen=True)
class Setup:
    """What a backtest is about; goes to every process."""

    versions: tuple[Version, ...]
    start: datetime
    """The time at which mail is judged that does not say when it arrived."""
    mailbox: str = ""
    labels: frozenset[str] = frozenset({"INBOX", "UNREAD"})
    """Those that mail arrives with."""
    own: frozenset[str] = frozenset()
    """Our addresses, in normal form."""
    show: Show = as_matched


class Asked(Mapping[str, Kept]):
    """A memory of nothing that notes what it is asked for."""

    def __init__(self) -> None:
        self.keys_asked: set[str] = set()

    def __getitem__(self, key: str) -> Kept:
        self.keys_asked.add(key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Judging:
    """All versions of the rules, ready to be asked."""

    def __init__(self, setup: Setup, rulesets: Sequence[RuleSet] | None = None) -> None:
        self.setup = setup
        self.rulesets = rulesets or [
            load_rules(one.rules, one.templates, one.homes) for one in setup.versions
        ]
        self._rules = [{rule.id: rule for rule in ruleset.rules} for ruleset in self.rulesets]
        heard = [ruleset.audience(EventKind.MESSAGE_RECEIVED, setup.mailbox) for ruleset in self.rulesets]
        self.awaits_answers = [audience.awaits_answers for audience in heard]
        """Of each version, whether it matters to a rule what was answered before in a thread."""
        self._threads = any(
            rule.remembers or Need.THREAD in rule.when.needs for audience in heard for rule in audience.rules
        )
        self._needs = KNOWN | union(_needs(audience) for audience in heard)

    def look(self, item: Item) -> Looked:
        """Judge one message by every version, reading as much of it as they ask for."""
        had = self._needs
        message = self._message(item, had)
        while True:
            asked = [Asked() for _ in self.rulesets]
            evaluations = [self.judge(at, message, Memory(keys)) for at, keys in enumerate(asked)]
            wanting = union(one.needs for one in evaluations) - FETCHED_APART
            if wanting <= had or isinstance(item, Message):
                break  # What was fetched came with all that could be had.
            had |= wanting
            message = self._message(item, had)
        judged = enumerate(zip(evaluations, asked, strict=True))
        outcomes = tuple(self._settled(at, message, one, keys) for at, (one, keys) in judged)
        return self._looked(item, message, had, outcomes)

    def _looked(
        self, item: Item, message: Message, had: Needs, outcomes: tuple[Outcome | None, ...]
    ) -> Looked:
        ids = ids_of(message) if self._threads else ()
        looked = Looked(Headline(message.key, _at(message)), outcomes, ids=ids)
        if looked.quiet:
            return looked
        again = any(one is None or one.unless for one in outcomes)
        return replace(
            looked,
            headline=_headline(message),
            message=dump(message.holding(had)) if again else None,
            thread=message.thread if isinstance(item, Message) else "",
            ours=any(person.normal in self.setup.own for person in message.addresses("From")),
        )

    def judge(self, version: int, message: Message, memory: Memory, *, final: bool = False) -> Evaluation:
        """Judge by one version; a defect of ours makes a message undecided, never unmatched."""
        moment = message.received or self.setup.start
        event = Event(EventKind.MESSAGE_RECEIVED, message.mailbox, 0, message.key, message.thread)
        try:
            return evaluate(self.rulesets[version], event, message, moment, memory, final=final)
        except Exception as defect:  # noqa: BLE001 - one message must not stop a hundred thousand
            return judging_failed(defect)

    def outcome(self, version: int, message: Message, evaluation: Evaluation) -> Outcome:
        """Say what a final evaluation comes to."""
        return Outcome(
            tuple(self._ran(version, match, message) for match in evaluation.matches),
            evaluation.labels.add,
            evaluation.labels.remove,
            tuple((one.rule, one.why) for one in evaluation.undecided),
            evaluation.remembered,
            tuple(self._ran(version, match, message) for match in evaluation.shadows),
        )

    def _settled(
        self, version: int, message: Message, evaluation: Evaluation, asked: Asked
    ) -> Outcome | None:
        """Say what comes of it where nothing that it is compared with came before."""
        if Need.THREAD in evaluation.needs:
            return None
        if evaluation.undecided:
            evaluation = self.judge(version, message, Memory(asked), final=True)
        return replace(self.outcome(version, message, evaluation), unless=frozenset(asked.keys_asked))

    def _message(self, item: Item, needs: Needs) -> Message:
        if isinstance(item, Message):
            return item
        labels = self.setup.labels
        own = item.labels | (labels - {"INBOX", "UNREAD"}) if item.labels else labels
        message = from_raw(item.raw, key=item.name, content=Need.CONTENT in needs)
        received = _arrival(message.headers) or self.setup.start
        return replace(message, mailbox=self.setup.mailbox, thread=item.name, labels=own, received=received)

    def _ran(self, version: int, match: Match, message: Message) -> Ran:
        rule = self._rules[version][match.rule]
        shown = self.setup.show(rule, match)
        effects = (action.effects(match.captures) for action in rule.then)
        acts = (self._act(rule, one, list(whole), message) for one, whole in zip(shown, effects, strict=True))
        return Ran(rule.id, tuple(acts))

    def _act(self, rule: Rule, shown: Mapping[str, Any], effects: list[Effect], message: Message) -> Act:
        drafts = bool(effects) and all(isinstance(effect, SaveDraft) for effect in effects)
        act = Act("draft" if drafts else next(iter(shown)), shown)
        for effect in effects:
            act = self._guarded(act, rule, effect, message)
        return act

    def _guarded(self, act: Act, rule: Rule, effect: Effect, message: Message) -> Act:
        try:
            why = held(effect, message, self.setup.own) or ""
        except ConditionError as error:
            why = f"whether it may be answered cannot be told: {error}"
        act = replace(act, held=act.held or why)
        if not isinstance(effect, SendMessage):
            return act
        act = replace(act, replies=act.replies or effect.reply)
        if why or not effect.once_per:
            return act
        key = once_key(message.mailbox, rule.id, effect, message)
        return replace(act, once=key, window=effect.once_per.seconds * 1000)


def ids_of(message: Message) -> tuple[str, ...]:
    """Give its Message-ID, then those that it refers to, the newest first (RFC 5322, section 3.6.4)."""
    fields = (message.headers.text("Message-ID"), message.headers.text("In-Reply-To"))
    cited = _ID.findall(message.headers.text("References"))[: -MAX_REFERENCES - 1 : -1]
    named = [_ID.findall(field)[:1] for field in fields]
    own = named[0][0] if named[0] else ""
    return (own, *dict.fromkeys([*named[1], *cited]))


def _needs(audience: Audience) -> Needs:
    """What to read at once: all, where only what came before tells what will be asked."""
    if any(rule.remembers for rule in audience.rules):
        return union(rule.when.needs for rule in audience.rules) - FETCHED_APART
    return audience.needs


def _arrival(headers: Headers) -> datetime | None:
    came = arrival(headers)
    return came.astimezone(UTC) if came else None


def _headline(message: Message) -> Headline:
    sender = next(iter(message.addresses("From")), None)
    who = (sender.address or sender.name) if sender else ""
    return Headline(message.key, _at(message), who[:LONGEST_HEADLINE], message.subject[:LONGEST_HEADLINE])


def _at(message: Message) -> int:
    return in_ms(message.received) if message.received else 0


def chunks(items: Iterator[Item], count: int, weight: int) -> Iterator[list[Item]]:
    """Gather messages until they are so many, or so many bytes."""
    chunk: list[Item] = []
    heavy = 0
    for item in items:
        chunk.append(item)
        heavy += len(item.raw) if isinstance(item, Archived) else 0
        if len(chunk) >= count or heavy >= weight:
            yield chunk
            chunk, heavy = [], 0
    if chunk:
        yield chunk
