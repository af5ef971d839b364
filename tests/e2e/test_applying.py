"""A new rule for mail that is there already: the command, a real worker, and a mail service over HTTP."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.cli.stage import Play, Stage, staged
from engine.wiring import Office, open_office
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

BOX = "us@ours.example"
BEFORE = "version: 1\nrules:\n  - {id: other, when: {subject: nothing}, then: [label: Other]}\n"
RULE = "  - {id: new, when: {subject: {contains: order}}, then: [label: Orders, reply: thanks]}\n"
TEMPLATE = "---\nsubject: Thank you\n---\nWe have it.\n"
MESSAGES = 104
"""Half of them are more than are handed over at a time."""


def mail(number: int) -> bytes:
    subject = f"order {number}" if number % 2 else f"hello {number}"
    fields = {"From": f"p{number}@x.example", "To": BOX, "Subject": subject}
    fields["Message-ID"] = f"<{number}@x.example>"
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode() + b"\r\nhi\r\n"


async def preview(stage: Stage) -> dict[str, Any]:
    """Ask the command as people call it."""
    command = (sys.executable, "-m", "engine", "apply", "--mailbox", BOX, "--since", "1d", "--json")
    config = ("--config", str(stage.folder / "postroom.yaml"))
    process = await asyncio.create_subprocess_exec(*command, *config, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    assert process.returncode == 0, told
    found: dict[str, Any] = json.loads(told)
    return found


async def apply(stage: Stage, *words: str) -> list[dict[str, Any]]:
    config = ("--config", str(stage.folder / "postroom.yaml"))
    command = ["apply", "--mailbox", BOX, "--since", "1d", "--json", *config, *words]
    told = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert told.exit_code == 0, told.output
    return [json.loads(line) for line in told.stdout.splitlines()]


async def labelled(stage: Stage) -> int:
    state = (await stage.control("GET", "state", params={"mailbox": BOX}))["messages"]
    return sum("Orders" in one["labels"] and "SENT" not in one["labels"] for one in state)


async def answers(stage: Stage) -> int:
    return len((await stage.control("GET", "outbox"))["messages"])


async def prepared(stage: Stage, office: Office, rules: Path) -> None:
    """Mail that was judged by rules that did not want it, and then a rule that does."""

    async def in_service() -> bool:
        return await office.mailboxes.cursor(BOX) is not None

    await wait_for(in_service, seconds=30, what="the mailbox in service")
    for number in range(MESSAGES):
        await stage.deliver(BOX, mail(number))

    async def judged() -> bool:
        return bool(await office.base.redis.hlen(office.base.key("judged", BOX)) == MESSAGES)

    await wait_for(judged, seconds=60, what="all mail judged")
    current = office.base.key("current")
    old = await office.base.redis.get(current)
    await asyncio.to_thread(rules.write_text, BEFORE + RULE)

    async def reloaded() -> bool:
        return bool(await office.base.redis.get(current) != old)

    await wait_for(reloaded, seconds=60, what="the new rule in force")


async def test_a_new_rule_acts_on_old_mail_once(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "templates").mkdir()
    rules = tmp_path / "rules" / "r.yaml"
    rules.write_text(BEFORE)
    (tmp_path / "templates" / "thanks.md").write_text(TEMPLATE)
    play = Play({BOX: "off"}, tmp_path / "rules", tmp_path / "templates", limits=False)
    async with staged(play, tmp_path) as stage, open_office(stage.settings) as office:
        await prepared(stage, office, rules)
        half = MESSAGES // 2

        assert (await preview(stage))["rules"] == {"new": half}
        assert (await labelled(stage), await answers(stage)) == (0, 0)

        _, done = await apply(stage, "--yes")
        assert (done["handed_over"], done["not_begun"]) == (half, 0)

        async def filed() -> bool:
            return await labelled(stage) == half

        await wait_for(filed, seconds=30, what="labels on all of them")
        assert await answers(stage) == 0

        _, done = await apply(stage, "--yes", "--with-sends")
        assert done["not_begun"] == 0

        async def answered() -> bool:
            return await answers(stage) == half

        await wait_for(answered, seconds=60, what="an answer to each")
        for words in (("--yes",), ("--yes", "--with-sends")):
            (again,) = await apply(stage, *words)
            assert again["runs"] == 0
        assert (await labelled(stage), await answers(stage)) == (half, half)
