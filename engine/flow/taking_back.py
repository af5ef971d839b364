"""Take back what runs left beside labels: files, items of summaries not sent yet, suppressed addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import ProviderError
from engine.flow.inverse import way_back
from engine.flow.outside import Folders
from engine.flow.recorded import Recorded
from engine.flow.summaries import Summaries
from engine.flow.suppression import Suppressions

LEFT: Mapping[str, str] = {
    "changed": "somebody has changed it since",
    "gone": "it is gone already",
    "closed": "its summary is sent, or about to be",
}
InUse = Collection[tuple[str, str]]
"""Folder and path of files that others count on."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One thing that is taken back, or left and why."""

    what: str
    kind: str
    """So that the same is counted together."""
    left: str = ""
    failed: bool = False
    """Whether it may be had another time."""


def files_of(recorded: Recorded) -> Iterator[Mapping[str, Any]]:
    """Give the files that a run saved anew, the last one first."""
    for step in reversed(range(len(recorded.run.steps))):
        yield from reversed(way_back(recorded, step).get("files", ()))


def items_of(recorded: Recorded) -> Iterator[tuple[str, str]]:
    """Give the items that a run added to summaries, each with the run of its summary, the last one first."""
    for step in reversed(range(len(recorded.run.steps))):
        if item := way_back(recorded, step).get("item"):
            yield recorded.receipts[step]["summary"], item


def suppressions_of(recorded: Recorded) -> Iterator[int]:
    """Give how many addresses a run suppressed."""
    for step in range(len(recorded.run.steps)):
        if count := way_back(recorded, step).get("suppressed"):
            yield count


def no_way_back(recorded: Recorded) -> Iterator[str]:
    """Say of every step that was done and has no way back why."""
    for step, receipt in sorted(recorded.receipts.items()):
        if receipt["outcome"] == "done" and (why := way_back(recorded, step).get("none")):
            yield why


async def take_back(
    folders: Folders,
    summaries: Summaries,
    suppressions: Suppressions,
    recorded: Recorded,
    in_use: InUse,
    *,
    acts: bool,
) -> tuple[Taken, ...]:
    """Take back what a run left beside labels; unless it `acts`, only look."""
    items = [await _item(summaries, *each, acts=acts) for each in items_of(recorded)]
    files = [await _file(folders, each, in_use, acts=acts) for each in files_of(recorded)]
    gone = await suppressions.lift(recorded.run.id, acts=acts) if any(suppressions_of(recorded)) else ()
    freed = [Taken(f"suppressed address {address}", "suppressed address") for address in gone]
    return (*items, *files, *freed)


async def _item(summaries: Summaries, summary: str, name: str, *, acts: bool) -> Taken:
    found = await summaries.take_out(summary, name, acts=acts)
    return Taken(f"item of the summary {summary[:12]}", "item of a summary", LEFT.get(found, ""))


async def _file(folders: Folders, told: Mapping[str, Any], in_use: InUse, *, acts: bool) -> Taken:
    folder, path = told["folder"], told["path"]
    what = f"file {folder}/{path}"
    if (folder, path) in in_use:
        return Taken(what, "file", "a later run counts on it")
    try:
        found = await folders.remove(folder, path.split("/"), told["sha256"], acts=acts)
    except ProviderError as error:
        return Taken(what, "file", str(error), failed=True)
    return Taken(what, "file", LEFT.get(found, ""))
