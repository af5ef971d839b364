"""Which answers went out before writes were lost: `once_per` remembers them again.

What is still to be decided tells of the mail that came and of the mail that went out. A run's id derives
from event and rule, so that the Message-ID of what went out names the rule that sent it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from engine.errors import CursorExpired, MessageGone, ProviderError
from engine.flow.doubt import Recovering, Report
from engine.flow.guard import once_name
from engine.flow.outgoing import OWN_ID
from engine.flow.plan import run_id
from engine.flow.ports import Provider
from engine.mail.events import Event
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.effects import SendMessage
from engine.rules.loader import RuleSet

_OURS = re.compile(f"<?{OWN_ID}>?")
_SENT = frozenset({"SENT", "SCHEDULED"})

Sender = tuple[str, str, int]
"""Rule, template and window in ms of an answer that goes to each sender once."""


async def find_answers(
    recovering: Recovering, provider: Provider, rules: RuleSet, report: Report, cursor: int
) -> None:
    """Find the answers that went out, as far as the lane and the history behind `cursor` tell of them."""
    senders = tuple(_senders(rules))
    if not senders:
        return
    try:
        events = [
            *await recovering.doubts.queued_events(report.mailbox),
            *await _behind(recovering, provider, report.mailbox, cursor),
        ]
        known = _by_run(events, senders)
        for key in dict.fromkeys(event.key for event in events if not _SENT.isdisjoint(event.labels)):
            await _remember(recovering, provider, report, key, known)
    except CursorExpired:
        report.notes.append("the history does not tell what was sent: once_per may answer somebody again")
    except ProviderError as error:
        report.trouble.append(f"what was sent cannot be read: {error}")


def _senders(rules: RuleSet) -> Iterator[tuple[str, Sender]]:
    """By the event's kind."""
    for rule in rules.rules:
        for action in rule.then:
            for effect in action.effects({}):
                if isinstance(effect, SendMessage) and effect.once_per:
                    yield rule.event, (rule.id, effect.template, effect.once_per.seconds * 1000)


def _by_run(events: Iterable[Event], senders: Iterable[tuple[str, Sender]]) -> Mapping[str, list[Sender]]:
    found: dict[str, list[Sender]] = {}
    for event in events:
        for kind, sender in senders:
            if event.kind == kind:
                found.setdefault(run_id(event.id, sender[0]), []).append(sender)
    return found


async def _behind(recovering: Recovering, provider: Provider, mailbox: str, cursor: int) -> list[Event]:
    """The history that is not read into the lane yet."""
    events: list[Event] = []
    more = True
    while more:
        page = await recovering.patiently(provider.history, mailbox, cursor)
        events += page.events
        cursor, more = page.cursor, page.more
    return events


async def _remember(
    recovering: Recovering,
    provider: Provider,
    report: Report,
    key: str,
    known: Mapping[str, list[Sender]],
) -> None:
    needs = frozenset({Need.HEADERS, Need.LABELS})
    try:
        message = await recovering.patiently(provider.fetch, report.mailbox, key, needs)
    except MessageGone:
        return
    ours = _OURS.fullmatch(message.message_id)
    to = message.addresses("To")
    if ours is None or not to:
        return
    for rule, template, window in known.get(ours[1], ()):
        left = window - _age(message, recovering.clock())
        if left > 0:
            report.answers += 1
            if not recovering.dry_run:
                once = once_name(report.mailbox, rule, template, to[0])
                await recovering.doubts.remember_answer(once, ours[1], left)


def _age(message: Message, now: int) -> int:
    return now - int(message.received.timestamp() * 1000) if message.received else 0
