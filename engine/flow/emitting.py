"""Set off events: each is appended to its lane in the step that records that this was done."""

from __future__ import annotations

import json

from engine.flow.calling import filled
from engine.flow.executing import Receipt, Work
from engine.flow.inverse import EMITTED as THEIRS
from engine.flow.inverse import no_way_back
from engine.flow.passing import throttled
from engine.flow.stores import Settled
from engine.mail.events import EMITTED, Event, EventKind
from engine.rules.effects import EmitEvent

MAX_DEPTH = 5
"""So many events may set each other off, one after another, whatever rules each was decided by."""


async def emit(work: Work, effect: EmitEvent) -> Receipt:
    """Append an event about the same message to its mailbox's lane, unless too many led here."""
    run, executing = work.run, work.executing
    if run.depth >= MAX_DEPTH:
        return {"outcome": "held", "why": f"{MAX_DEPTH} events have set each other off one after another"}
    body = await filled(work, effect.body)
    if why := await throttled(work, effect):
        return {"outcome": "held", "why": why}
    event = Event(
        EventKind(EMITTED + effect.event),
        run.mailbox,
        0,
        run.key,
        run.thread,
        labels=run.labels or (),
        changed=(f"{run.id}.{work.step}",),
        payload=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        depth=run.depth + 1,
        origin=run.origin or run.kind.value,
    )
    receipt = {"outcome": "done", "event": event.kind.value, **no_way_back(THEIRS)}
    settled = Settled(run.id, work.step, receipt)
    await executing.journal.settle_emitted(settled, event, executing.clock(), work.claim)
    return receipt
