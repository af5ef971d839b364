"""`backup`, `restore`, `recover` and `migrate`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import Unauthorized
from engine.flow import doubt
from engine.flow.doubt import NEWEST
from engine.store.halt import halt, read_halt
from engine.store.layout import LAYOUT
from tests.cli.conftest import Console
from tests.flow.fakes import BOX, mail

REPLY = "{id: answer, when: {subject: {contains: order}}, then: [reply: hi]}"


@pytest.fixture
async def open_run(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """One answer that is not sent yet."""
    monkeypatch.setattr(doubt, "PAUSE_S", 0)
    await console.world.rules(REPLY)
    console.world.provider.deliver("1", mail("order"))
    await console.world.read_and_drain()
    return console


async def test_back_to_a_backup_and_on_without_doing_anything_twice(
    open_run: Console, tmp_path: Path
) -> None:
    world, file = open_run.world, str(tmp_path / "backup.gz")
    made = await open_run.call("backup", file)
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout.startswith(f"{file}: ")
    await world.execute_all()
    assert len(world.provider.sent) == 1

    refused = await open_run.call("restore", file)
    assert "write --replace" in str(refused.exception)
    restored = await open_run.call("restore", file, "--replace")
    assert restored.exit_code == 0
    assert "was restored; run `postroom recover`" in restored.stdout
    (run,) = await world.runs()
    assert run.state == "open"
    await world.execute_all()
    assert (await world.run()).attempts == 0

    recovered = await open_run.call("recover")
    assert recovered.exit_code == 0, recovered.output
    assert recovered.stdout.splitlines() == [
        f"{BOX}: 1 step looked up, 0 answers remembered",
        f"  {run.run.id[:12]}  answer  step 0: was done",
        "acting goes on",
    ]
    assert (await world.run()).state == "done"
    assert len(world.provider.sent) == 1


async def test_what_was_found_as_json(open_run: Console) -> None:
    result = await open_run.call("recover", "--json")
    assert result.exit_code == 0
    (run,) = await open_run.world.runs()
    look = {"run": run.run.id, "rule": "answer", "step": 0, "state": "nothing found", "why": ""}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"mailbox": BOX, "looks": [look], "answers": 0, "notes": [], "trouble": []},
        {"halted": None},
    ]


async def test_acting_stays_halted_while_something_has_to_be_put_right(open_run: Console) -> None:
    base, provider = open_run.world.base, open_run.world.provider
    await halt(base, "a test", 1_000)
    provider.failures["find"] = [Unauthorized("the credentials are refused")]
    result = await open_run.call("recover")
    assert result.exit_code == 1
    assert "cannot be told (the credentials are refused)" in result.stdout
    assert "acting is halted since" in result.stdout
    assert await read_halt(base) is not None
    provider.failures["profile"] = [Unauthorized("no")]
    assert "to be put right: the mailbox cannot be read: no" in (await open_run.call("recover")).stdout
    assert (await open_run.call("recover")).exit_code == 0
    assert await read_halt(base) is None


async def test_a_mailbox_that_the_backup_does_not_know_is_named(console: Console) -> None:
    base, clock = console.world.base, console.world.clock
    await halt(base, "a test", clock())
    note = "note: it is not remembered and begins anew: earlier mail is left alone"
    assert note not in (await console.call("recover", "--dry-run")).stdout
    clock.forward(1_000)
    await base.redis.delete("postroom:cursor", "postroom:started")
    assert note in (await console.call("recover", "--dry-run")).stdout
    await console.world.poll()
    assert note in (await console.call("recover")).stdout


async def test_a_dry_run_lifts_nothing(open_run: Console) -> None:
    await halt(open_run.world.base, "a test", 1_000)
    result = await open_run.call("recover", "--dry-run")
    assert result.exit_code == 0
    assert "acting is halted" in result.stdout
    assert await read_halt(open_run.world.base) is not None


async def test_looking_at_a_part_of_the_mailboxes_lifts_no_halt(open_run: Console) -> None:
    text = open_run.config.read_text()
    open_run.config.write_text(
        text.replace(f"{BOX}: {{account: acme}}", f"{BOX}: {{account: acme}}, b@x.example: {{account: acme}}")
    )
    await halt(open_run.world.base, "a test", 1_000)
    assert (await open_run.call("recover", "--mailbox", BOX)).exit_code == 0
    assert await read_halt(open_run.world.base) is not None
    assert (await open_run.call("recover")).exit_code == 0
    assert await read_halt(open_run.world.base) is None


async def test_a_mailbox_that_is_not_configured_is_named(open_run: Console) -> None:
    result = await open_run.call("recover", "--mailbox", "who@x.example")
    assert "there is no mailbox 'who@x.example'" in str(result.exception)


async def test_there_is_nothing_to_migrate(console: Console) -> None:
    result = await console.call("migrate")
    assert (result.exit_code, result.stdout) == (0, f"the data in Redis have layout {LAYOUT}\n")


async def test_an_older_layout_is_refused_by_every_other_command(console: Console) -> None:
    await console.world.base.redis.set("postroom:schema", LAYOUT - 1)
    assert "run `postroom migrate`" in str((await console.call("runs")).exception)


async def test_an_older_layout_is_backed_up_before_it_is_migrated(open_run: Console, tmp_path: Path) -> None:
    base, file = open_run.world.base, str(tmp_path / "before-the-upgrade.gz")
    await base.redis.set("postroom:schema", LAYOUT - 1)
    made = await open_run.call("backup", file)
    assert (made.exit_code, made.exception) == (0, None)
    assert (await open_run.call("migrate")).exit_code == 0
    assert (await open_run.call("restore", file, "--replace")).exit_code == 0
    assert await base.redis.get("postroom:schema") == str(LAYOUT - 1)
    assert (await open_run.call("migrate")).exit_code == 0
    assert (await open_run.call("recover")).exit_code == 0


async def test_a_mailbox_that_is_left_out_and_comes_back_does_nothing_twice(
    open_run: Console, tmp_path: Path
) -> None:
    """One that did not answer leaves the configuration, lest it holds up the others, and returns."""
    world, file = open_run.world, str(tmp_path / "backup.gz")
    await open_run.call("backup", file)
    world.provider.deliver("2", mail("order"))
    await world.read_and_drain()
    await world.execute_all()
    assert len(world.provider.sent) == 2
    await open_run.call("restore", file, "--replace")
    before = open_run.config.read_text()
    open_run.config.write_text(before.replace(f"{BOX}:", "b@x.example:"))
    recovered = await open_run.call("recover")
    assert recovered.exit_code == 0
    assert f"{BOX}: 0 steps looked up" in recovered.stdout
    assert "note: it is not in the configuration" in recovered.stdout
    open_run.config.write_text(before)
    await world.read_and_drain()
    for _ in range(3):
        world.clock.forward(3_600_000)
        await world.execute_all()
    assert {run.state for run in await world.runs()} == {"done"}
    assert len(world.provider.sent) == 2
    assert (await open_run.call("recover")).exit_code == 0
    assert int(await world.base.redis.hget("postroom:doubt", BOX)) < NEWEST
