"""Undo of a rule over many messages, a tenth of which people have touched since, ended midway once."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.site import ring
from engine.cli.stage import Play, Stage, staged
from engine.errors import MessageGone
from engine.flow.ports import Provider
from engine.mail.needs import Need
from engine.wiring import Office, open_office
from prove.planted import search, tokens, word
from prove.proof import Proof, Sizes, table
from tests.e2e.playing import QUICK, left_to_do
from tests.waiting import wait_for

BOX = "orders@ours.example"
RULES = """version: 1
rules:
  - id: file
    when: {subject: {starts_with: order}}
    then: [label: {add: [Orders], remove: [INBOX]}, mark: {read: true}]
  - {id: late, when: {label: Orders}, then: [label: Late]}
  - {id: other, when: {subject: hello}, then: [label: Other]}
"""
ARRIVED = (("INBOX", "UNREAD"), ("INBOX",), ("INBOX", "UNREAD", "STARRED"))
TOUCHED = 10
"""Every so manieth message is touched."""
ENDED_AFTER = 120
"""Messages that the command has told of before it is killed."""


@dataclass(frozen=True)
class Touch:
    """What a person did, and what is left of undoing then."""

    name: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    named: bool = True
    deletes: bool = False
    whole: bool = False
    """Whether the message is left as the person left it."""


TOUCHES = (
    Touch("took our label off", remove=("Orders",)),
    Touch("moved it back to the inbox", add=("INBOX",)),
    Touch("put it into the trash", add=("TRASH",), whole=True),
    Touch("deleted it", deletes=True, whole=True),
    Touch("put a label of their own on", add=("Mine",), named=False),
)
Labels = Mapping[str, frozenset[str] | None]


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Label messages by a run each, touch a tenth, undo the rest with a kill midway, and compare."""
    (folder / "rules").mkdir()
    (folder / "templates").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, encoding="utf-8")
    play = Play({BOX: "off"}, folder / "rules", folder / "templates", limits=False, execute=QUICK)
    async with staged(play, folder) as stage, open_office(stage.settings) as office:
        keys = await _filed(stage, office, play, sizes.undone)
        touched = await _touched(office.provider(BOX), keys)
        before = await _labels(office.provider(BOX), list(keys))
        previewed, preview_s = await _command(stage)
        calls = await _calls(stage)
        await _killed(stage)
        undone = await _undone(office)
        assert 0 < undone < len(keys), f"killed at no good time: {undone} undone"
        arriving = _arrive(stage, office, play, len(keys))
        (_, undo_s), _ = await asyncio.gather(_command(stage, "--yes"), arriving)
        calls = {name: count - calls.get(name, 0) for name, count in (await _calls(stage)).items()}
        after = await _labels(office.provider(BOX), list(keys))
        _compare(keys, touched, before, after, previewed)
        again, _ = await _command(stage, "--yes")
        assert (again[-1]["runs"], again[-1]["left_alone"]) == (0, {"it is undone already": len(keys)})
        assert await _labels(office.provider(BOX), list(keys)) == after
        found = await search(stage, office, {**play.secrets, **await tokens(office)})
    assert not found.found, found.found
    named = sum(touch.named for touch in touched.values())
    facts = [
        f"{len(keys):,} messages, each labelled by a run of one rule; people touched {len(touched):,} of "
        f"them, in {len(TOUCHES)} ways, before the rule was undone",
        "all others have exactly the labels that they came with, and that of a later rule, which stays; "
        f"{named:,} are named as left or as they were already, and nothing that people did was changed",
        f"the command was killed with {undone:,} runs undone, and carried on by calling it again, while new "
        "mail came and was judged; called once more, it does nothing",
        f"preview {preview_s:.1f} s, the rest undone in {undo_s:.1f} s",
        found.fact,
    ]
    rows: list[list[object]] = [[name, count] for name, count in sorted(calls.items()) if count]
    return Proof(facts, [table(["call of the service, since the preview", "times"], rows)])


async def _filed(stage: Stage, office: Office, play: Play, count: int) -> dict[str, frozenset[str]]:
    """Deliver messages and wait until rules have labelled them; by key, with what labels they came."""
    await wait_for(lambda: office.mailboxes.cursor(BOX), seconds=30)
    keys = {}
    for number in range(count):
        labels = ARRIVED[number % len(ARRIVED)]
        keys[await stage.deliver(BOX, _mail(f"order {number}"), ",".join(labels))] = frozenset(labels)
    await _judged(stage, office, play, count)
    return keys


async def _arrive(stage: Stage, office: Office, play: Play, known: int) -> None:
    """Let new mail come."""
    for number in range(20):
        await stage.deliver(BOX, _mail("hello", number))
    await _judged(stage, office, play, known + 20)


def _mail(subject: str, number: int = 0) -> bytes:
    head = f"From: ann{number}@customer.example\r\nTo: {BOX}\r\nSubject: {subject}\r\n"
    return f"{head}Message-ID: <{subject.replace(' ', '.')}.{number}@x>\r\n\r\n{word('body')}\r\n".encode()


async def _judged(stage: Stage, office: Office, play: Play, count: int) -> None:
    await ring(stage.sandbox, f"{stage.web_url}/hooks/zoom/sandbox", play.secrets["webhook"], BOX)

    async def done() -> bool:
        return await left_to_do(office, count) == 0

    await wait_for(done, seconds=300, every=0.2, what="all mail that is judged")


async def _touched(provider: Provider, keys: Mapping[str, object]) -> dict[str, Touch]:
    """Do as people do."""
    found = {}
    for number, key in enumerate(keys):
        if number % TOUCHED == 0:
            touch = found[key] = TOUCHES[number // TOUCHED % len(TOUCHES)]
            if touch.deletes:
                await provider.delete(BOX, [key])
            else:
                await provider.change_labels(BOX, [key], touch.add, touch.remove)
    return found


async def _labels(provider: Provider, keys: Sequence[str]) -> Labels:
    found: dict[str, frozenset[str] | None] = {}
    for key in keys:
        try:
            found[key] = (await provider.fetch(BOX, key, frozenset({Need.LABELS}))).labels
        except MessageGone:
            found[key] = None
    return found


def _words(stage: Stage, *words: str) -> list[str]:
    asked = ["undo", "--rule", "file", "--since", "1h", "--json", *words]
    return ["-m", "engine", *asked, "--config", str(stage.folder / "postroom.yaml")]


async def _command(stage: Stage, *words: str) -> tuple[list[dict[str, Any]], float]:
    """Call `postroom undo`; its lines, and how long it took."""
    began = time.monotonic()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_words(stage, *words), stdout=pipe, stderr=pipe
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return [json.loads(line) for line in out.splitlines()], time.monotonic() - began


async def _killed(stage: Stage) -> None:
    """Kill the command in the midst of its work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_words(stage, "--yes"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    for _ in range(ENDED_AFTER):
        await process.stdout.readline()
    process.kill()
    await process.wait()


async def _undone(office: Office) -> int:
    found = await office.journal.get_all(await office.journal.newest(1_000_000, rule="file"))
    return sum(one.undone is not None for one in found)


async def _calls(stage: Stage) -> dict[str, int]:
    return dict((await stage.control("GET", "calls"))["operations"])


def _compare(
    keys: Mapping[str, frozenset[str]],
    touched: Mapping[str, Touch],
    before: Labels,
    after: Labels,
    previewed: Sequence[Mapping[str, Any]],
) -> None:
    """Hold every message against what it came with and what a person did."""
    wrong = [key for key in keys if after[key] != _wanted(keys[key], touched.get(key), before[key])]
    assert not wrong, [(key, touched.get(key), before[key], after[key]) for key in wrong[:5]]
    *messages, counts = previewed
    told = {one["message"] for one in messages if one["left"] or one["already"]}
    assert told == {key for key, touch in touched.items() if touch.named}
    assert (counts["runs"], counts["messages"]) == (len(keys), len(keys))


def _wanted(
    arrived: frozenset[str], touch: Touch | None, before: frozenset[str] | None
) -> frozenset[str] | None:
    if touch and touch.whole:
        return before
    own = frozenset(touch.add) if touch else frozenset[str]()
    return arrived | {"Late"} | own
