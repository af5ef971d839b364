"""`record`, as a person calls it: of a file, and of a message in a mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.rules.loader import load_rules, read_sources
from engine.rules.testing import run_tests
from tests.cli.conftest import Console
from tests.flow.fakes import BOX, mail

RULES = (
    "rules: [{id: orders, when: {subject: {regex: '(?i)order (?P<n>[0-9]+)'}}, then: [{label: Orders}]}]\n"
)
MAIL = b"From: Ann Baker <ann@partner.example>\nSubject: Order 48211\n\nDear all\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text(RULES)
    (tmp_path / "m.eml").write_bytes(MAIL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*args: str) -> Result:
    return CliRunner().invoke(main, ["record", *args])


def test_a_message_is_recorded_as_it_is_unless_redacted(folder: Path) -> None:
    result = call("m.eml")
    assert (result.exit_code, result.stdout_bytes) == (0, MAIL)


def test_a_redacted_message_keeps_the_words_of_rules_and_its_length(folder: Path) -> None:
    result = call("m.eml", "--redact", "--rules", "rules", "--output", "f.eml")
    assert result.exit_code == 0, result.output
    assert result.stderr == "1 rule judged, matching: orders\n"
    made = (folder / "f.eml").read_bytes()
    assert len(made) == len(MAIL)
    assert b"Subject: Order " in made
    assert b"Ann" not in made
    assert b"48211" not in made


def test_a_redacted_message_is_a_fixture_of_a_rule_s_test(folder: Path) -> None:
    call("m.eml", "--redact", "--rules", "rules", "--output", "rules/f.eml")
    test = "tests: [{name: n, fixture: f.eml, expect: {matched: true}}]"
    (folder / "rules" / "r.yaml").write_text(RULES.replace("}]}]", f"}}], {test}}}]"))
    ruleset = load_rules(read_sources(folder / "rules"), None)
    assert [result.problems for result in run_tests(ruleset)] == [()]


def test_without_rules_no_word_stays(folder: Path) -> None:
    result = call("m.eml", "--redact")
    assert result.exit_code == 0
    assert b"Order" not in result.stdout_bytes


def test_what_cannot_be_redacted_is_a_finding(folder: Path) -> None:
    (folder / "rules" / "r.yaml").write_text(
        "rules: [{id: a, when: {subject: {regex: '^[OE].[d]'}}, then: [{label: L}]}]\n"
    )
    result = call("m.eml", "--redact", "--rules", "rules")
    assert result.exit_code == 1
    assert "'a' judges the redacted message otherwise" in result.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param((), "name one message", id="no message"),
        pytest.param(("m.eml", "--message", "1"), "name one message", id="two messages"),
        pytest.param(("--message", "1"), "--message needs --mailbox", id="no mailbox"),
        pytest.param(("m.eml", "--output", "none/f.eml"), "cannot be written", id="no such folder"),
    ],
)
def test_record_asks_for_what_it_lacks(folder: Path, args: tuple[str, ...], said: str) -> None:
    result = call(*args)
    assert result.exit_code == 2
    assert said in result.stderr


async def test_a_message_of_a_mailbox_is_recorded(console: Console) -> None:
    console.world.provider.deliver("1", mail("order 7"))
    result = await console.call("record", "--mailbox", BOX, "--message", "1")
    assert (result.exit_code, result.stdout_bytes) == (0, mail("order 7"))
    redacted = await console.call("record", "--mailbox", BOX, "--message", "1", "--redact")
    assert redacted.exit_code == 0, redacted.output
    assert len(redacted.stdout_bytes) == len(result.stdout_bytes)
    gone = await console.call("record", "--mailbox", BOX, "--message", "2")
    assert "holds no message 2 any more" in str(gone.exception)
