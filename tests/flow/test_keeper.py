"""Rules in force: the last good ones, whatever becomes of the files."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

import pytest
from redis.asyncio import Redis

from engine.errors import PostroomError, TemplateError
from engine.flow.keeper import KEPT, Keeper
from engine.flow.rulebook import Sources, compile_sources
from engine.sources import check_sources
from engine.store.base import Base
from engine.store.blobs import RedisBlobs
from engine.templating.folder import read_folder
from tests.flow.fakes import Clock


def rules(label: str) -> Sources:
    return Sources(
        {"r.yaml": f"version: 1\nrules:\n  - {{id: r, when: {{label: X}}, then: [label: {label}]}}\n"}, {}
    )


BROKEN = Sources({"r.yaml": "version: 1\nrules:\n  - {id: r, wenn: 1}\n"}, {})
FAILING = Sources(
    {
        "r.yaml": "version: 1\nrules:\n  - {id: r, when: {subject: a}, then: [label: A],"
        " tests: [{name: t, given: {subject: b}, expect: {matched: true}}]}\n"
    },
    {},
)


class Desk:
    """A keeper whose files a test writes."""

    def __init__(self, redis: Redis, sources: Sources) -> None:
        self.sources, self.clock, self.redis = sources, Clock(), redis
        self.error: Exception | None = None
        self.restart()

    def restart(self) -> None:
        self.keeper = Keeper(RedisBlobs(Base(self.redis)), self.read, check_sources, self.clock)

    def read(self) -> Sources:
        if self.error:
            raise self.error
        return self.sources

    async def reload(self) -> None:
        """Read until changed files were read twice alike."""
        for _ in range(2):
            await self.keeper.reload()

    def digest(self) -> str | None:
        current = self.keeper.current()
        return current.digest if current else None


@pytest.fixture
async def desk(redis: Redis) -> Desk:
    made = Desk(redis, rules("A"))
    await made.keeper.reload()
    assert made.digest() == rules("A").digest
    return made


async def test_good_rules_are_put_in_force_when_the_files_change(desk: Desk) -> None:
    desk.sources = rules("B")
    await desk.reload()
    assert desk.digest() == rules("B").digest


async def test_files_that_are_still_being_written_are_not_taken(desk: Desk) -> None:
    for label in ("B", "C"):
        desk.sources = rules(label)
        await desk.keeper.reload()
        assert desk.digest() == rules("A").digest
    await desk.keeper.reload()
    assert desk.digest() == rules("C").digest


@pytest.mark.parametrize("bad", [BROKEN, FAILING], ids=["a broken rule", "a failing test"])
@pytest.mark.parametrize("restarted", [False, True], ids=["while it runs", "after a restart"])
async def test_the_last_good_rules_stay_in_force(
    desk: Desk, bad: Sources, restarted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    desk.sources = bad
    if restarted:
        desk.restart()
    with caplog.at_level(logging.ERROR, "postroom.rules"):
        for _ in range(3):
            await desk.reload()
    assert desk.digest() == rules("A").digest
    (said,) = caplog.messages
    assert "rules not loaded" in said
    assert "r.yaml:3" in said
    desk.sources = rules("B")
    await desk.reload()
    assert desk.digest() == rules("B").digest


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(PostroomError("rules/ does not exist"), id="the folder is away"),
        pytest.param(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), id="no UTF-8"),
        pytest.param(PermissionError("not for you"), id="no permission"),
    ],
)
@pytest.mark.parametrize("restarted", [False, True], ids=["while it runs", "after a restart"])
async def test_files_that_cannot_be_read_leave_the_last_good_rules_in_force(
    desk: Desk, error: Exception, restarted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    desk.error = error
    if restarted:
        desk.restart()
    with caplog.at_level(logging.ERROR, "postroom.rules"):
        for _ in range(3):
            await desk.reload()
    assert desk.digest() == rules("A").digest
    assert len(caplog.messages) == 1
    desk.error, desk.sources = None, rules("B")
    await desk.reload()
    assert desk.digest() == rules("B").digest


async def test_rules_that_were_refused_are_refused_again_after_good_ones(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for sources in (FAILING, rules("B"), FAILING):
        desk.sources = sources
        await desk.reload()
    assert desk.digest() == rules("B").digest
    assert "test of 'r' failed" in desk.keeper.refused
    assert [message[:16] for message in caplog.messages] == ["rules not loaded"] * 2


async def test_files_that_are_put_back_are_no_longer_refused(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for sources in (BROKEN, rules("A")):
        desk.sources = sources
        with caplog.at_level(logging.INFO, "postroom.rules"):
            await desk.reload()
    assert desk.keeper.refused == ""
    assert caplog.messages[-1] == "the rules on disk are those in force again"


ANSWER = Sources(
    {"r.yaml": "version: 1\nrules:\n  - {id: r, when: {subject: a}, then: [{reply: t}]}\n"},
    {"t.md": "---\nsubject: Hello\n---\nOne.\n"},
)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        pytest.param("---\nsubject: Hello\n---\nTwo.\n", True, id="that is good"),
        pytest.param("---\nsubject: Hello\n---\n{{ nonsense }}\n", False, id="that is not"),
        pytest.param(
            "---\nsubject: Hello\ninputs: [n]\n---\n{{ n }}\n", False, id="whose input no rule supplies"
        ),
    ],
)
async def test_a_changed_template_is_taken_with_the_rules_or_not_at_all(
    desk: Desk, text: str, good: bool
) -> None:
    desk.sources = ANSWER
    await desk.reload()
    desk.sources = Sources(ANSWER.rules, {"t.md": text})
    await desk.reload()
    assert desk.digest() == (desk.sources if good else ANSWER).digest
    assert bool(desk.keeper.refused) is not good


async def test_the_worker_goes_on_while_rules_are_tested(redis: Redis) -> None:
    under_way, done = threading.Event(), threading.Event()

    def check(sources: Sources) -> list[str]:
        under_way.set()
        return [] if done.wait(10) else ["nobody else could work"]

    keeper = Keeper(RedisBlobs(Base(redis)), lambda: rules("A"), check, Clock())
    reloading = asyncio.create_task(keeper.reload())
    assert await asyncio.to_thread(under_way.wait, 10)
    done.set()
    await reloading
    assert keeper.refused == ""


def test_templates_are_read_with_all_below(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.md", "sub/b.html", "notes.txt"):
        (tmp_path / name).write_text(name)
    assert read_folder(tmp_path) == {"a.md": "a.md", "sub/b.html": "sub/b.html"}


async def test_with_no_good_rules_ever_there_are_none_in_force(redis: Redis) -> None:
    desk = Desk(redis, BROKEN)
    await desk.reload()
    assert desk.digest() is None
    desk.sources = rules("A")
    await desk.reload()
    assert desk.digest() == rules("A").digest


async def test_last_good_rules_that_are_no_longer_kept_leave_none_in_force(desk: Desk) -> None:
    await desk.redis.delete(Base(desk.redis).key("blob", rules("A").digest))
    desk.sources = BROKEN
    desk.restart()
    await desk.reload()
    assert desk.digest() is None


async def test_a_run_finds_the_rules_that_it_is_pinned_to(desk: Desk) -> None:
    for number in range(KEPT + 2):
        desk.sources = rules(f"L{number}")
        await desk.reload()
    assert (await desk.keeper.pinned(rules("A").digest)).digest == rules("A").digest
    with pytest.raises(TemplateError, match="no longer kept"):
        await desk.keeper.pinned("0" * 64)


def test_sources_survive_the_way_through_json() -> None:
    sources = Sources({"a.yaml": "version: 1\nrules: []\n"}, {"t.md": "---\nsubject: é\n---\nx\n"})
    assert Sources.from_json(sources.to_json()) == sources
    assert compile_sources(sources).digest == sources.digest
