"""What would take an effect back, written into its receipt as JSON under `undo`. Pure.

`{"labels": [{"keys": [...], "add": [...], "remove": [...]}], "unknown": [...]}` gives the label changes that
restore what was, and messages that were changed too though nobody had looked at them before; `{"draft": ID}`
a draft to delete if nobody has edited it; `{"files": [{"folder": ..., "path": ..., "sha256": ...}]}` files to
remove if they are still the same; `{"item": NAME}` an item to take out of the summary that the receipt names;
`{"scheduled": KEY}` a message that the service keeps until its time; `{"suppressed": COUNT}` so many
addresses to write to again, which know the run themselves; `{"none": WHY}` says that there is no
way back. Without the word, nothing was changed; but what takes back label changes that went with a batch
follows from the labels that the run has written down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.flow.recorded import Recorded
from engine.rules.effects import ChangeLabels
from engine.rules.evaluate import changed

UNDO = "undo"
SENT = "what was sent cannot be called back"
DELETED = "what was deleted for good cannot be brought back"
CALLED = "a call to another system cannot be taken back"
EMITTED = "what rules did because of an event is theirs to take back"


def labels_back(
    before: Mapping[str, Iterable[str]], effect: ChangeLabels, unknown: Sequence[str] = ()
) -> str:
    """Say in a receipt what undoes a label change of messages, given by key with the labels that they had."""
    return dumped(_labels_back(before, effect) | ({"unknown": list(unknown)} if unknown else {}))


def _labels_back(before: Mapping[str, Iterable[str]], effect: ChangeLabels) -> dict[str, Any]:
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for key, labels in before.items():
        had = frozenset(labels)
        added = tuple(label for label in effect.add if label not in had)
        removed = tuple(label for label in effect.remove if label in had)
        if added or removed:
            alike.setdefault((removed, added), []).append(key)
    changes = [
        {"keys": keys, "add": list(add), "remove": list(remove)} for (add, remove), keys in alike.items()
    ]
    return {"labels": changes}


def way_back(recorded: Recorded, step: int) -> Mapping[str, Any]:
    """Say what takes a step back; {} where it changed nothing, or nothing is known of the time before."""
    run, receipt = recorded.run, recorded.receipts.get(step, {})
    if UNDO in receipt:
        told: dict[str, Any] = json.loads(receipt[UNDO])
        return told
    effect, found = run.steps[step], run.labels if run.found is None else run.found
    if found is None or step >= run.grouped or receipt.get("outcome") != "done":
        return {}
    before = changed(frozenset(found), run.steps[:step])
    return _labels_back({run.key: before}, effect) if isinstance(effect, ChangeLabels) else {}


def no_way_back(why: str) -> Mapping[str, str]:
    """Say in a receipt that an effect has no inverse."""
    return {UNDO: dumped({"none": why})}


def draft_back(draft: str, digest: str = "") -> Mapping[str, str]:
    """Say in a receipt which draft to delete, and what it says where nothing else remembers that."""
    return {UNDO: dumped({"draft": draft} | ({"digest": digest} if digest else {}))}


def item_back(item: str) -> Mapping[str, str]:
    """Say in a receipt which item to take out of the summary, as long as that was not sent."""
    return {UNDO: dumped({"item": item})}


def scheduled_back(key: str) -> Mapping[str, str]:
    """Say in a receipt which message to cancel, as long as the service keeps it."""
    return {UNDO: dumped({"scheduled": key})}


def suppressed_back(count: int) -> Mapping[str, str]:
    """Say in a receipt how many addresses its run suppressed."""
    return {UNDO: dumped({"suppressed": count})}


def files_back(files: Iterable[tuple[str, str, str]]) -> Mapping[str, str]:
    """Say in a receipt which files to remove, each given by its folder, path and digest."""
    named = [{"folder": folder, "path": path, "sha256": digest} for folder, path, digest in files]
    return {UNDO: dumped({"files": named})}


def dumped(value: Any) -> str:
    """Write a value of a receipt as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
