"""Is every message accounted for? Hold the mailbox's own listing and history against the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from engine.errors import CursorExpired, MessageGone
from engine.flow.listing import list_keys, patiently
from engine.flow.mailboxes import Cursor
from engine.flow.plan import run_id
from engine.flow.ports import Provider
from engine.flow.sift import RECEPTIONS
from engine.mail.events import Event, EventKind, is_outbound
from engine.mail.needs import Need

UNTOUCHED, ACTED_ON, PENDING, DEAD, MISSED = "untouched", "acted on", "pending", "dead", "missed"
OLDER, GONE, OUTBOUND = "older", "gone", "outbound"


class Records(Protocol):
    """What the store knows of messages. Times in ms."""

    async def cursor(self, mailbox: str) -> Cursor | None: ...

    async def origin(self, mailbox: str) -> int:
        """The history id that the mailbox was taken into service at."""
        ...

    async def judged_rules(self, mailbox: str, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Of the judged keys among `keys`, the rules that have a run for each."""
        ...

    async def queued_keys(self, lane: str) -> frozenset[str]: ...

    async def run_states(self, runs: Sequence[str]) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One message that is not accounted for, or that needs a person."""

    key: str
    state: str
    why: str


@dataclass
class Report:
    """One mailbox: how many messages stand how, and which ones to look at."""

    mailbox: str
    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def accounted_for(self) -> bool:
        return not any(finding.state == MISSED for finding in self.findings)

    def add(self, key: str, state: str, why: str = "") -> None:
        self.counts[state] += 1
        if state in (MISSED, DEAD):
            self.findings.append(Finding(key, state, why))


async def audit(records: Records, provider: Provider, mailbox: str, since: datetime | None = None) -> Report:
    """Account for every message that has arrived since `since`, or since the mailbox is in service."""
    report = Report(mailbox)
    cursor = await records.cursor(mailbox)
    if cursor is None:
        report.add("", MISSED, "the mailbox was never polled")
        return report
    started = datetime.fromtimestamp(cursor.started / 1000, UTC)
    since = max(since, started) if since else started
    keys = await _keys(records, provider, mailbox, since)
    queued = await records.queued_keys(mailbox)
    judged = await records.judged_rules(mailbox, keys)
    states = await records.run_states([_run(mailbox, key, rule) for key in judged for rule in judged[key]])
    for key in keys:
        if key in judged:
            report.add(key, *_judged(mailbox, key, judged[key], states))
        elif key in queued:
            report.add(key, PENDING)
        else:
            report.add(key, *await _unjudged(provider, mailbox, key, cursor, since))
    return report


def _run(mailbox: str, key: str, rule: str) -> str:
    return run_id(Event(EventKind.MESSAGE_RECEIVED, mailbox, 0, key).id, rule)


def _judged(mailbox: str, key: str, rules: Sequence[str], states: dict[str, str]) -> tuple[str, str]:
    if not rules:
        return UNTOUCHED, ""
    lost = [rule for rule in rules if _run(mailbox, key, rule) not in states]
    if lost:
        return MISSED, f"the journal has no run of {', '.join(lost)}"
    found = {states[_run(mailbox, key, rule)] for rule in rules}
    if "dead" in found:
        dead = [rule for rule in rules if states[_run(mailbox, key, rule)] == "dead"]
        return DEAD, f"a person has to look at the run of {', '.join(dead)}"
    return (ACTED_ON, "") if found == {"done"} else (PENDING, "")


async def _unjudged(
    provider: Provider, mailbox: str, key: str, cursor: Cursor, since: datetime
) -> tuple[str, str]:
    """Why a message was not judged: it need not be, it will be, or it was missed."""
    try:
        message = await patiently(partial(provider.fetch, mailbox, key, frozenset({Need.LABELS})))
    except MessageGone:
        return GONE, ""
    arrived = message.received.timestamp() * 1000 if message.received else 0
    if is_outbound(message.labels):
        return OUTBOUND, ""
    if message.received and message.received < since:
        return OLDER, ""
    if arrived >= cursor.read:
        return PENDING, ""
    return MISSED, "it was never judged"


async def _keys(records: Records, provider: Provider, mailbox: str, since: datetime) -> list[str]:
    """What the listing shows, and what the history tells of arrivals as far as it reaches back."""
    listed = await list_keys(provider, mailbox, since)
    told = await _told(provider, mailbox, await records.origin(mailbox))
    return list(dict.fromkeys([*listed, *told]))


async def _told(provider: Provider, mailbox: str, origin: int) -> list[str]:
    keys: list[str] = []
    cursor, more = origin, True
    while more:
        try:
            page = await patiently(partial(provider.history, mailbox, cursor))
        except CursorExpired:
            return keys
        keys += [event.key for event in page.events if event.kind in RECEPTIONS]
        cursor, more = page.cursor, page.more
    return keys
