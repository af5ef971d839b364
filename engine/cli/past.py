"""Messages in mailboxes, and runs of the past, as `explain` looks at them again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import click

from engine.cli.called import call_of_run
from engine.errors import MessageGone, PostroomError, Rejected
from engine.flow.bounces import BOUNCE_RULE
from engine.flow.plan import Run
from engine.flow.ports import Provider
from engine.flow.recorded import Recorded
from engine.flow.rulebook import Rulebook
from engine.flow.stores import Lanes
from engine.flow.threads import Threads
from engine.mail.events import Event, EventKind
from engine.mail.message import Message, no_message
from engine.mail.needs import Need, Needs, union
from engine.rules.evaluate import evaluate
from engine.rules.memory import EMPTY, Kept, Memory
from engine.rules.ruleset import RuleSet
from engine.store.blobs import RedisBlobs
from engine.wiring import Office

KNOWN: Needs = frozenset({Need.LABELS, Need.HEADERS})


@dataclass(frozen=True, slots=True)
class Case:
    """One message to be judged once more by one rule set."""

    ruleset: RuleSet
    event: Event
    message: Message
    now: datetime
    heading: str = ""
    when: str = ""
    """`then` or `now`, "" where there is only one."""
    memory: Memory = EMPTY


async def in_mailbox(
    office: Office, mailbox: str, key: str, ruleset: RuleSet | None, now: datetime | None
) -> Case:
    """Fetch a message as it is, for the rules given or those in force."""
    if ruleset is None:
        book = await _in_force(office)
        if book is None:
            raise PostroomError("no rules have been put in force yet; name some with --rules")
        ruleset = book.rules
    event = Event(EventKind.MESSAGE_RECEIVED, mailbox, 0, key)
    moment = now or datetime.fromtimestamp(office.clock() / 1000, UTC)
    message = await fetch(office.provider(mailbox), [ruleset], event, moment)
    memory = await recall(office.lanes, ruleset, event, message, moment)
    return Case(ruleset, event, message, moment, memory=memory)


async def of_run(office: Office, start: str, ruleset: RuleSet | None) -> tuple[Run, list[Case]]:
    """Look at a run's message with the rules of then and, where they differ, with those of now."""
    run = (await _recorded(office, start)).run
    if run.rule == BOUNCE_RULE:
        raise PostroomError("the run read a bounce, no rule was asked: `postroom runs` says what came of it")
    then = await office.keeper.pinned(run.digest)
    now = await _in_force(office) if ruleset is None else None
    sets = [(then.rules, "then", f"with the rules of then ({run.digest[:12]})")]
    if ruleset is not None:
        sets.append((ruleset, "now", "with these rules"))
    elif now is not None and now.digest != run.digest:
        sets.append((now.rules, "now", f"with the rules of now ({now.digest[:12]})"))
    event = Event(run.kind, run.mailbox, 0, run.key, labels=run.labels or ())
    moment = datetime.fromtimestamp(run.created, UTC)
    if run.kind.of_message:
        message = await fetch(office.provider(run.mailbox), [each for each, _, _ in sets], event, moment)
        message = message if run.labels is None else message.relabelled(frozenset(run.labels))
    else:
        event, message = await call_of_run(office, run), no_message(run.mailbox)
    memories = [await recall(office.lanes, each, event, message, moment) for each, _, _ in sets]
    return run, [
        Case(each, event, message, moment, heading, when, memory)
        for (each, when, heading), memory in zip(sets, memories, strict=True)
    ]


async def _recorded(office: Office, start: str) -> Recorded:
    found = await office.journal.find(start)
    if len(found) > 1:
        raise click.ClickException(f"{len(found)} runs begin with {start}: write more of the id")
    recorded = await office.journal.get(found[0]) if found else None
    if recorded is None:
        raise click.ClickException(f"there is no run {start}")
    return recorded


async def _in_force(office: Office) -> Rulebook | None:
    digest = await RedisBlobs(office.base).last_good()
    return await office.keeper.pinned(digest) if digest else None


async def fetch(provider: Provider, rulesets: Sequence[RuleSet], event: Event, now: datetime) -> Message:
    """Fetch all that the rules may read; the raw bytes only where a verdict hangs on them."""
    if not event.key:
        raise PostroomError("the run concerns no message: there is nothing to look at again")
    had = KNOWN | union(needs for ruleset in rulesets for needs in _needs(ruleset))
    message = await _fetch(provider, event, had - {Need.CONTENT})
    wanting = union(evaluate(ruleset, event, message, now).needs for ruleset in rulesets)
    if Need.CONTENT in wanting:
        message = await _fetch(provider, event, had | wanting)
    return await Threads(provider).joined(message) if Need.THREAD in wanting else message


async def recall(lanes: Lanes, ruleset: RuleSet, event: Event, message: Message, now: datetime) -> Memory:
    """Look up what the rules remember by now; the message's own traces count for nothing."""
    known: dict[str, Kept] = {}
    while unread := evaluate(ruleset, event, message, now, Memory(known, whole=False), final=True).unread:
        known |= await lanes.recall(event.mailbox, sorted(unread))
    return Memory(known)


def _needs(ruleset: RuleSet) -> Iterable[Needs]:
    return (rule.when.needs for rule in ruleset.rules)


async def _fetch(provider: Provider, event: Event, needs: Needs) -> Message:
    try:
        message = await _with_body(provider, event, needs)
    except MessageGone:
        raise PostroomError(f"{event.mailbox} holds no message {event.key} any more") from None
    return replace(message, mailbox=event.mailbox)


async def _with_body(provider: Provider, event: Event, needs: Needs) -> Message:
    """Fetch; where the service refuses to give more, what the headers decide is still decided."""
    try:
        return await provider.fetch(event.mailbox, event.key, needs)
    except Rejected:
        if needs <= KNOWN:
            raise
        return await provider.fetch(event.mailbox, event.key, KNOWN)
