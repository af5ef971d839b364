"""Gather items for summaries, and close a summary when it is due."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from math import ceil
from typing import Any

from engine.errors import Rejected
from engine.flow.calling import along_with, named_steps
from engine.flow.content import Content
from engine.flow.executing import Receipt, Work
from engine.flow.inverse import dumped, item_back
from engine.flow.plan import Run, due_at, run_id
from engine.flow.summaries import Addition, Gathered
from engine.mail.dates import message_date
from engine.mail.events import SUMMARY_DUE
from engine.mail.message import Message, no_message
from engine.mail.needs import Need
from engine.rules.daytimes import next_time
from engine.rules.effects import AddToSummary, SendMessage
from engine.templating.filling import fill_texts
from engine.templating.library import Context, text_needs

MAX_TEXT = 2_000
"""Characters of one field of an item."""
MAX_KEY = 200
"""Characters of a key, as it is shown."""
KEY = "(key)"
NOTHING_LEFT = {"outcome": "skipped", "why": "nothing was left to tell"}


LOST = (
    "whether a summary has told of it cannot be known, since what was written of that is lost: look among "
    "what was sent, then dismiss the run or replay it"
)


async def gather(work: Work, effect: AddToSummary) -> Receipt:
    """Add what an event tells to the summary of its key; the first item says when that is due.

    Raises Rejected where it may have been told of before writes were lost.
    """
    executing, claim, run = work.executing, work.claim, work.run
    if claim.doubtful and not claim.replayed:
        raise Rejected(LOST)
    book = await executing.books.pinned(run.digest)
    zone = book.rules.homes.of(run.mailbox).zone
    now, name = executing.clock(), f"{run.id}.{work.step}"
    key, item = await _told(work, effect, zone)
    sender = _sender(run, effect, name, now, zone)
    addition = Addition(
        summary=_summary(run, effect, key),
        key=" ".join(key.split())[:MAX_KEY],
        name=name,
        item=dumped(item),
        run=sender,
        due=due_at(sender, 0),
    )
    receipt = {"outcome": "done", **item_back(name)}
    return receipt | {"summary": await executing.summaries.add(addition, receipt, claim, now)}


async def close(work: Work) -> Work | None:
    """Take no more items into the summary that a run sends; None where it has none."""
    gathered = await work.executing.summaries.close(work.claim)
    if not gathered.items and not gathered.more:
        return None
    return replace(work, claim=replace(work.claim, content=Content(values=_values(gathered))))


def _values(gathered: Gathered) -> Mapping[str, Any]:
    items = [json.loads(item) for item in gathered.items]
    count = len(items) + gathered.more
    return {"items": items, "count": count, "more": gathered.more, "key": gathered.key}


async def _told(work: Work, effect: AddToSummary, zone: tzinfo) -> tuple[str, dict[str, Any]]:
    """Fill key and item in from the message, or from what a call brought along."""
    run, texts = work.run, {**effect.inputs, KEY: effect.key}
    message = await _message(work, texts)
    context = Context(
        message=message,
        captures=run.captures,
        steps=named_steps(work.claim),
        mailbox=run.mailbox,
        now=datetime.fromtimestamp(work.executing.clock() / 1000, UTC),
        payload=along_with(work.claim).payload,
        zone=zone,
    )
    filled = fill_texts(effect.template, texts, context)
    key = filled.pop(KEY)
    cut = {name: text[:MAX_TEXT] for name, text in filled.items()}
    return key, {**_of_itself(run, message), **cut}


async def _message(work: Work, texts: Mapping[str, str]) -> Message:
    if not work.run.key:
        return no_message(work.run.mailbox)
    return await work.provider.fetch(work.run.mailbox, work.run.key, text_needs(texts) | {Need.HEADERS})


def _of_itself(run: Run, message: Message) -> dict[str, Any]:
    """What each item tells unasked."""
    created = datetime.fromtimestamp(run.created, UTC)
    if not run.key:
        return {"date": created.isoformat()}
    sender = next(iter(message.addresses("From")), None)
    return {
        "date": (message_date(message.headers) or message.received or created).isoformat(),
        "subject": message.subject[:MAX_TEXT],
        "from": {
            "name": sender.name[:MAX_TEXT] if sender else "",
            "address": sender.address[:MAX_TEXT] if sender else "",
        },
    }


def _summary(run: Run, effect: AddToSummary, key: str) -> str:
    """Name a summary: what one version of a rule gathers is told by one template, and by no other."""
    told = json.dumps([run.mailbox, run.rule, key, effect.model_dump()], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _sender(run: Run, effect: AddToSummary, item: str, now: int, zone: tzinfo) -> Run:
    """The run that sends a summary which begins with this item, by the rules that decided on the item."""
    return Run(
        id=run_id(item, f"{run.rule} summary"),
        rule=run.rule,
        event=f"{run.mailbox}/{SUMMARY_DUE}/{item}",
        kind=SUMMARY_DUE,
        mailbox=run.mailbox,
        key="",
        digest=run.digest,
        created=now / 1000,
        steps=(SendMessage(template=effect.template, to=effect.to, after=_after(effect, now, zone)),),
        trace=run.trace,
    )


def _after(effect: AddToSummary, now: int, zone: tzinfo) -> int:
    """In how many seconds a summary is due that begins now."""
    if effect.at is None:
        return effect.every
    begun = datetime.fromtimestamp(now / 1000, UTC)
    return ceil((next_time(effect.at, begun, zone) - begun).total_seconds())
