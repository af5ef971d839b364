"""Messages that a mailbox holds, as they were when they arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from engine.backtest.judging import KNOWN
from engine.errors import MessageGone, Rejected
from engine.flow.listing import patiently
from engine.flow.ports import Fellow, Provider
from engine.flow.threads import conversation
from engine.mail.archive import Archived
from engine.mail.events import Event, EventKind, is_outbound
from engine.mail.message import Message
from engine.mail.needs import Need, Needs, union
from engine.rules.evaluate import evaluate
from engine.rules.memory import UNREAD
from engine.rules.ruleset import RuleSet

AT_ONCE = 16
"""Calls under way."""
ON_DEMAND: Needs = frozenset({Need.CONTENT, Need.THREAD})
"""What costs a call of its own, and is fetched only where a verdict hangs on it."""


@dataclass(frozen=True)
class Past:
    """Which messages of a mailbox, and what is asked of them."""

    provider: Provider
    mailbox: str
    since: datetime
    rulesets: Sequence[RuleSet]
    labels: frozenset[str]
    """Those that mail arrives with."""

    @property
    def needs(self) -> Needs:
        kind = EventKind.MESSAGE_RECEIVED
        return KNOWN | union(rules.needs_for(kind, self.mailbox) for rules in self.rulesets)


async def read_past(past: Past, keys: Sequence[str]) -> AsyncIterator[Message | Archived | None]:
    """Fetch messages as they were when they arrived, in the order of their keys.

    None stands for what did not arrive since then, or not at all; what cannot be read comes with its error.
    """
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        for found in await asyncio.gather(*(_read(past, key) for key in some)):
            yield found


async def _read(past: Past, key: str) -> Message | Archived | None:
    try:
        message = await _fetch(past, key, past.needs)
    except MessageGone:
        return None
    except Rejected:
        try:
            message = await _fetch(past, key, KNOWN)
        except (MessageGone, Rejected) as error:
            return Archived(key, error=str(error))
    if is_outbound(message.labels) or (message.received is not None and message.received < past.since):
        return None
    message = replace(message, mailbox=past.mailbox, labels=_at_first(message.labels, past.labels))
    return await _with_more(past, message)


async def _fetch(past: Past, key: str, needs: Needs) -> Message:
    return await patiently(lambda: past.provider.fetch(past.mailbox, key, needs))


def _at_first(now: frozenset[str], arriving: frozenset[str]) -> frozenset[str]:
    """The labels that it arrived with: who marks spam by hand is not told from the service."""
    return (arriving - {"INBOX"}) | {"SPAM"} if "SPAM" in now else arriving


async def _with_more(past: Past, message: Message) -> Message:
    """Fetch what verdicts turn out to hang on."""
    event = Event(EventKind.MESSAGE_RECEIVED, past.mailbox, 0, message.key, message.thread)
    moment = message.received or datetime.now(UTC)
    wanting = union(evaluate(rules, event, message, moment, UNREAD).needs for rules in past.rulesets)
    if Need.CONTENT in wanting:
        try:
            whole = await _fetch(past, message.key, past.needs | {Need.CONTENT})
            message = replace(whole, mailbox=past.mailbox, labels=message.labels)
        except (MessageGone, Rejected):
            pass  # What hangs on it stays undecided.
    if Need.THREAD in wanting and message.thread:
        fellows = await patiently(lambda: past.provider.thread(past.mailbox, message.thread))
        message = replace(message, _conversation=conversation(message, _of_then(fellows, message)))
    return message


def _of_then(fellows: Sequence[Fellow], message: Message) -> list[Fellow]:
    """Leave out of a thread what came later."""
    if message.received is None:
        return list(fellows)
    return [one for one in fellows if one.received is None or one.received <= message.received]
