"""`postroom import`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.rules.loader import load_rules

SCRIPT = 'require "fileinto";\nif address "from" "a@x.example" { fileinto "A"; }\n'
EXPORT = (
    "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:apps='http://schemas.google.com/apps/2006'>"
    "<entry><apps:property name='from' value='a@x.example'/>"
    "<apps:property name='label' value='A'/></entry></feed>"
)


def run(*arguments: object, given: str | None = None) -> Result:
    return CliRunner().invoke(main, ["import", *map(str, arguments)], input=given)


def test_rules_are_printed(tmp_path: Path) -> None:
    (tmp_path / "my.sieve").write_text(SCRIPT, encoding="utf-8")
    result = run("sieve", tmp_path / "my.sieve")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [rule.id for rule in load_rules({"my.yaml": result.stdout}, None).rules] == ["my-a"]


def test_rules_go_into_a_file(tmp_path: Path) -> None:
    (tmp_path / "f.xml").write_text(EXPORT, encoding="utf-8")
    result = run("gmail", tmp_path / "f.xml", "-o", tmp_path / "f.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    text = (tmp_path / "f.yaml").read_text(encoding="utf-8")
    assert "# Imported from f.xml." in text
    assert [rule.id for rule in load_rules({"f.yaml": text}, None).rules] == ["f-a"]


def test_what_is_lost_is_said_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "my.sieve").write_text(SCRIPT + 'addheader "X" "y";\n', encoding="utf-8")
    result = run("sieve", tmp_path / "my.sieve")
    assert result.exit_code == 1
    assert result.stderr.startswith("my.sieve:3:1: lost: 'addheader': ")
    assert "id: my-a" in result.stdout


def test_what_is_no_script_is_refused(tmp_path: Path) -> None:
    (tmp_path / "my.sieve").write_text("keep", encoding="utf-8")
    result = run("sieve", tmp_path / "my.sieve")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("my.sieve:1:5: expected ';'")


def test_machines_read_json() -> None:
    result = run("sieve", "-", "--json", given='keep;\nexpire "day" "1";\nfileinto "A";')
    answer = json.loads(result.stdout)
    assert [loss["line"] for loss in answer["losses"]] == [2]
    assert answer["rules"][0]["group"]["id"] == "standard-input-line-3"


def test_an_included_script_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "my.sieve").write_text('include "other"; include :optional "../x";', encoding="utf-8")
    (tmp_path / "other.sieve").write_text('fileinto "Other";', encoding="utf-8")
    assert "Other" in run("sieve", tmp_path / "my.sieve").stdout


def test_templates_are_written_once(tmp_path: Path) -> None:
    (tmp_path / "my.sieve").write_text('vacation "away";', encoding="utf-8")
    result = run("sieve", tmp_path / "my.sieve", "--templates", tmp_path / "t")
    template = tmp_path / "t" / "imported-answer.md"
    assert "note: answers use the template" in result.stderr
    assert "{{ text }}" in template.read_text(encoding="utf-8")
    template.write_text("mine", encoding="utf-8")
    run("sieve", tmp_path / "my.sieve", "--templates", tmp_path / "t")
    assert template.read_text(encoding="utf-8") == "mine"


def test_a_script_in_latin_1_is_read(tmp_path: Path) -> None:
    (tmp_path / "my.sieve").write_bytes('fileinto "Grüße";'.encode("latin-1"))
    assert "Grüße" in run("sieve", tmp_path / "my.sieve").stdout


@pytest.mark.parametrize("arguments", [[], ["f.json", "--mailbox", "a@x.example"]])
def test_zoom_needs_a_mailbox_or_a_file(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text("[]", encoding="utf-8")
    named = [str(tmp_path / each) if each == "f.json" else each for each in arguments]
    assert run("zoom", *named).exit_code == 2


def test_zoom_filters_come_from_a_file(tmp_path: Path) -> None:
    listed = {"filter": [{"criteria": {"from": "a@x.example"}, "action": {"addLabelIds": ["A"]}}]}
    (tmp_path / "f.json").write_text(json.dumps(listed), encoding="utf-8")
    result = run("zoom", tmp_path / "f.json")
    assert result.exit_code == 0
    assert "{query: 'from:a@x.example'}" in result.stdout
