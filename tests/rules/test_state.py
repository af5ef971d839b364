"""What the tests beside rules say of what was before: earlier messages, the thread, a payload."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from engine.mail.message import Conversation
from engine.rules.evaluation import Verdict
from engine.rules.memory import UNREAD, Beside, Kept, Memory
from engine.rules.testing import Checked, examine
from engine.rules.view import View
from tests.rules.making import NOW, condition, make_message

FROM = "from: ann@x.example"


def examined(when: str, *tests: str, **fixtures: str) -> Checked:
    lines = [f"      - {{name: t{number}, {test}}}" for number, test in enumerate(tests)]
    text = (
        f"rules:\n  - id: r\n    when: {when}\n    then: [{{archive: true}}]\n    tests:\n"
        + "\n".join(lines)
        + "\n"
    )
    return examine({"r.yaml": text} | {f"{name}.eml": raw for name, raw in fixtures.items()}, None)


HOLD = [
    pytest.param(
        "{duplicate: {by: {header: X-Id}}}",
        "given: {headers: {X-Id: '7'}}, state: {earlier: [{headers: {X-Id: '7'}}]}, expect: {matched: true}",
        id="a duplicate",
    ),
    pytest.param(
        "{duplicate: {by: {header: X-Id}}}",
        "given: {headers: {X-Id: '7'}}, expect: {matched: false}",
        id="nothing was before unless said",
    ),
    pytest.param(
        "{duplicate: {by: {header: X-Id}, within: 1h}}",
        "given: {headers: {X-Id: '7'}, date: 2026-01-02T10:00:00Z},"
        " state: {earlier: [{headers: {X-Id: '7'}, date: 2026-01-02T08:59:00Z}]}, expect: {matched: false}",
        id="a duplicate of too long ago",
    ),
    pytest.param(
        "{all: [{subject: alert}, {rate: {more_than: 3, per: from, within: 1h}}]}",
        f"given: {{{FROM}, subject: alert}}, state: {{earlier: [{{{FROM}, subject: alert, times: 3}}]}},"
        " expect: {matched: true}",
        id="a rate, by repeated messages",
    ),
    pytest.param(
        "{all: [{subject: alert}, {rate: {more_than: 3, per: from, within: 1h}}]}",
        f"given: {{{FROM}, subject: alert}}, state: {{earlier: [{{{FROM}, subject: other, times: 9}}]}},"
        " expect: {matched: false}",
        id="earlier messages that do not count",
    ),
    pytest.param(
        "{rate: {more_than: 1, per: mailbox, within: 1h}}",
        "given: {mailbox: a@x.example}, state: {earlier: [{mailbox: b@x.example}]}, expect: {matched: false}",
        id="another mailbox remembers apart",
    ),
    pytest.param(
        "{duplicate: message_id}",
        "fixture: m.eml, state: {earlier: [{fixture: m.eml}]}, expect: {matched: true}",
        id="a file twice",
    ),
    pytest.param("{thread: {first: true}}", "expect: {matched: true}", id="alone in its thread unless said"),
    pytest.param(
        "{thread: {messages: {gt: 3}, first: false, replied_by_us: true}}",
        "state: {thread: {messages: 4, replied_by_us: true}}, expect: {matched: true}",
        id="a thread",
    ),
    pytest.param(
        "{thread: {first: true}}",
        "state: {thread: {messages: 4, first: true}}, expect: {matched: true}",
        id="the first of several",
    ),
    pytest.param(
        "{thread: {replied_by_us: false}}",
        "fixture: m.eml, state: {thread: {replied_by_us: true}}, expect: {matched: false}",
        id="a thread beside a file",
    ),
    pytest.param(
        "{payload: {path: 'items[*].price', gt: 10}}",
        "given: {payload: {items: [{price: 9}, {price: 11}]}}, expect: {matched: true}",
        id="a payload as YAML",
    ),
    pytest.param(
        "{payload: {path: a, is: x}}",
        """given: {payload: '{"a": "x"}'}, expect: {matched: true}""",
        id="a payload as JSON",
    ),
]
MAIL = "From: ann@x.example\nMessage-ID: <1@x>\n\nhello\n"


@pytest.mark.parametrize(("when", "test"), HOLD)
def test_a_test_is_given_what_was_before(when: str, test: str) -> None:
    assert [str(error) for error in examined(when, test, m=MAIL).errors] == []


WRONG = [
    pytest.param("{thread: true}", "must be a map", id="a thread that is no map"),
    pytest.param("{thread: {}}", "asks nothing", id="a thread of which nothing is asked"),
    pytest.param("{thread: {messages: 3 mails}}", "must be a whole number", id="no count"),
    pytest.param("{thread: {replied: true}}", "did you mean 'replied_by_us'", id="a misspelt key"),
    pytest.param("{duplicate: {}}", "'by' is missing", id="a duplicate of nothing"),
    pytest.param("{duplicate: messageid}", "did you mean 'message_id'", id="a misspelt fact"),
    pytest.param("{duplicate: {by: {header: 'X Id'}}}", "is no header name", id="a header that is none"),
    pytest.param("{duplicate: {by: {header: X, fact: to}}}", "write one of", id="two facts"),
    pytest.param(
        "{duplicate: {by: {template: alert}}}", "must name what it is made of", id="an idle template"
    ),
    pytest.param("{duplicate: {by: {template: '{{ form }}'}}}", "did you mean 'from'", id="a misspelt use"),
    pytest.param("{duplicate: {by: {template: '{{ from }'}}}", "must name", id="an open brace"),
    pytest.param("{duplicate: {by: subject, within: 7}}", "has no unit", id="a bare number for a time"),
    pytest.param("{duplicate: {by: subject, within: 0d}}", "longer than nothing", id="no window"),
    pytest.param("{rate: {per: from, within: 1h}}", "'more_than' is missing", id="no limit"),
    pytest.param(
        "{rate: {more_than: 0, per: from, within: 1h}}", "must be from 1 to 1000", id="none allowed"
    ),
    pytest.param(
        "{rate: {more_than: 5000, per: from, within: 1h}}", "must be from 1", id="too many to count"
    ),
    pytest.param("{rate: {more_than: 1.5, per: from, within: 1h}}", "whole number", id="half a message"),
    pytest.param("{rate: {more_than: 5, per: from, within: 1y}}", "unknown unit 'y'", id="a year"),
    pytest.param("{rate: {more_than: 5, per: everyone, within: 1h}}", "fact", id="no fact"),
]


@pytest.mark.parametrize(("asked", "said"), WRONG)
def test_a_mistake_in_a_condition_is_named(asked: str, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        condition(asked)
    assert said in str(caught.value)


WRONG_TESTS = [
    pytest.param("state: {earlier: [{times: 0}]}, expect: {matched: true}", "must be from 1", id="no times"),
    pytest.param("state: {earlier: [{form: a}]}, expect: {matched: true}", "did you mean 'from'", id="a key"),
    pytest.param(
        "state: {thread: {count: 1}}, expect: {matched: true}", "unknown key 'count'", id="a thread's"
    ),
    pytest.param(
        "given: {payload: '{'}, expect: {matched: true}", "a text that is one in JSON", id="no JSON"
    ),
    pytest.param(
        "state: {earlier: [{fixture: gone.eml}]}, expect: {matched: true}",
        "no fixture 'gone.eml'",
        id="a file",
    ),
]


@pytest.mark.parametrize(("test", "said"), WRONG_TESTS)
def test_a_mistake_in_a_test_is_named_with_its_place(test: str, said: str) -> None:
    (error,) = examined("{subject: x}", test).errors
    assert said in error.message
    assert error.place.line == 6


ANSWERED = Conversation(first=False, messages=5, replied=True)


def view(conversation: Conversation | None, memory: Memory) -> View:
    message = replace(make_message(), thread="t", _conversation=conversation)
    return View(message, NOW, beside=Beside("e", memory=memory))


def test_a_thread_that_shows_an_answer_asks_no_memory() -> None:
    asked = condition("thread: {replied_by_us: true}")
    assert asked.judge(view(ANSWERED, UNREAD)).verdict is Verdict.MATCHED


def test_a_thread_without_an_answer_asks_what_was_decided() -> None:
    asked, silent = condition("thread: {replied_by_us: true}"), Conversation(True, 1, False)
    unknown = view(silent, UNREAD)
    assert asked.judge(unknown).verdict is Verdict.UNDECIDED
    (key,) = unknown.unread
    for kept, wanted in ((Kept(), Verdict.NOT_MATCHED), (Kept(((1, "w"),)), Verdict.MATCHED)):
        assert asked.judge(view(silent, Memory({key: kept}, whole=False))).verdict is wanted


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param("thread: {first: true}", "not the first of 5 messages", id="its place"),
        pytest.param("thread: {replied_by_us: true}", "one of them sent by us", id="an answer"),
    ],
)
def test_a_thread_is_told(asked: str, told: str) -> None:
    assert told in condition(asked).seen(view(ANSWERED, UNREAD))
