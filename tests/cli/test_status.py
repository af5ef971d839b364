"""`status`, as a person calls it on Monday."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from engine import metrics
from engine.cli.status_text import ago
from engine.errors import StoreError
from engine.metrics import DECIDED, Pending
from engine.store.figures import Figures, Process
from engine.store.halt import halt
from engine.store.layout import claim_layout
from engine.wiring import Office
from tests.cli.conftest import Console
from tests.flow.fakes import BOX, Clock, mail

DAY_MS = 86_400_000


@dataclass
class Still:
    """The clock of a test, for an office."""

    clock: Clock

    def __call__(self) -> int:
        return self.clock()

    async def sync(self) -> None:
        return None


@pytest.fixture
async def busy(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A mailbox with some mail, a worker that reports, and the clock of the test everywhere."""
    world = console.world
    monkeypatch.setattr(Office, "clock", Still(world.clock))
    metrics.take()  # What other tests counted.
    await world.rules("{id: file, when: {subject: file}, then: [label: A]}")
    world.clock.forward(1_000)
    world.provider.deliver("untouched", mail("hello"))
    world.provider.deliver("filed", mail("file"))
    await world.read_and_drain()
    await report(console)
    return console


async def report(console: Console, pending: Pending | None = None, refused: str = "") -> None:
    now, book = console.world.clock(), console.world.keeper.current()
    assert book
    worker = Process("w", "worker", "here", 7, "0.1.0", now - DAY_MS, now, book.digest, refused)
    await Figures(console.world.base).add(pending or metrics.take(), worker, now)


async def test_a_quiet_monday(busy: Console) -> None:
    result = await busy.call("status")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].endswith("all is well")
    (row,) = [line.split() for line in lines if line.startswith(BOX)]
    assert row == [BOX, "2", "s", "0", "s", "0", "-", "2", "1", "0", "0"]
    assert any(line.startswith("worker") and "here:7" in line for line in lines)


async def test_machines_read_the_same(busy: Console) -> None:
    result = await busy.call("status", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["fine"], told["needs"], told["halted"]) == (0, True, [], None)
    (box,) = told["mailboxes"]
    assert (box["mailbox"], box["account"], box["queued"], box["lag_s"], box["paused"]) == (
        BOX,
        "acme",
        0,
        0,
        None,
    )
    assert box["last_24_h"] == {"decided": 2, "runs": 1}
    assert box["runs"] == {"open": 0, "dead": 0}
    assert box["started"] == "2026-01-01T00:00:00+00:00"
    assert told["rules"]["digest"] == told["processes"][0]["rules"]
    assert {left["rate_class"] for left in told["budgets"]} == {"LIGHT", "MEDIUM", "HEAVY"}
    assert told["processes"][0]["lives"] is True


async def needs(console: Console) -> str:
    """The only thing that needs a person."""
    result = await console.call("status", "--json")
    assert result.exit_code == 1
    (need,) = json.loads(result.stdout)["needs"]
    text = await console.call("status")
    assert text.exit_code == 1
    assert need[:80] in text.stdout
    return str(need)


async def test_no_worker_needs_a_person(busy: Console) -> None:
    busy.world.clock.forward(31_000)
    assert await needs(busy) == "no worker is running"


async def test_rules_that_were_refused_need_a_person(busy: Console) -> None:
    await report(busy, refused="r.yaml:1:2 unknown condition 'form'")
    assert await needs(busy) == "rules not loaded by worker here:7: r.yaml:1:2 unknown condition 'form'"


async def test_a_pause_needs_a_person_once_it_lasts(busy: Console) -> None:
    world = busy.world
    await world.mailboxes.pause(BOX, "the secret is refused", world.clock() + 300_000, world.clock())
    calm = await busy.call("status")
    assert (calm.exit_code, f"{BOX} is paused: the secret is refused" in calm.stdout) == (0, True)
    world.clock.forward(61_000)
    await report(busy)
    assert (await needs(busy)).startswith(f"{BOX}: paused: the secret is refused (tried again at ")


async def test_a_silence_needs_a_person(busy: Console) -> None:
    busy.world.clock.forward(3_600_000)
    await report(busy)
    assert await needs(busy) == f"{BOX}: unread: its history has not been read for 60 min"


async def test_a_dead_run_needs_a_person(busy: Console) -> None:
    (run,) = await busy.world.runs()
    await busy.world.base.scripts("bury", [], [run.run.id, "why", busy.world.clock()])
    assert await needs(busy) == "runs that need a person: 1, see `postroom dead`"
    told = json.loads((await busy.call("status", "--json")).stdout)
    assert told["mailboxes"][0]["runs"] == {"open": 0, "dead": 1}


async def test_a_halt_needs_a_person(busy: Console) -> None:
    await halt(busy.world.base, "a replica was promoted", busy.world.clock())
    assert "a replica was promoted; run `postroom recover`" in await needs(busy)


async def test_a_redis_that_goes_away_is_no_defect(busy: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(office: Office) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(Office, "look", gone)
    result = await busy.call("status")
    assert isinstance(result.exception, StoreError)


async def test_names_with_brackets_are_shown_as_they_are(busy: Console) -> None:
    text = busy.config.read_text().replace("{acme:", '{"[acme][/b]":')
    busy.config.write_text(text.replace("account: acme", 'account: "[acme][/b]"'))
    result = await busy.call("status")
    assert result.exit_code == 0
    assert "[acme][/b]" in result.stdout


@pytest.fixture
async def full(busy: Console) -> AsyncIterator[Console]:
    """A Redis that takes no more."""
    await claim_layout(busy.world.base)
    await busy.world.base.redis.config_set("maxmemory", "1")
    yield busy
    await busy.world.base.redis.config_set("maxmemory", "0")


async def test_a_full_redis_is_said_to_be_full(full: Console) -> None:
    (need,) = json.loads((await full.call("status", "--json")).stdout)["needs"]
    assert need.endswith("% full; a full one stands still")
    assert (await full.call("runs")).exit_code == 0


async def test_what_redis_refuses_is_said_in_its_words(full: Console) -> None:
    await full.world.base.redis.delete("postroom:schema")
    result = await full.call("status")
    assert isinstance(result.exception, StoreError)
    assert "used memory > 'maxmemory'" in str(result.exception)
    assert "is it running" not in str(result.exception)


async def test_before_anything_was_set_up(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Office, "clock", Still(console.world.clock))
    await console.world.base.redis.flushdb()
    result = await console.call("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)["needs"]) == (
        1,
        ["no worker is running", "no rules have been put in force yet, and mail waits"],
    )
    assert "not yet" in (await console.call("status")).stdout


async def test_what_a_day_decided_is_forgotten_after_it(busy: Console) -> None:
    await report(busy, Pending({(DECIDED.name, BOX): 40}))
    busy.world.clock.forward(DAY_MS + 3_600_000)
    told = json.loads((await busy.call("status", "--json")).stdout)
    assert told["mailboxes"][0]["last_24_h"] == {"decided": 0, "runs": 0}


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        pytest.param(0, "never", id="never"),
        pytest.param(119_000, "119 s ago", id="seconds up to two minutes"),
        pytest.param(7_199_000, "119 min ago", id="minutes up to two hours"),
        pytest.param(50 * 3_600_000, "2 days ago", id="days from two on"),
    ],
)
def test_how_long_ago_is_said_in_one_unit(ms: int, said: str) -> None:
    now = 10 * DAY_MS
    assert ago(now - ms if ms else 0, now, "never", " ago") == said
