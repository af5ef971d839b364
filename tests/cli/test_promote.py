"""`promote`, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Console
from tests.flow.fakes import mail

LATE = """# Rules about orders.
rules:
  - id: thank     # everybody
    state: {state}  # until we are sure
    when: {{subject: {{contains: order}}}}
    then: [label: Late, {{reply: {{template: hi, once_per: {{sender: 7d}}}}}}]
    tests: [{{name: it thanks, given: {{subject: my order}}, expect: {{labels: {{add: {wanted}}}}}}}]
  - {{id: file, when: {{subject: {{contains: 'order 1'}}}}, then: [label: Filed]}}
"""


@pytest.fixture
async def shadow(console: Console) -> Console:
    """A rule that looked on while five messages came."""
    folder = console.config.parent
    (folder / "rules").mkdir()
    (folder / "templates").mkdir()
    (folder / "templates" / "hi.md").write_text(console.world.sources.templates["hi.md"])
    write(console)
    lines = LATE.format(state="shadow", wanted="Late").split("rules:\n")[1]
    await console.world.rules("{id: none, when: {subject: nothing}, then: [label: N]}\n" + lines.rstrip())
    came = {"m1": ("order 1", "ann@x.example"), "m2": ("order 2", "ann@x.example")}
    came |= {"m3": ("order 3", "bob@x.example"), "m4": ("order 4", "no-reply@x.example")}
    for key, (subject, sender) in came.items():
        console.world.provider.deliver(key, mail(subject, sender))
    console.world.provider.deliver("m5", mail("order 5", "eve@x.example"))
    await console.world.read_and_drain()
    console.world.provider.delete_message("m5")
    return console


def write(console: Console, *, state: str = "shadow", wanted: str = "Late") -> Path:
    folder = console.config.parent
    path = folder / "rules" / "orders.yaml"
    path.write_text(LATE.format(state=state, wanted=wanted))
    text = console.config.read_text()
    if "rules:" not in text:
        console.config.write_text(f"{text}rules: [{folder}/rules]\ntemplates: {folder}/templates\n")
    return path


SINCE = ("--since", "2025-12-01")


async def test_what_it_would_have_done_stands_beside_what_was_done(shadow: Console) -> None:
    path = write(shadow)
    result = await shadow.call("promote", "thank", *SINCE, "--limit", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "thank has matched 5 times since 2025-12-01 00:00, 5 messages",
        "what it would have done",
        "        5  label +Late",
        "        5  reply hi",
        "mails: 2 would have gone to 2 addresses",
        "  held",
        "        1  a no-reply address is never answered",
        "        1  the message is gone",
        "        1  this correspondent would have been answered by this rule within its window",
        "what live rules did with these messages",
        "        4  no live rule",
        "        1  file",
        "for example",
        "  m5  would: label +Late, reply hi; live: nothing",
        f"to make it live: state: live in {path}:4",
    ]
    assert "state: shadow" in path.read_text()
    assert shadow.world.provider.sent == []


async def test_the_same_for_machines(shadow: Console) -> None:
    told = json.loads((await shadow.call("promote", "thank", *SINCE, "--json")).stdout)
    assert (told["matches"], told["mails"], told["addresses"], told["beside"]) == (
        5,
        2,
        2,
        {"file": 1, "no live rule": 4},
    )
    assert told["samples"][0]["live"] == "file: label +Filed"
    assert not told["written"]


@pytest.mark.parametrize(
    "state",
    [
        pytest.param("shadow", id="bare"),
        pytest.param("'shadow'", id="in single quotes"),
        pytest.param('"shadow"', id="in double quotes"),
    ],
)
async def test_write_changes_one_word_and_nothing_else(shadow: Console, state: str) -> None:
    path = write(shadow, state=state)
    path.chmod(0o640)
    result = await shadow.call("promote", "thank", *SINCE, "--write")
    assert result.exit_code == 0, result.output
    assert path.read_text() == LATE.format(state="live", wanted="Late")
    assert path.stat().st_mode & 0o777 == 0o640
    assert result.stdout.splitlines()[-1] == f"{path}:4 says state: live now"
    assert [each.name for each in path.parent.iterdir()] == ["orders.yaml"]
    again = await shadow.call("promote", "thank", "--write")
    assert "is not in shadow (state: live)" in str(again.exception)


async def test_rules_that_would_not_load_are_not_written(shadow: Console) -> None:
    path = write(shadow, wanted="Other")
    before = path.read_text()
    result = await shadow.call("promote", "thank", *SINCE, "--write")
    assert "nothing was written: " in str(result.exception)
    assert "test of 'thank' failed" in str(result.exception)
    assert path.read_text() == before


async def test_a_rule_that_is_not_there_is_refused(shadow: Console) -> None:
    assert "unknown rule 'thnak'; did you mean 'thank'?" in str(
        (await shadow.call("promote", "thnak")).exception
    )
