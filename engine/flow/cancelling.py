"""Cancel what the mail service keeps until its time: in the trash, it is not sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.flow.inverse import way_back
from engine.flow.recorded import Recorded
from engine.flow.relabelling import read_labels
from engine.flow.stores import Lease
from engine.flow.taking_back import Taken
from engine.flow.touches import Change
from engine.flow.undoings import Undoing

CANCELLED = Change(add=("TRASH",))


def scheduled_by(recorded: Recorded) -> Iterator[str]:
    """Give the messages that a run left to the service, to be sent later."""
    for step in range(len(recorded.run.steps)):
        if key := way_back(recorded, step).get("scheduled"):
            yield key


async def cancellations(
    undoing: Undoing, mailbox: str, runs: Sequence[Recorded], lease: Lease | None
) -> dict[str, Change]:
    """Say what becomes of each of these messages, by what they look like now."""
    keys = [key for one in runs for key in scheduled_by(one)]
    labels = await read_labels(undoing, mailbox, keys, lease) if keys else {}
    return {key: _change(labels[key]) for key in keys}


def _change(labels: frozenset[str] | None) -> Change:
    if labels is None or "TRASH" in labels:
        return Change(left=("it is cancelled already",))
    return CANCELLED if "SCHEDULED" in labels else Change(left=("it is sent already",))


def cancelled(
    recorded: Recorded, changes: Mapping[str, Change], refused: Mapping[str, str]
) -> Iterator[Taken]:
    """Tell what became of what a run left to the service."""
    for key in scheduled_by(recorded):
        why = refused.get(key, "")
        left = why or "".join(changes[key].left)
        yield Taken(f"scheduled message {key}", "scheduled message", left, failed=bool(why))
