"""What imported scripts do: where a message ends up, and what is said of what is lost."""

from __future__ import annotations

import pytest

from engine.imports.canonical import as_yaml
from engine.imports.sieve.importer import import_sieve
from engine.templating.library import Context, load_templates
from tests.imports.translating import MAIL, imported, losses, outcome
from tests.rules.making import judge, rules

NEW = {"INBOX", "UNREAD"}
RED, BLUE = 'header :contains "X-Tag" "red"', 'header :contains "X-Tag" "blue"'


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("", NEW, id="nothing"),
        pytest.param("keep;", NEW, id="keep"),
        pytest.param('fileinto "A";', {"A", "UNREAD"}, id="a folder instead of the inbox"),
        pytest.param('fileinto :copy "A";', {"A", *NEW}, id="a copy"),
        pytest.param('keep; fileinto "A";', {"A", *NEW}, id="a folder beside keep"),
        pytest.param('fileinto "A"; keep;', {"A", *NEW}, id="keep beside a folder"),
        pytest.param(f'if {RED} {{ keep; }} fileinto "A";', {"A", *NEW}, id="keep in one way only"),
        pytest.param(
            f'if {BLUE} {{ keep; }} fileinto "A";', {"A", "UNREAD"}, id="keep in the other way only"
        ),
        pytest.param('fileinto "INBOX"; fileinto "A";', {"A", *NEW}, id="the inbox as a folder is keep"),
        pytest.param(
            f'if {BLUE} {{ keep; }} elsif true {{ fileinto "A"; }} keep;',
            {"A", *NEW},
            id="keep in one way, a folder in the other, keep in both",
        ),
        pytest.param("discard;", {"TRASH", "UNREAD"}, id="discard"),
        pytest.param("discard; keep;", NEW, id="keep after discard"),
        pytest.param('discard; fileinto "A";', {"A", "UNREAD"}, id="a folder after discard"),
        pytest.param('fileinto "A"; discard;', {"A", "UNREAD"}, id="discard after a folder"),
        pytest.param('fileinto :copy "A"; discard;', {"A", "UNREAD"}, id="discard after a copy"),
        pytest.param(
            f'if {RED} {{ fileinto "A"; }} discard;',
            {"A", "UNREAD"},
            id="discard of what is filed in one way",
        ),
        pytest.param(
            f'if {BLUE} {{ fileinto "A"; }} discard;', {"TRASH", "UNREAD"}, id="discard of what is not"
        ),
        pytest.param('stop; fileinto "A";', NEW, id="nothing after stop"),
        pytest.param(f'if {RED} {{ stop; }} fileinto "A";', NEW, id="nothing after stop in this way"),
        pytest.param(
            f'if {BLUE} {{ stop; }} fileinto "A";', {"A", "UNREAD"}, id="on after stop in another way"
        ),
        pytest.param(
            f'if {RED} {{ fileinto "A"; }} elsif true {{ fileinto "B"; }}', {"A", "UNREAD"}, id="if"
        ),
        pytest.param(
            f'if {BLUE} {{ fileinto "A"; }} elsif {RED} {{ fileinto "B"; }} else {{ fileinto "C"; }}',
            {"B", "UNREAD"},
            id="elsif",
        ),
        pytest.param(f'if {BLUE} {{ fileinto "A"; }} else {{ fileinto "C"; }}', {"C", "UNREAD"}, id="else"),
        pytest.param(f'if {RED} {{ }} else {{ fileinto "C"; }}', NEW, id="a branch that does nothing"),
        pytest.param(
            f'if {RED} {{ if {BLUE} {{ fileinto "A"; }} }} else {{ fileinto "C"; }}',
            NEW,
            id="a branch that does nothing this time",
        ),
        pytest.param('addflag "\\\\Seen";', {"INBOX"}, id="read"),
        pytest.param(
            'addflag ["\\\\Flagged", "work later"];',
            {*NEW, "STARRED", "work", "later"},
            id="starred, and labels",
        ),
        pytest.param('addflag "\\\\Seen"; removeflag "\\\\seen";', NEW, id="read and unread again"),
        pytest.param('addflag "a"; setflag "b";', {*NEW, "b"}, id="other flags instead"),
        pytest.param(
            'fileinto "A"; addflag "\\\\Seen";', {"A", "UNREAD"}, id="flags after the last store are lost"
        ),
        pytest.param(
            'fileinto "A"; addflag "\\\\Seen"; fileinto "B";', {"A", "B"}, id="flags before another store"
        ),
        pytest.param(
            'addflag "\\\\Seen"; fileinto "A"; removeflag "\\\\Seen";',
            {"A"},
            id="flags are taken off too late",
        ),
        pytest.param(
            'addflag "a"; fileinto :flags "b" "A";', {"A", "UNREAD", "b"}, id="flags of a store alone"
        ),
        pytest.param('keep; addflag "\\\\Seen";', NEW, id="flags after keep are lost"),
        pytest.param(
            f'if {RED} {{ fileinto "A"; }} addflag "\\\\Seen";',
            {"A", "UNREAD"},
            id="flags for what stays, here not",
        ),
        pytest.param(
            f'if {BLUE} {{ fileinto "A"; }} addflag "\\\\Seen";',
            {"INBOX"},
            id="flags for what stays, here so",
        ),
        pytest.param(
            'addflag "a"; if hasflag "a" { fileinto "A"; }', {"A", "UNREAD", "a"}, id="a flag that was set"
        ),
        pytest.param('if hasflag "a" { fileinto "A"; }', NEW, id="a flag that was not"),
        pytest.param(
            'addflag "v" "a"; addflag "v" "b"; fileinto :flags "${v}" "A";',
            {"A", "UNREAD", "a", "b"},
            id="flags in a variable",
        ),
        pytest.param('set "v" "b"; fileinto "A/${v}";', {"A/b", "UNREAD"}, id="a variable"),
        pytest.param(
            'set :upper "v" "b"; set :length "n" "${v}cd"; fileinto "${v}${n}";',
            {"B3", "UNREAD"},
            id="modifiers",
        ),
        pytest.param('fileinto "A${none}";', {"A", "UNREAD"}, id="a variable that was never set"),
        pytest.param(
            'if header :matches "X-Tag" "* *" { fileinto "${2}/${1}"; }',
            {"Hat/Red", "UNREAD"},
            id="wildcards capture",
        ),
        pytest.param(
            'if header :matches "X-Tag" "*a*" { fileinto "${0}"; }',
            {"Red Hat", "UNREAD"},
            id="the whole match",
        ),
        pytest.param(
            'if header :regex "X-Tag" "^([a-z]+) (.*)" { set :lower "v" "${2}"; } fileinto "A${v}";',
            {"Ahat", "UNREAD"},
            id="a capture used later",
        ),
        pytest.param(
            'if header :regex "X-Tag" "blue(.*)" { set "v" "${1}"; } fileinto "A${v}";',
            {"A", "UNREAD"},
            id="a capture that there is not",
        ),
        pytest.param(
            'if not header :regex "X-Tag" "(hat)" { keep; } else { fileinto "${1}"; }',
            {"Hat", "UNREAD"},
            id="the capture of a test that was denied",
        ),
        pytest.param(
            'if header :matches "X-Tag" "* *" { if string "${1}" "red" { fileinto "A"; } }',
            {"A", "UNREAD"},
            id="a capture compared",
        ),
        pytest.param(
            'if header :matches "X-Tag" "* *" { if string :matches "${1}" "?*" { fileinto "${1}"; } }',
            {"R", "UNREAD"},
            id="a capture of a capture",
        ),
        pytest.param(
            'set "v" "ab"; if string :matches "${v}" "?*" { fileinto "${2}"; }',
            {"b", "UNREAD"},
            id="a known text compared",
        ),
        pytest.param(
            'if address :domain :regex "from" "([a-z]+)[.]example" { fileinto "${1}"; }',
            {"x", "UNREAD"},
            id="a part of an address captures",
        ),
        pytest.param(
            f'if allof ({RED}, header :matches "X-Tag" "* *") {{ fileinto "${{1}}"; }}',
            {"Red", "UNREAD"},
            id="captures of one of several tests",
        ),
        pytest.param(
            'if anyof (header :regex "X-Tag" "blue(.*)", header :regex "subject" "order (.*)")'
            ' { fileinto "${1}"; }',
            {"7", "UNREAD"},
            id="captures of the test that holds",
        ),
        pytest.param(
            'if allof (environment :matches "vnd.proton.spam-threshold" "*",'
            ' spamtest :value "ge" :comparator "i;ascii-numeric" "${1}") { return; } fileinto "A";',
            {"A", "UNREAD"},
            id="Proton's own guard",
        ),
    ],
)
def test_a_message_ends_up_where_sieve_would_put_it(script: str, expected: set[str]) -> None:
    assert outcome(script) == expected


def test_encoded_characters_are_decoded_where_they_are_asked_for() -> None:
    assert outcome('require "encoded-character"; fileinto "${hex:41 42}${unicode:e9}";') == {"ABé", "UNREAD"}
    assert outcome('fileinto "${hex:41}x";') == {"${hex:41}x", "UNREAD"}


def test_an_included_script_stands_in_its_place() -> None:
    other = 'if header :contains "X-Tag" "red" { fileinto "A"; return; } fileinto "B";'
    assert outcome('include "other"; fileinto "C";', other=other) == {"A", "C", "UNREAD"}


def test_an_included_script_stops_all() -> None:
    assert outcome('include "other"; fileinto "C";', other="stop;") == NEW


def test_a_script_is_included_once() -> None:
    assert outcome('include :once "o"; include :once "o"; keep;', o='fileinto "A";') == {"A", *NEW}
    assert outcome('include :optional "none"; keep;') == NEW


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param('addheader "X-A" "b";', "1:1: 'addheader': messages are never changed", id="a header"),
        pytest.param(
            'notify :method "mailto:a@x.example";', "there are no notifications", id="a notification"
        ),
        pytest.param('expire "day" "3";', "messages do not expire", id="a vendor's own"),
        pytest.param('fileinto "/";', "has an empty part", id="a folder that is no label"),
        pytest.param('fileinto "";', "must be a label's name", id="a folder without a name"),
        pytest.param('addflag "\\\\Deleted";', "the mail server's own", id="a flag of the server's"),
        pytest.param(
            'if header :matches "a" "*" { redirect "${1}"; }',
            "a recipient is fixed",
            id="a recipient from a message",
        ),
        pytest.param(
            'if header :matches "a" "*" { set :length "n" "${1}"; fileinto "${n}"; }',
            "':length' of what a test captured",
            id="a modifier of a capture",
        ),
        pytest.param(
            'vacation :from "a@x.example" "away";', "':from' is a matter of the template", id="who answers"
        ),
        pytest.param(
            'if anyof (exists "a", header :matches "b" "*") { fileinto "${1}"; }',
            "may not have been tried",
            id="a capture of a test that may not be tried",
        ),
    ],
)
def test_what_cannot_be_done_is_named(script: str, said: str) -> None:
    assert any(loss.startswith("my.sieve:1:") and said in loss for loss in losses(script))


def test_ways_that_differ_are_bounded() -> None:
    flags = "".join(f'if exists "X-{n}" {{ set "v{n}" "a"; }}\n' for n in range(40))
    uses = "".join(f'fileinto "F{n}${{v{n}}}";\n' for n in range(40))
    found = imported(flags + uses)
    assert any("too many ways lead on from here" in loss.what for loss in found.losses)
    assert len(as_yaml(found.rules)) < 100_000


def test_answers_come_from_a_template_that_takes_their_text() -> None:
    found = import_sieve('vacation :days 3 "I am {{ away }}, {% really %}.";\n', "my.sieve")
    (group,) = found.rules
    (reply,) = group["group"]["rules"][0]["then"]
    assert reply["reply"]["once_per"] == {"sender": "3d"}
    library = load_templates(dict(found.templates))
    inputs = {"text": reply["reply"]["with"]["text"]}
    assert library.render("imported-answer", Context(MAIL, inputs)).text == "I am {{ away }}, {% really %}.\n"
    assert ["--templates" in note.what for note in found.notes] == [True]


def test_what_is_refused_is_answered_and_not_kept() -> None:
    found = import_sieve('reject "No, thank you.";', "my.sieve")
    (match,) = judge(rules(as_yaml(found.rules)), MAIL).matches
    assert [next(iter(action)) for action in match.actions] == ["reply", "trash"]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param('redirect "b@acme.example";', ["forward", "label"], id="and out of the inbox"),
        pytest.param('redirect :copy "b@acme.example";', ["forward"], id="a copy alone"),
        pytest.param('keep; redirect "b@acme.example";', ["forward"], id="what is kept stays"),
    ],
)
def test_what_is_redirected_is_forwarded(script: str, expected: list[str]) -> None:
    found = imported(script)
    (match,) = judge(rules(as_yaml(found.rules)), MAIL).matches
    assert [next(iter(action)) for action in match.actions] == expected


def test_comments_become_titles_and_labels_ids() -> None:
    script = '# rule:[My friends]\nif address "from" "a@x.example" { fileinto "People/Friends"; stop; }'
    assert imported(script).rules == (
        {
            "id": "my-people-friends",
            "title": "My friends",
            "when": {"from": {"is": "a@x.example"}},
            "then": [{"label": {"add": ["People/Friends"], "remove": ["INBOX"]}}],
            "stop": True,
        },
    )
