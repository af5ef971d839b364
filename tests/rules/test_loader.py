"""From files to a rule set."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import PostroomError
from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules, read_sources

RULE = "rules: [{id: %s, when: {from: {list: vips}}, then: [{archive: true}]}]\n"


def test_every_error_of_every_file_is_reported_in_order() -> None:
    bad = "rules:\n  - {id: a, when: {form: x}, then: [{archive: true}]}\n  - {id: b, whn: 1, then: []}\n"
    with pytest.raises(RuleErrors) as caught:
        load_rules({"b.yaml": bad, "a.yaml": "x: [", "c.yaml": "- 1\n"}, {})
    places = [(error.place.file, error.place.line) for error in caught.value.errors]
    assert places == [("a.yaml", 2), ("b.yaml", 2), ("b.yaml", 3), ("b.yaml", 3), ("c.yaml", 1)]


def test_an_id_is_taken_once_in_all_files() -> None:
    one = "rules: [{id: a, when: {subject: x}, stop: true}]\n"
    with pytest.raises(
        RuleErrors, match=r"b.yaml:1:14 rules\[0\].id: the id 'a' is taken by the rule at a.yaml:1"
    ):
        load_rules({"a.yaml": one, "b.yaml": one}, {})


def test_a_list_of_the_file_comes_before_that_of_another() -> None:
    sources = {
        "a.yaml": "lists: {vips: ['@a.example']}\n" + RULE % "a",
        "b.yaml": "lists: {vips: ['@b.example']}\n" + RULE % "b",
        "c.yaml": RULE % "c",
    }
    lists = [rule.when.list_[0].entries for rule in load_rules(sources, {}).rules]  # type: ignore[attr-defined]
    assert lists == [("@a.example",), ("@b.example",), ("@a.example",)]


def test_a_list_may_be_one_entry() -> None:
    assert load_rules({"a.yaml": "lists: {vips: '@a.example'}\n" + RULE % "a"}, {}).rules


def test_keys_that_begin_with_x_are_ignored() -> None:
    text = "x-note: hi\nrules: [{id: a, x-owner: me, when: {x-why: so, subject: x}, "
    text += "then: [{label: {add: L, x-y: 1}}]}]\n"
    assert len(load_rules({"a.yaml": text}, {}).rules) == 1


def test_the_digest_is_of_the_sources_in_any_order() -> None:
    one, two = (
        {"a.yaml": "rules: []\n", "b.yaml": "rules: []\n"},
        {"b.yaml": "rules: []\n", "a.yaml": "rules: []\n"},
    )
    assert load_rules(one, {}).digest == load_rules(two, {}).digest
    assert load_rules(one, {}).digest != load_rules({"a.yaml": "rules: []\n"}, {}).digest


def test_without_templates_any_name_is_taken() -> None:
    text = "rules: [{id: a, when: {subject: x}, then: [{reply: t}]}]\n"
    assert load_rules({"a.yaml": text}, None).template_uses[0].template == "t"
    with pytest.raises(RuleErrors, match="unknown template 't'"):
        load_rules({"a.yaml": text}, {})


WARNED = """rules:
  - id: a
    when: {any: [{subject: {regex: '(?P<n>x)'}}, {subject: y}]}
    then: [%s]
"""


@pytest.mark.parametrize(
    ("action", "warned"),
    [
        pytest.param("{label: 'L/{{ captures.n }}'}", True, id="in a label"),
        pytest.param(
            "{reply: {template: t, with: {a: '{{ captures.n | default(1) }}'}}}", False, id="with a default"
        ),
        pytest.param(
            '{reply: {template: t, with: {a: \'{{ "x" if captures.n else "y" }}\'}}}', False, id="asked for"
        ),
    ],
)
def test_a_capture_that_may_be_missing_is_a_warning(action: str, warned: bool) -> None:
    warnings = load_rules({"a.yaml": WARNED % action}, None).warnings
    assert bool(warnings) is warned
    assert all("the capture 'n' may be empty" in str(warning) for warning in warnings)


def test_a_capture_that_may_be_missing_is_no_input() -> None:
    action = "{reply: {template: t, with: {a: '{{ captures.n }}'}}}"
    with pytest.raises(
        RuleErrors, match=r"a.yaml:4:44 .*: the capture 'n' may be missing: .*\| default\('...'\)"
    ):
        load_rules({"a.yaml": WARNED % action}, None)


def test_a_capture_below_not_supplies_nothing() -> None:
    text = (
        "rules: [{id: a, when: {not: {subject: {regex: '(?P<n>x)'}}}, then: [{label: '{{ captures.n }}'}]}]\n"
    )
    with pytest.raises(RuleErrors, match="unknown capture 'n'"):
        load_rules({"a.yaml": text}, {})


def test_a_folder_is_read_with_all_below_and_the_fixtures_that_are_named(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text("rules: []\n")
    (tmp_path / "sub" / "b.yml").write_text("# fixture: m.eml\n")
    (tmp_path / "sub" / "m.eml").write_bytes(b"Subject: \xff\r\n\r\n")
    (tmp_path / "other.eml").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("")
    sources = read_sources(tmp_path)
    assert list(sources) == ["a.yaml", "sub/b.yml", "sub/m.eml"]
    assert sources["sub/m.eml"].encode("latin-1") == b"Subject: \xff\r\n\r\n"
    assert list(read_sources(tmp_path / "a.yaml")) == ["a.yaml"]


def test_a_file_that_is_not_utf_8_is_named_with_its_byte(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"rules: []\nx: \xff\n")
    with pytest.raises(RuleErrors, match=r"a\.yaml:2:4: holds a byte that is not UTF-8"):
        load_rules(read_sources(tmp_path), {})


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PostroomError, match="does not exist"):
        read_sources(tmp_path / "none")


def test_ten_thousand_conditions_deep_is_refused_and_thirty_are_read() -> None:
    deep = "rules: [{id: a, when: %s{subject: x}%s, stop: true}]"
    assert load_rules({"a.yaml": deep % ("{not: " * 30, "}" * 30)}, {}).rules
    with pytest.raises(RuleErrors, match="deeper than 64"):
        load_rules({"a.yaml": deep % ("{not: " * 10_000, "}" * 10_000)}, {})
