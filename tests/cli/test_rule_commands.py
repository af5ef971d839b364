"""check, test, evaluate, explain, schema and list, as a person calls them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main
from engine.rules.loader import load_rules
from engine.settings import load_settings
from engine.sources import read_rule_sources

RULES = r"""version: 1
rules:
  - id: orders
    title: Orders are filed and acknowledged
    when: {subject: {regex: '(?i)order (?P<n>\d+)'}}
    then:
      - label: {add: ['Orders/{{ captures.n }}'], remove: [INBOX]}
      - mark: read
      - reply: {template: got, with: {n: '{{ captures.n }}'}, once_per: {sender: 7d}}
    tests:
      - name: an order is filed
        given: {from: ann@x.example, subject: Order 12}
        expect: {actions: [label, mark, reply], captures: {n: '12'}}
  - id: rest
    layer: after
    mailboxes: [sales@acme.example]
    when: {size: {gte: 0}}
    then: [{archive: true}]
"""
TEMPLATE = "---\nsubject: Order {{ n }}\ninputs: [n]\n---\nThank you.\n"


def order(number: int, sender: str = "ann@x.example", date: str = "Sun, 01 Mar 2026 09:00:00 +0000") -> bytes:
    return f"From: {sender}\nTo: sales@acme.example\nSubject: Order {number}\nDate: {date}\n\nhi\n".encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with rules and templates, and the current one."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "rules" / "orders.yaml").write_text(RULES)
    (tmp_path / "templates" / "got.md").write_text(TEMPLATE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSTROOM_CONFIG", raising=False)
    return tmp_path


def call(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def spoil(folder: Path, right: str, wrong: str) -> None:
    path = folder / "rules" / "orders.yaml"
    path.write_text(path.read_text().replace(right, wrong))


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def evaluate(*args: str) -> list[dict[str, Any]]:
    result = call("evaluate", "--rules", "rules", *args)
    assert result.exit_code == 0, result.output
    return lines(result)


@pytest.mark.parametrize("args", [(), ("rules",), ("rules/orders.yaml",)])
def test_check_finds_nothing_wrong(folder: Path, args: tuple[str, ...]) -> None:
    result = call("check", *args)
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "no findings")


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "subject: {regex",
            "sujet: {regex",
            "rules/orders.yaml:5:11 rules[0].when: unknown condition 'sujet'",
        ),
        (
            "template: got",
            "template: gott",
            "rules/orders.yaml:9:27 rules[0].then[2].reply.template: unknown",
        ),
        ("with: {n:", "with: {m:", "rules/orders.yaml:9:16 rules[0].then[2].reply: template 'got' needs"),
        ("Order 12}", "Ordre 12}", "rules/orders.yaml:11:7 rules[0].tests[0]: test of 'orders' failed"),
    ],
)
def test_check_names_what_is_wrong_as_a_file_that_can_be_opened(
    folder: Path, right: str, wrong: str, said: str
) -> None:
    spoil(folder, right, wrong)
    result = call("check", "rules")
    assert result.exit_code == 1
    assert result.stdout.startswith(said)
    found = lines(call("check", "rules", "--json"))[0]
    assert found["level"] == "error"
    assert f"{found['file']}:{found['line']}:{found['column']}" == said.partition(" ")[0]


def test_check_names_a_template_that_is_wrong(folder: Path) -> None:
    (folder / "templates" / "got.md").write_text("---\nsubject: {{ x\n---\n")
    result = call("check")
    assert result.exit_code == 1
    assert "templates/got.md:" in result.stdout


def test_check_refuses_a_capture_that_an_input_may_lack(folder: Path) -> None:
    spoil(
        folder,
        "when: {subject: {regex: '(?i)order (?P<n>\\d+)'}}",
        "when: {any: [{subject: {regex: '(?i)order (?P<n>\\d+)'}}, {subject: x}]}",
    )
    result = call("check")
    assert result.exit_code == 1
    assert "may be missing: not every way to match supplies it; write" in result.stdout


def test_check_names_both_rules_of_a_finding_and_shows_a_message(folder: Path) -> None:
    (folder / "rules" / "a.yaml").write_text(
        "rules: [{id: a, when: {from: '@y.example'}, then: [{label: A}], stop: true}]\n"
    )
    (folder / "rules" / "b.yaml").write_text(
        "rules: [{id: b, when: {from: ann@y.example}, then: [{label: B}]}]\n"
    )
    result = call("check", "rules")
    assert result.exit_code == 1
    said, given, *_ = result.stdout.splitlines()
    assert said.startswith("rules/b.yaml:1:14 rules[0].id: 'b' is never reached: 'a' (rules/a.yaml:1) holds")
    assert given == '    given: {from: "ann@y.example"}'
    found, *notes = lines(call("check", "rules", "--json"))
    assert {note["level"] for note in notes} == {"note"}
    assert (found["level"], found["check"]) == ("error", "unreachable")
    assert found["other"] == {"rule": "a", "file": "rules/a.yaml", "line": 1}
    assert found["given"] == {"from": "ann@y.example"}


def test_settings_that_are_wrong_are_a_matter_of_configuration(folder: Path) -> None:
    (folder / "postroom.yaml").write_text("nonsense: 1\n")
    result = call("check")
    assert type(result.exception).__name__ == "SettingsError"


def test_the_rules_own_tests_pass_or_fail(folder: Path) -> None:
    assert call("test").stdout == "1 test, 0 failed\n"
    spoil(folder, "{n: '12'}}\n", "{n: '13'}}\n")
    result = call("test", "rules", "--junit", "report.xml")
    assert result.exit_code == 1
    assert (
        "rules/orders.yaml:11:7 orders: an order is filed\n    captures: wanted {'n': '13'}" in result.stdout
    )
    suite = ElementTree.parse(folder / "report.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert lines(call("test", "--json"))[0]["passed"] is False


def test_tests_of_rules_that_do_not_load_fail(folder: Path) -> None:
    spoil(folder, "- mark:", "- marc:")
    result = call("test")
    assert result.exit_code == 1
    assert "rules/orders.yaml:8:7 rules[0].then[1]: unknown action 'marc'" in result.stderr


def test_rules_that_do_not_load_are_errors_of_the_report(folder: Path) -> None:
    spoil(folder, "- mark:", "- marc:")
    assert call("test", "--junit", "report.xml").exit_code == 1
    suite = ElementTree.parse(folder / "report.xml").getroot()
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "1",
        "failures": "0",
        "errors": "1",
        "skipped": "0",
    }
    (case,) = suite
    assert (case.get("file"), case.get("line")) == ("rules/orders.yaml", "8")
    assert "unknown action 'marc'" in str(case[0].get("message"))


def test_a_report_names_rule_test_and_line(folder: Path) -> None:
    assert call("test", "--junit", "report.xml").exit_code == 0
    (case,) = ElementTree.parse(folder / "report.xml").getroot()
    assert case.attrib == {
        "classname": "orders",
        "name": "an order is filed",
        "file": "rules/orders.yaml",
        "line": "11",
    }
    assert len(case) == 0


def test_evaluate_prints_what_would_be_done(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(48211))
    assert evaluate("--mail", "m.eml", "--mailbox", "support@acme.example") == [
        {
            "message": "m.eml",
            "runs": [
                {
                    "rule": "orders",
                    "actions": [
                        {"label": {"add": ["Orders/48211"], "remove": ["INBOX"]}},
                        {"mark": {"read": True}},
                        {"reply": {"template": "got", "with": {"n": "48211"}, "once_per": {"sender": "7d"}}},
                    ],
                }
            ],
            "labels": {"add": ["Orders/48211"], "remove": ["INBOX", "UNREAD"]},
        }
    ]


def test_without_a_mailbox_every_scope_fits(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(1))
    assert [run["rule"] for run in evaluate("--mail", "m.eml")[0]["runs"]] == ["orders", "rest"]


def test_labels_can_be_given(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(1))
    line = evaluate("--mail", "m.eml", "--labels", "Work, UNREAD", "--mailbox", "x@acme.example")[0]
    assert line["labels"] == {"add": ["Orders/1"], "remove": ["UNREAD"]}


def test_a_second_answer_within_the_window_is_held_and_listed(folder: Path) -> None:
    mail = [
        order(1),
        order(2, date="Mon, 02 Mar 2026 09:00:00 +0000"),
        order(3, sender="bob@x.example"),
        order(4, date="Mon, 09 Mar 2026 09:00:00 +0000"),
    ]
    (folder / "m.mbox").write_bytes(
        b"".join(b"From a@b Sun Mar  1 09:00:00 2026\n" + each + b"\n" for each in mail)
    )
    found = evaluate("--mail", "m.mbox")
    assert [line["message"] for line in found] == [f"m.mbox#{index}" for index in range(4)]
    assert ["held" in line["runs"][0] for line in found] == [False, True, False, False]
    assert all(len(line["runs"][0]["actions"]) == 3 for line in found)
    now = evaluate("--mail", "m.mbox", "--now", "2026-03-01T09:00:00+00:00")
    assert ["held" in line["runs"][0] for line in now] == [False, True, False, True]


def test_what_the_guard_holds_stays_listed(folder: Path) -> None:
    (folder / "m.eml").write_bytes(b"Auto-Submitted: auto-replied\n" + order(1))
    run = evaluate("--mail", "m.eml")[0]["runs"][0]
    assert "never answered" in run["held"]
    assert [next(iter(action)) for action in run["actions"]] == ["label", "mark", "reply"]


def test_mail_from_the_mailbox_itself_is_held(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(1, sender="Sales@acme.example"))
    assert "ourselves" in evaluate("--mail", "m.eml", "--mailbox", "sales@acme.example")[0]["runs"][0]["held"]


def test_a_maildir_s_flags_are_labels(folder: Path) -> None:
    for part in ("cur", "new", "tmp"):
        (folder / "Maildir" / part).mkdir(parents=True)
    (folder / "Maildir" / "cur" / "1:2,FS").write_bytes(order(1))
    (folder / "Maildir" / "new" / "2").write_bytes(order(2))
    seen, unseen = evaluate("--mail", "Maildir", "--mailbox", "a@b.example")
    assert seen["labels"]["remove"] == ["INBOX"]
    assert unseen["labels"]["remove"] == ["INBOX", "UNREAD"]


def test_a_zip_s_members_come_in_their_order(folder: Path) -> None:
    with zipfile.ZipFile(folder / "m.zip", "w") as archive:
        archive.writestr("b.eml", order(1))
        archive.writestr("a.eml", order(2))
    assert [line["message"] for line in evaluate("--mail", "m.zip")] == ["b.eml", "a.eml"]


def test_an_unreadable_message_is_a_line_with_its_error(folder: Path) -> None:
    with zipfile.ZipFile(folder / "m.zip", "w") as archive:
        archive.writestr("a.eml", order(1))
        archive.writestr("b.eml", order(2))
    raw = (folder / "m.zip").read_bytes()
    (folder / "m.zip").write_bytes(raw.replace(b"Order 2", b"Order 3"))
    result = call("evaluate", "--rules", "rules", "--mail", "m.zip")
    assert result.exit_code == 1
    first, second = lines(result)
    assert "runs" in first
    assert set(second) == {"message", "error"}


def test_evaluate_refuses_rules_that_do_not_load_and_runs_no_inline_tests(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(1))
    spoil(folder, "captures: {n: '12'}", "captures: {n: '13'}")
    assert len(evaluate("--mail", "m.eml")) == 1
    spoil(folder, "- mark:", "- marc:")
    result = call("evaluate", "--rules", "rules", "--mail", "m.eml")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "unknown action 'marc'; did you mean 'mark'?" in result.stderr


def test_without_a_folder_of_templates_their_names_are_not_checked(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(1))
    (folder / "templates").rename(folder / "elsewhere")
    result = call("evaluate", "--rules", "rules", "--mail", "m.eml")
    assert result.exit_code == 0
    assert "are not checked" in result.stderr
    assert len(evaluate("--mail", "m.eml", "--templates", "elsewhere")) == 1
    assert call("evaluate", "--rules", "rules", "--mail", "m.eml", "--templates", "none").exit_code == 2
    assert call("check", "rules").exit_code == 1


def test_mail_that_is_not_there_is_named(folder: Path) -> None:
    result = call("evaluate", "--rules", "rules", "--mail", "none.eml")
    assert "none.eml" in str(result.exception)


def test_explain_shows_the_values_compared(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(7))
    result = call("explain", "--rules", "rules", "m.eml", "--mailbox", "a@b.example")
    assert result.stdout.splitlines() == [
        "+ orders: applies: label, mark, reply",
        '  + when.subject: found "Order 7"; asked for {"regex": ["(?i)order (?P<n>\\\\d+)"]}',
        "- rest: was not asked: its scope does not cover a@b.example; its conditions hold",
        '  + when.size: found 102 bytes; asked for {"gte": "0"}',
    ]


def test_explain_names_the_message_that_it_took_of_a_folder(folder: Path) -> None:
    (folder / "mail").mkdir()
    for number in (7, 8):
        (folder / "mail" / f"{number}.eml").write_bytes(order(number))
    result = call("explain", "--rules", "rules", "mail", "--rule", "orders")
    assert result.stderr == "mail holds several messages; this is the first of them: 7.eml\n"
    assert "Order 7" in result.stdout


def test_explain_speaks_of_one_rule_when_asked(folder: Path) -> None:
    (folder / "m.eml").write_bytes(order(7))
    told = lines(call("explain", "--rules", "rules", "m.eml", "--rule", "rest", "--json"))
    assert [(each["path"], each["verdict"]) for each in told] == [("rest", "matched")]
    wrong = call("explain", "--rules", "rules", "m.eml", "--rule", "order")
    assert wrong.exit_code == 2
    assert "did you mean 'orders'?" in wrong.stderr


def test_explain_names_the_nearest_change(folder: Path) -> None:
    spoil(folder, "(?i)order", "order")
    (folder / "m.eml").write_bytes(order(7))
    told = call("explain", "--rules", "rules", "m.eml", "--rule", "orders").stdout.splitlines()
    assert told[0] == "- orders: does not apply: when.subject fails"
    assert told[-1] == "  > nearest: when.subject has to hold (with (?i) its pattern would be found)"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param((), "name one message", id="no message at all"),
        pytest.param(("m.eml", "--run", "ab"), "name one message", id="two messages"),
        pytest.param(("m.eml",), "--rules says which rules", id="a file without rules"),
        pytest.param(("--message", "m1"), "--message needs --mailbox", id="a message of no mailbox"),
    ],
)
def test_explain_asks_for_what_it_lacks(folder: Path, args: tuple[str, ...], said: str) -> None:
    (folder / "m.eml").write_bytes(order(7))
    result = call("explain", *args)
    assert result.exit_code == 2
    assert said in result.stderr


def test_schema_and_list_are_for_machines_too() -> None:
    assert json.loads(call("schema").stdout)["$schema"].endswith("2020-12/schema")
    names = {each["name"] for each in json.loads(call("list", "--json").stdout)}
    assert {"subject", "reply"} <= names
    assert "  subject     The subject line, decoded." in call("list").stdout.splitlines()


GROUPED = """mailboxes: [support@acme.example]
rules:
  - group:
      id: desks
      mode: first
      layer: before
      rules:
        - {id: first, when: {subject: x}, stop: true}
        - {id: other, then: [{archive: true}]}
  - {id: sent, event: message.sent, when: {subject: y}, then: [{label: Y}], priority: -1}
  - {id: chase, event: schedule, schedule: '0 9 * * *', when: {subject: y}, then: [{label: Z}], priority: 1}
"""


def test_rules_are_listed_as_they_are_evaluated(folder: Path) -> None:
    (folder / "rules" / "z.yaml").write_text(GROUPED)
    assert call("list", "rules").stdout.splitlines() == [
        "layer before",
        "       group desks: the first that holds",
        "    1    first  rules/z.yaml:8; priority 0; support@acme.example; no action; stop ends before",
        "    2    other  rules/z.yaml:9; priority 0; support@acme.example; archive",
        "layer default",
        "    3  sent     rules/z.yaml:10; priority -1; support@acme.example; on message.sent; label",
        "    4  orders   rules/orders.yaml:3; priority 0; *; label, mark, reply",
        "    5  chase    rules/z.yaml:11; priority 1; support@acme.example; on schedule 0 9 * * *; label",
        "layer after",
        "    6  rest     rules/orders.yaml:14; priority 0; sales@acme.example; archive",
    ]
    ids = [each["id"] for each in json.loads(call("list", "rules", "--json").stdout)]
    assert ids == ["first", "other", "sent", "orders", "chase", "rest"]
    of_sales = call("list", "rules", "--mailbox", "sales@acme.example", "--json", "rules").stdout
    assert [each["id"] for each in json.loads(of_sales)] == ["orders", "rest"]


def test_listing_rules_that_do_not_load_says_why(folder: Path) -> None:
    spoil(folder, "- mark:", "- marc:")
    result = call("list", "rules")
    assert result.exit_code == 1
    assert "unknown action 'marc'" in result.stderr


def test_conditions_and_actions_are_listed_apart_and_take_no_paths(folder: Path) -> None:
    assert call("list", "actions").stdout.splitlines()[0] == "actions"
    assert call("list", "conditions").stdout.splitlines()[0] == "conditions"
    assert "write: postroom list rules rules" in call("list", "actions", "rules").stderr


def test_rules_of_several_folders_are_one_set(folder: Path) -> None:
    (folder / "more").mkdir()
    (folder / "more" / "orders.yaml").write_text(RULES.replace("id: orders", "id: more"))
    (folder / "postroom.yaml").write_text("version: 1\nrules: [rules, more]\n")
    assert call("test").exit_code == 1
    assert "more/orders.yaml:3:9" not in call("check").stdout
    assert "the id 'rest' is taken by the rule at more/orders.yaml:14" in call("check").stdout
    (folder / "more" / "orders.yaml").write_text(ALONE)
    names = [each["file"] for each in json.loads(call("list", "rules", "--json").stdout)]
    assert names == ["more/orders.yaml", "rules/orders.yaml", "rules/orders.yaml"]
    sources = read_rule_sources(load_settings("postroom.yaml"))
    loaded = load_rules(sources.rules, None).rules
    assert [rule.place.file for rule in loaded] == names


@pytest.mark.corpus
def test_the_whole_corpus_is_judged(folder: Path, corpus: Path) -> None:
    found = lines(call("evaluate", "--rules", "rules", "--mail", str(corpus)))
    beside = [line for line in found if "error" in line]
    assert len(found) - len(beside) >= 2_638
    assert all("no mail" in line["error"] or line["error"] == "empty" for line in beside)
    open_ones = [line["message"] for line in found if "undecided" in line]
    assert 0 < len(open_ones) <= ENCRYPTED


ENCRYPTED = 35
"""Messages whose text and files nobody can read."""

ALONE = "rules: [{id: a, when: {subject: x}, then: [{archive: true}]}]\n"


@pytest.fixture
def bare(folder: Path) -> Path:
    """A project folder without templates, and with a rule that names none."""
    (folder / "templates" / "got.md").unlink()
    (folder / "templates").rmdir()
    (folder / "rules" / "orders.yaml").write_text(ALONE)
    return folder


@pytest.mark.parametrize("command", [("check",), ("check", "rules"), ("test",), ("test", "rules")])
def test_a_project_needs_no_folder_of_templates(bare: Path, command: tuple[str, ...]) -> None:
    result = call(*command)
    assert (result.exit_code, result.stderr) == (0, "")
    assert call(*command, "--templates", "none").exit_code == 2


EVERY = [
    pytest.param(("check", "rules"), id="check"),
    pytest.param(("test", "rules"), id="test"),
    pytest.param(("evaluate", "--rules", "rules", "--mail", "m.eml"), id="evaluate"),
    pytest.param(("explain", "--rules", "rules", "m.eml"), id="explain"),
]


@pytest.mark.parametrize("command", EVERY)
def test_a_folder_without_rules_is_no_success(bare: Path, command: tuple[str, ...]) -> None:
    (bare / "m.eml").write_bytes(order(1))
    (bare / "rules" / "orders.yaml").rename(bare / "rules" / "orders.txt")
    result = call(*command)
    assert result.exit_code == 2
    assert "rules is a rules folder without *.yaml or *.yml" in result.stderr


@pytest.mark.parametrize("command", EVERY)
def test_every_command_refuses_a_wrong_use_of_a_template(folder: Path, command: tuple[str, ...]) -> None:
    (folder / "m.eml").write_bytes(order(1))
    spoil(folder, "with: {n: '{{ captures.n }}'}, ", "")
    result = call(*command)
    assert result.exit_code == 1
    said = "rules/orders.yaml:9:16 rules[0].then[2].reply: template 'got' needs the input 'n'"
    assert said in result.stdout + result.stderr


def test_an_input_that_reads_captures_alone_is_shown_filled_in(folder: Path) -> None:
    spoil(folder, "n>\\d+", "n>.+")
    spoil(folder, "n: '{{ captures.n }}'", "n: '{{ captures.n | upper }}'")
    spoil(folder, "{n: '12'}", "{n: x}")
    (folder / "m.eml").write_bytes(b"From: ann@x.example\nSubject: Order ab {{ 7*7 }}\n\nhi")
    reply = evaluate("--mail", "m.eml")[0]["runs"][0]["actions"][2]["reply"]
    assert reply["with"] == {"n": "AB {{ 7*7 }}"}
    spoil(folder, "{{ captures.n | upper }}", "{{ captures.n }} {{ message.subject }}")
    reply = evaluate("--mail", "m.eml")[0]["runs"][0]["actions"][2]["reply"]
    assert reply["with"] == {"n": "ab {{ 7*7 }} {{ message.subject }}"}


def test_mail_from_before_the_answer_is_not_held(folder: Path) -> None:
    mail = [order(1, date="Mon, 02 Mar 2026 09:00:00 +0000"), order(2)]
    (folder / "m.mbox").write_bytes(
        b"".join(b"From a@b Sun Mar  1 09:00:00 2026\n" + each + b"\n" for each in mail)
    )
    assert ["held" in line["runs"][0] for line in evaluate("--mail", "m.mbox")] == [False, False]


def test_a_report_that_cannot_be_written_is_a_matter_of_usage(folder: Path) -> None:
    result = call("test", "--junit", "none/report.xml")
    assert result.exit_code == 2
    assert "none/report.xml cannot be written" in result.stderr


def test_a_report_is_xml_whatever_a_test_is_named(folder: Path) -> None:
    spoil(folder, "name: an order is filed", 'name: "an \\e[31m order \\x01"')
    spoil(folder, "captures: {n: '12'}", 'captures: {n: "\\x02"}')
    assert call("test", "--junit", "report.xml").exit_code == 1
    case = ElementTree.parse(folder / "report.xml").getroot()[0]
    assert case.get("name") == "an \ufffd[31m order \ufffd"


def test_a_finding_names_another_file_as_it_names_its_own(folder: Path) -> None:
    (folder / "rules" / "z.yaml").write_text(ALONE.replace("id: a", "id: orders"))
    said = call("check").stdout
    assert said.startswith("rules/z.yaml:1:")
    assert "the id 'orders' is taken by the rule at rules/orders.yaml:3" in said
