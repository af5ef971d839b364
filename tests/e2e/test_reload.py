"""Rules that change under a real worker: taken as a whole or not at all, and without a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from engine.cli.stage import Stage
from engine.flow.rulebook import Sources
from engine.sources import read_rule_sources
from engine.store.figures import Process
from engine.wiring import Office
from tests.e2e.playing import POLLING, deliver, play, staged_play
from tests.waiting import wait_for

pytestmark = pytest.mark.e2e

RULE = "rules: [{id: r, when: {size: {gte: 0}}, then: [{label: %s}], tests: [%s]}]\n"
TEST = "{name: t, expect: {labels: {add: %s}}}"
MAIL = b"From: a@b.example\r\nSubject: x\r\nMessage-ID: <%d@b.example>\r\n\r\nx\r\n"


async def labels(stage: Stage, key: str) -> set[str]:
    state = (await stage.control("GET", "state", params={"mailbox": POLLING}))["messages"]
    return {label for message in state if message["id"] == key for label in message["labels"]}


async def worker(office: Office) -> Process:
    (found,) = [process for process in (await office.look()).processes if process.kind == "worker"]
    return found


def write(folder: Path, label: str, expected: str) -> None:
    (folder / "r.yaml").write_text(RULE % (label, TEST % expected), encoding="utf-8")


def on_disk(office: Office) -> Sources:
    return read_rule_sources(office.settings)


async def test_changed_rules_are_taken_and_rules_with_failing_tests_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    write(folder, "A", "A")
    changing = replace(play(), rules=folder)
    async with staged_play(changing, tmp_path) as (stage, office):
        await deliver(stage, office, [])  # Until both mailboxes are in service.
        for label, good in (("A", True), ("B", True), ("C", False), ("D", True)):
            write(folder, label, label if good else "X")
            digest = on_disk(office).digest

            async def told(digest: str = digest, good: bool = good) -> bool:
                process = await worker(office)
                return process.rules == digest if good else "test of 'r' failed" in process.refused

            await wait_for(told, seconds=30, every=0.2, what=f"the worker's word on {label}")
            key = await stage.deliver(POLLING, MAIL % ord(label))
            in_force = label if good else "B"

            async def labelled(key: str = key, label: str = in_force) -> bool:
                return label in await labels(stage, key)

            await wait_for(labelled, seconds=30, every=0.2, what=f"the label {in_force}")
            await refused_in_metrics(stage, not good)
    log = (tmp_path / "postroom.log").read_text(encoding="utf-8")
    assert log.count("rules not loaded, the last good ones stay in force: ") == 1


async def refused_in_metrics(stage: Stage, refused: bool) -> None:
    secret = stage.settings.web.api_token
    async with httpx.AsyncClient(base_url=stage.web_url) as client:
        answer = await client.get("/metrics", headers={"Authorization": f"Bearer {secret}"})
    assert f"postroom_rules_refused {1.0 if refused else 0.0}" in answer.text
