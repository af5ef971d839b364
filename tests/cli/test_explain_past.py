"""`explain` of a message where it lies, and of a run of the past."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from engine.errors import Rejected
from tests.cli.conftest import Console
from tests.flow.fakes import BOX, mail

RULES = (
    "{id: file, when: {all: [{subject: {contains: file}}, {label: UNREAD}]}, then: [mark: read, label: F]}",
    "{id: rest, when: {subject: rest}, then: [label: R]}",
)


@pytest.fixture
async def busy(console: Console) -> Console:
    """One message that a rule has dealt with, and that looks otherwise since."""
    await console.world.rules(*RULES)
    console.world.provider.deliver("1", mail("file 7"))
    await console.world.read_and_drain()
    await console.world.execute_all()
    return console


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_a_message_of_a_mailbox_is_explained_as_it_is_now(busy: Console) -> None:
    told = lines(await busy.call("explain", "--mailbox", BOX, "--message", "1", "--json"))
    assert [(each["path"], each["verdict"]) for each in told] == [
        ("file", "not matched"),
        ("rest", "not matched"),
    ]
    assert told[0]["nearest"] == [{"path": "when.all[1].label", "text": "has to hold"}]


async def test_a_run_is_explained_with_the_labels_of_then(busy: Console) -> None:
    run = (await busy.world.runs())[0].run.id
    result = await busy.call("explain", "--run", run[:8])
    assert result.exit_code == 0, result.output
    heading, applies, *_ = result.stdout.splitlines()
    assert heading.startswith("with the rules of then (")
    assert applies == "+ file: applies: mark, label"
    assert "with the rules of now" not in result.stdout


async def test_a_run_is_explained_with_the_rules_of_then_and_of_now(busy: Console) -> None:
    run = (await busy.world.runs())[0].run.id
    await busy.world.rules(RULES[0].replace("file}}", "fire}}"), RULES[1])
    then, now = lines(await busy.call("explain", "--run", run, "--json"))
    assert (then["rules"], then["verdict"]) == ("then", "matched")
    assert (now["rules"], now["verdict"]) == ("now", "not matched")
    assert now["nearest"][0]["path"] == "when.all[0].subject"


async def test_a_rule_that_is_gone_is_said_to_be_gone(busy: Console) -> None:
    run = (await busy.world.runs())[0].run.id
    await busy.world.rules(RULES[1])
    result = await busy.call("explain", "--run", run)
    assert result.stdout.splitlines()[-1] == "- file: there is no such rule"


async def test_other_rules_can_be_tried_on_a_run(busy: Console, tmp_path: Path) -> None:
    run = (await busy.world.runs())[0].run.id
    (tmp_path / "r.yaml").write_text("rules: [{id: file, when: {subject: file 7}, then: [archive: true]}]\n")
    told = lines(await busy.call("explain", "--run", run, "--rules", str(tmp_path / "r.yaml"), "--json"))
    assert [(each["rules"], each["verdict"]) for each in told] == [("then", "matched"), ("now", "matched")]


async def test_what_the_service_refuses_leaves_conditions_undecided(busy: Console) -> None:
    await busy.world.rules("{id: file, when: {any: [{subject: x}, {attachment: true}]}, then: [label: F]}")
    busy.world.provider.failures["fetch 1 attachments"] = [Rejected("no")]
    (told,) = lines(await busy.call("explain", "--mailbox", BOX, "--message", "1", "--json"))
    assert told["verdict"] == "undecided"
    assert told["nearest"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(("--run", "zz"), "there is no run zz", id="no such run"),
        pytest.param(("--run", ""), "runs begin with", id="several runs"),
        pytest.param(("--mailbox", BOX, "--message", "9"), "holds no message 9", id="no such message"),
    ],
)
async def test_what_is_not_there_is_named(busy: Console, args: tuple[str, ...], said: str) -> None:
    busy.world.provider.deliver("2", mail("rest"))
    await busy.world.read_and_drain()
    result = await busy.call("explain", *args)
    assert said in result.output + str(result.exception)


async def test_what_is_remembered_and_the_thread_are_looked_up(console: Console) -> None:
    world = console.world
    await world.rules(
        "{id: twice, when: {duplicate: {by: subject}}, then: [label: T]}",
        "{id: later, when: {thread: {first: false}}, then: [label: L]}",
    )
    world.provider.threads = dict.fromkeys("12", "t")
    for key in "12":
        world.provider.deliver(key, mail("same"))
        await world.read_and_drain()
    for key, wanted in (("1", "not matched"), ("2", "matched")):
        told = lines(await console.call("explain", "--mailbox", BOX, "--message", key, "--json"))
        assert [each["verdict"] for each in told] == [wanted, wanted]


async def test_what_read_a_bounce_is_no_rule_to_be_explained(console: Console) -> None:
    await console.world.rules("{id: answer, when: {subject: ask}, then: [reply: hi]}")
    console.world.provider.deliver("1", mail("Undelivered", "MAILER-DAEMON@x.example"))
    await console.world.read_and_drain()
    (run,) = await console.world.runs()
    result = await console.call("explain", "--run", run.run.id)
    assert result.exit_code != 0
    assert "read a bounce, no rule was asked" in str(result.exception)
