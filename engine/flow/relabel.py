"""Change labels, and delete: steps that touch messages as they lie in the mailbox, one or a whole thread.

What the messages were like is written down before anything is done: a second attempt would see its own
work. What is done can be done again without harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from engine.flow.executing import NotYetError, Receipt, Work
from engine.flow.inverse import DELETED, UNDO, dumped, labels_back, no_way_back
from engine.flow.sift import footstep
from engine.mail.needs import Need
from engine.rules.effects import ChangeLabels, DeleteMessage, Scope

Before = Mapping[str, list[str]]
"""The labels of messages, by key."""


async def change_labels(work: Work, effect: ChangeLabels) -> Receipt:
    """Change labels that stand behind a send, or of a thread; they come back as history like any others."""
    run, mailboxes = work.run, work.executing.mailboxes
    before = await _before(work, effect.scope)
    steps = list(_footsteps(before, effect))
    if steps:
        await mailboxes.tread(run.mailbox, steps, 0)
    try:
        touched = await _change(work, effect, list(before))
    finally:
        if steps:
            await mailboxes.tread(run.mailbox, steps, work.executing.clock())
    late = sorted(set(touched) - set(before))
    return {
        "outcome": "done",
        **_named(effect.scope, [*before, *late]),
        UNDO: labels_back(before, effect, late),
    }


async def delete(work: Work, effect: DeleteMessage) -> Receipt:
    """Delete for good, once no other run has anything to do with the messages. Raises NotYetError."""
    keys = list(await _before(work, effect.scope))
    executing = work.executing
    if other := await executing.journal.in_use(work.claim, keys, executing.clock()):
        raise NotYetError(f"the run {other} is not done with the message")
    await work.provider.delete(work.run.mailbox, keys)
    return {"outcome": "done", **_named(effect.scope, keys), **no_way_back(DELETED)}


async def _change(work: Work, effect: ChangeLabels, keys: list[str]) -> tuple[str, ...]:
    run, provider = work.run, work.provider
    if effect.scope == "thread" and run.thread:
        return await provider.change_thread(run.mailbox, run.thread, keys, effect.add, effect.remove)
    await provider.change_labels(run.mailbox, keys, effect.add, effect.remove)
    return tuple(keys)


async def _before(work: Work, scope: Scope) -> Before:
    """Name the messages with the labels that they had before the first attempt."""
    text = work.claim.notes.get(work.step) or await work.note(dumped(await _look(work, scope)))
    before: dict[str, list[str]] = json.loads(text)
    return before


async def _look(work: Work, scope: Scope) -> Before:
    run, provider = work.run, work.provider
    if scope == "thread" and run.thread:
        fellows = await provider.thread(run.mailbox, run.thread, named=True)
        return {one.key: sorted(one.labels) for one in fellows}
    message = await provider.fetch(run.mailbox, run.key, frozenset({Need.LABELS}))
    return {run.key: sorted(message.labels)}


def _footsteps(before: Before, effect: ChangeLabels) -> Iterator[str]:
    """Those changes that will really change something."""
    for key, had in before.items():
        yield from (footstep(key, "+", label) for label in effect.add if label not in had)
        yield from (footstep(key, "-", label) for label in effect.remove if label in had)


def _named(scope: Scope, keys: list[str]) -> Mapping[str, str]:
    """Name every message of a thread; of one message, the run itself does."""
    return {"messages": dumped(keys)} if scope == "thread" else {}
