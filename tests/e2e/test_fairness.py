"""Fairness under the service's own rate limits: a huge mailbox does not delay small ones."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

from engine.cli.stage import Play, Stage, staged
from engine.wiring import open_office
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

HUGE, SMALL = "huge@ours.example", ("one@ours.example", "two@ours.example")
LOAD = 2_000
WITHIN_S = 60.0
MEANWHILE = 200
"""At most so many answers of the huge mailbox go out until a message of a small one is answered, however slow
the machine: it stands behind what is under way, not behind what waits.
"""

RULES = """version: 1
rules:
  - id: file
    when: {subject: {exists: true}}
    then: [{label: Filed}, {reply: thanks}]
"""
TEMPLATE = "---\nsubject: Thank you\n---\nWe have it.\n"


def mail(number: int) -> bytes:
    fields = {"From": f"p{number}@x.example", "To": "us@ours.example", "Subject": f"n{number}"}
    fields["Message-ID"] = f"<{number}@x.example>"
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\nhi\r\n"


def play(folder: Path) -> Play:
    (folder / "rules").mkdir()
    (folder / "templates").mkdir()
    (folder / "rules" / "r.yaml").write_text(RULES)
    (folder / "templates" / "thanks.md").write_text(TEMPLATE)
    return Play(dict.fromkeys((HUGE, *SMALL), "off"), folder / "rules", folder / "templates")


async def test_small_mailboxes_are_served_while_a_huge_one_is_at_work(tmp_path: Path) -> None:
    async with staged(play(tmp_path), tmp_path) as stage, open_office(stage.settings) as office:

        async def in_service() -> bool:
            return all([await office.mailboxes.cursor(box) for box in (HUGE, *SMALL)])

        await wait_for(in_service, seconds=30, what="the mailboxes in service")
        archive = tmp_path / "huge.mbox"
        archive.write_bytes(b"".join(b"From x\n" + mail(n) + b"\n" for n in range(LOAD)))
        await stage.control("POST", "load", json={"mailbox": HUGE, "path": str(archive)})

        async def under_way() -> bool:
            return bool(await office.base.redis.hlen(office.base.key("judged", HUGE)))

        await wait_for(under_way, seconds=30, what="the huge mailbox under way")
        for number, box in enumerate(SMALL):
            began, before = time.monotonic(), len(await sent_from(stage, HUGE))
            key = await stage.deliver(box, mail(LOAD + number))
            done = partial(answered, stage, box, key)
            await wait_for(done, seconds=WITHIN_S, what=f"an answer from {box}")
            meanwhile = len(await sent_from(stage, HUGE)) - before
            print(f"\n{box}: answered after {time.monotonic() - began:.1f} s and {meanwhile} others")
            assert meanwhile <= MEANWHILE
        assert len(await sent_from(stage, HUGE)) < LOAD, "the huge mailbox was done before: load more"


async def answered(stage: Stage, mailbox: str, key: str) -> bool:
    """Whether the message is filed and its answer has left."""
    state = (await stage.control("GET", "state", params={"mailbox": mailbox}))["messages"]
    filed = any(one["id"] == key and "Filed" in one["labels"] for one in state)
    return filed and bool(await sent_from(stage, mailbox))


async def sent_from(stage: Stage, mailbox: str) -> list[object]:
    outbox = (await stage.control("GET", "outbox"))["messages"]
    return [one for one in outbox if one["mailbox"] == mailbox]
