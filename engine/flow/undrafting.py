"""Take drafts back: one is deleted if it still says what the run wrote, and a person's words stay."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from engine.errors import MessageGone, ProviderError
from engine.flow.drafts import Home, Left, Turn, digest_of, home_of
from engine.flow.inverse import way_back
from engine.flow.recorded import Recorded
from engine.flow.relabelling import ask
from engine.flow.stores import Lease
from engine.flow.taking_back import Taken
from engine.flow.undoings import Undoing

KIND = "draft"
GONE = "it was sent or deleted already"
EDITED = "somebody has edited it, or may have"
NEWER = "a newer message has updated it, or is about to"


def drafts_of(recorded: Recorded) -> Iterator[tuple[int, str]]:
    """Give the drafts that a run left, each with its step, the last one first."""
    for step in reversed(range(len(recorded.run.steps))):
        if draft := way_back(recorded, step).get("draft"):
            yield step, draft


async def take_drafts_back(undoing: Undoing, recorded: Recorded, lease: Lease | None) -> tuple[Taken, ...]:
    """Delete what nobody has touched; without a lease, only look."""
    found = []
    for step, draft in drafts_of(recorded):
        what, failed = f"draft {draft}", False
        try:
            left = await _take_back(undoing, recorded, step, draft, lease)
        except ProviderError as error:
            left, failed = str(error), True
        found.append(Taken(what, KIND, left, failed))
    return tuple(found)


async def _take_back(undoing: Undoing, recorded: Recorded, step: int, draft: str, lease: Lease | None) -> str:
    """Say why a draft is left, "" where it is deleted."""
    run, home = recorded.run, home_of(recorded.run, step)
    lies = await _lies(undoing, recorded, home, lease) if home else None
    if isinstance(lies, Turn) or (lies and lies.run != run.id):
        return NEWER
    provider = undoing.provider(run.mailbox)
    try:
        now = await ask(lease, partial(provider.read_draft, run.mailbox, draft))
    except MessageGone:
        return GONE
    written = lies.digest if lies else way_back(recorded, step).get("digest", "")
    if digest_of(now) != written:
        return EDITED
    if lease:
        await ask(lease, partial(provider.delete_draft, run.mailbox, draft))
        if home and lies:
            await undoing.drafts.forget(home, run, lies, run.arrived)
    return ""


async def _lies(undoing: Undoing, recorded: Recorded, home: Home, lease: Lease | None) -> Left | Turn | None:
    """Say what is known of the draft of a thread; with a lease, once no other run writes it."""
    if not lease:
        return (await undoing.drafts.in_threads(home.mailbox, [home.thread])).get(home)
    lies = await undoing.drafts.take(home, recorded.run, recorded.run.arrived)
    if not isinstance(lies, Left) or lies.run != recorded.run.id:
        await undoing.drafts.put_down(home, recorded.run)
    return lies
