"""`check` says what the mailboxes' own states mean for the rules."""

from __future__ import annotations

import pytest

from engine.flow.ports import Period, Profile
from tests.cli.conftest import Console
from tests.flow.fakes import BOX

RULES = """version: 1
rules:
  - {id: answer, when: {subject: hello}, then: [{reply: hi}]}
  - {id: prepare, when: {subject: hello}, then: [{reply: {template: hi, mode: draft}}]}
"""
TEMPLATE = "---\nsubject: Thank you\n---\nHello.\n"


@pytest.fixture
def ruled(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    folder = console.config.parent
    for name, text in (("rules/r.yaml", RULES), ("templates/hi.md", TEMPLATE)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    return console


def profile(status: str = "active", vacation: Period | None = None) -> Profile:
    return Profile(1, status, frozenset({BOX}), vacation)


async def test_a_mailbox_that_answers_by_itself_is_named_with_the_rules_it_silences(ruled: Console) -> None:
    await ruled.world.mailboxes.know(BOX, profile(vacation=Period(end=4_102_444_800_000)))
    result = await ruled.call("check")
    assert result.exit_code == 1
    line = result.stdout.splitlines()[0]
    assert f"mailboxes.{BOX}: its own vacation reply is on until 2100-01-01 00:00 UTC" in line
    assert "(rules answer) (warning)" in line


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param(
            "mode: approve", "answer, other", id="whose answers wait for approval is silent as well"
        ),
        pytest.param(
            "guard: {off: [vacation], reason: why}", "answer", id="that answers anyway is not silent"
        ),
    ],
)
async def test_during_a_vacation_a_rule(ruled: Console, settings: str, named: str) -> None:
    rule = f"{{id: other, when: {{subject: hello}}, then: [{{reply: {{template: hi, {settings}}}}}]}}"
    (ruled.config.parent / "rules" / "r.yaml").write_text(f"{RULES}  - {rule}\n")
    await ruled.world.mailboxes.know(BOX, profile(vacation=Period()))
    assert f"(rules {named}) (warning)" in (await ruled.call("check")).stdout


async def test_a_mailbox_that_is_not_in_use_is_named(ruled: Console) -> None:
    await ruled.world.mailboxes.know(BOX, profile("suspended"))
    result = await ruled.call("check")
    assert (result.exit_code, "it is suspended, not active" in result.stdout) == (1, True)


async def test_nothing_is_said_of_a_mailbox_in_its_usual_state(ruled: Console) -> None:
    await ruled.world.mailboxes.know(BOX, profile(vacation=Period(end=1)))
    result = await ruled.call("check")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "no findings")


async def test_without_redis_the_states_are_said_to_be_unknown(ruled: Console) -> None:
    text = ruled.config.read_text().replace("env:REDIS_URL", "redis://127.0.0.1:1/0")
    ruled.config.write_text(text)
    result = await ruled.call("check")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "no findings")
    assert "the states of the mailboxes are not known" in result.stderr


async def test_named_paths_are_checked_alone(ruled: Console) -> None:
    await ruled.world.mailboxes.know(BOX, profile("suspended"))
    assert (await ruled.call("check", "rules")).stdout.startswith("no findings\n")
