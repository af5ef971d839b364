"""Order, stop, scope, overlay, spam, and the net change of labels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.events import Event, EventKind
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.action import SYSTEM_LABELS, filled
from engine.rules.actions.label import Label
from engine.rules.effects import ChangeLabels, OncePer, SaveDraft, SendMessage
from engine.rules.evaluation import Verdict
from engine.rules.explain import explain
from tests.rules.making import NOW, judge, make_message, matched, rules

ANY = "{size: {gte: 0}}"


def rule(name: str, then: str = "[{label: L}]", when: str = ANY, **more: object) -> str:
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    return f"- {{id: {name}, when: {when}, then: {then}{keys}}}"


def file(*lines: str, **more: object) -> str:
    head = "".join(f"{key}: {value}\n" for key, value in more.items())
    return head + "rules:\n" + "\n".join(lines) + "\n"


def test_order_is_layer_then_priority_then_file_then_position() -> None:
    ruleset = rules(
        file(rule("z1"), rule("late", layer="after"), rule("z2"), rule("first", priority=-1)),
        alpha=file(rule("a1"), rule("a2"), rule("early", layer="before", priority=99)),
        last=file(rule("l1"), rule("l2", layer="default"), layer="after"),
    )
    order = ["early", "first", "a1", "a2", "l2", "z1", "z2", "l1", "late"]
    assert [each.id for each in ruleset.rules] == order
    assert matched(judge(ruleset, make_message())) == order


def test_stop_ends_its_layer_alone() -> None:
    ruleset = rules(
        file(
            rule("b", layer="before", stop="true"),
            rule("b2", layer="before"),
            rule("d", stop="true"),
            rule("d2"),
            rule("a", layer="after"),
        )
    )
    assert matched(judge(ruleset, make_message())) == ["b", "d", "a"]


def test_a_rule_that_did_not_match_stops_nothing() -> None:
    ruleset = rules(file(rule("no", when="{subject: x}", stop="true"), rule("yes")))
    assert matched(judge(ruleset, make_message())) == ["yes"]


def test_an_undecided_stop_ends_the_layer_once_nothing_more_can_be_fetched() -> None:
    ruleset = rules(file(rule("open", when="{subject: x}", stop="true"), rule("next", when="{label: INBOX}")))
    bare = Message(key="k", labels=frozenset({"INBOX"}))
    first = judge(ruleset, bare)
    assert (matched(first), first.needs) == (["next"], frozenset({Need.HEADERS}))
    assert first.undecided[0].stop
    assert matched(judge(ruleset, bare, final=True)) == []


def test_later_rules_see_labels_that_earlier_ones_planned() -> None:
    ruleset = rules(
        file(
            rule("one", "[{label: New}, {mark: read}]"),
            rule("two", "[{label: Seen}]", when="{all: [{label: New}, {not: {is: unread}}]}"),
            rule("three", "[{label: {remove: New}}]"),
            rule("four", when="{label: New}"),
        )
    )
    evaluation = judge(ruleset, make_message())
    assert matched(evaluation) == ["one", "two", "three"]
    assert evaluation.labels == ChangeLabels(add=("Seen",), remove=("UNREAD",))


def test_system_labels_stand_for_archive_mark_and_trash() -> None:
    ruleset = rules(
        file(
            rule("r", "[{archive: true}, {mark: {read: true, starred: true, important: false}}, {trash: {}}]")
        )
    )
    evaluation = judge(ruleset, make_message(labels=["INBOX", "UNREAD", "IMPORTANT"]))
    assert evaluation.labels == ChangeLabels(
        add=("STARRED", "TRASH"), remove=("IMPORTANT", "INBOX", "UNREAD")
    )
    assert evaluation.matches[0].actions == (
        {"archive": True},
        {"mark": {"read": True, "starred": True, "important": False}},
        {"trash": True},
    )


def test_what_is_there_already_is_no_change() -> None:
    ruleset = rules(file(rule("r", "[{label: {add: INBOX, remove: Gone}}]")))
    assert judge(ruleset, make_message()).labels == ChangeLabels()


def test_captures_fill_labels_and_what_people_read_and_templates_get_the_source() -> None:
    once = "once_per: {sender: 7d}"
    reply = f"{{reply: {{template: t, with: {{n: '#{{{{captures.order}}}}'}}, {once}}}}}"
    then = f"[{{label: {{add: ['Orders/{{{{ captures.order }}}}']}}}}, {reply}]"
    ruleset = rules(file(rule("r", then, when="{subject: {regex: '(?P<order>\\d+)'}}")))
    match = judge(ruleset, make_message(("Subject", "Order 48211"))).matches[0]
    assert match.captures == {"order": "48211"}
    assert match.actions == (
        {"label": {"add": ["Orders/48211"]}},
        {"reply": {"template": "t", "with": {"n": "#48211"}, "once_per": {"sender": "7d"}}},
    )
    assert match.effects == (
        ChangeLabels(add=("Orders/48211",)),
        SendMessage(
            template="t", inputs={"n": "#{{captures.order}}"}, reply=True, once_per=OncePer(seconds=604_800)
        ),
    )


def test_modes_choose_between_sending_and_drafting() -> None:
    send = "send: {template: t, to: a@b.example"
    then = (
        f"[{{reply: {{template: t, mode: draft}}}}, {{{send}}}}}, {{{send}, mode: draft}}}}, {{draft: t}}, "
    )
    then += "{draft: {template: t, to: a@b.example}}]"
    effects = judge(rules(file(rule("r", then))), make_message()).matches[0].effects
    assert effects == (
        SaveDraft(template="t", reply=True),
        SendMessage(template="t", to=("a@b.example",)),
        SaveDraft(template="t", to=("a@b.example",)),
        SaveDraft(template="t", reply=True),
        SaveDraft(template="t", to=("a@b.example",)),
    )


def test_a_rule_s_own_scope_takes_the_place_of_the_file_s() -> None:
    ruleset = rules(
        file(
            rule("all"),
            rule("support", mailboxes="['Support@*']"),
            rule("other", mailboxes="[sales@*]"),
            mailboxes="['*@acme.example']",
        )
    )
    assert matched(judge(ruleset, make_message())) == ["all", "support"]
    assert matched(judge(ruleset, make_message(), mailbox="SALES@acme.example")) == ["all", "other"]
    assert matched(judge(ruleset, make_message(), mailbox="sales@other.example")) == ["other"]
    assert matched(judge(ruleset, make_message(), mailbox="")) == ["all", "support", "other"]


def test_rules_hear_their_event_alone() -> None:
    ruleset = rules(file(rule("got"), rule("sent", event="message.sent"), mailboxes="[support@acme.example]"))
    assert matched(judge(ruleset, make_message(), kind=EventKind.MESSAGE_SENT)) == ["sent"]
    assert ruleset.listens(EventKind.MESSAGE_SENT, "support@acme.example")
    assert not ruleset.listens(EventKind.MESSAGE_SENT, "sales@acme.example")
    assert not ruleset.listens(EventKind.LABEL_ADDED, "support@acme.example")


def test_spam_reaches_only_rules_that_name_it() -> None:
    ruleset = rules(
        file(
            rule("plain"),
            rule("names", when="{any: [{not: {label: [SPAM, X]}}, {label: SPAM}]}"),
            rule("end", stop="true"),
        )
    )
    assert matched(judge(ruleset, make_message(labels=["SPAM"]))) == ["names"]
    assert [each.names_spam for each in ruleset.rules] == [False, True, False]


def test_needs_are_those_of_the_rules_that_listen_without_the_bytes() -> None:
    ruleset = rules(
        file(
            rule("a", when="{label: X}"),
            rule("b", when="{attachment: {type: pdf}}", event="message.sent"),
            rule("c", when="{subject: x}", mailboxes="[o@x.example]"),
        )
    )
    assert ruleset.needs_for(EventKind.MESSAGE_RECEIVED, "a@b.example") == {Need.LABELS}
    assert ruleset.needs_for(EventKind.MESSAGE_RECEIVED, "o@x.example") == {Need.LABELS, Need.HEADERS}
    assert ruleset.needs_for(EventKind.MESSAGE_SENT, "a@b.example") == {Need.ATTACHMENTS}


def test_a_match_says_why() -> None:
    ruleset = rules(file(rule("r", when="{all: [{subject: {contains: bill}}, {not: {label: X}}]}")))
    reason = judge(ruleset, make_message(("Subject", "My bill"))).matches[0].reason
    assert reason is not None
    assert (reason.path, reason.verdict, reason.text) == ("when.all", Verdict.MATCHED, "2 of 2 hold")
    assert reason.children[0].path == "when.all[0].subject"
    assert reason.children[0].text == 'found "My bill"; asked for {"contains": ["bill"]}'
    assert reason.children[1].children[0].path == "when.all[1].not.label"


def test_explain_speaks_of_every_rule_also_of_those_not_asked() -> None:
    ruleset = rules(
        file(
            rule("stop", stop="true"),
            rule("after-stop"),
            rule("else", event="message.sent"),
            rule("away", mailboxes="[x@y.example]"),
            rule("no", when="{subject: {contains: x}}", layer="after"),
        )
    )
    event = Event(EventKind.MESSAGE_RECEIVED, "support@acme.example", 1, "k")
    told = {reason.path: reason for reason in explain(ruleset, event, make_message(), NOW)}
    assert {path: reason.text for path, reason in told.items()} == {
        "stop": "applies: label; ends the layer 'default'",
        "after-stop": "was not asked: the layer was ended by stop; its conditions hold",
        "else": "was not asked: listens to message.sent, not to message.received; its conditions hold",
        "away": "was not asked: its scope does not cover support@acme.example; its conditions hold",
        "no": "does not apply: when.subject fails",
    }
    assert told["no"].children[0].text == 'found nothing; asked for {"contains": ["x"]}'
    assert [reason.path for reason in explain(ruleset, event, make_message(), NOW, "no")] == ["no"]


LABELS = st.sampled_from(["A", "B", "C", "INBOX"])
CHANGES = st.tuples(st.sets(LABELS, max_size=2), st.sets(LABELS, max_size=2)).filter(
    lambda pair: bool(pair[0] | pair[1]) and not pair[0] & pair[1]
)


@settings(max_examples=100, deadline=None)
@given(before=st.sets(LABELS), changes=st.lists(CHANGES, min_size=1, max_size=5))
def test_merged_labels_are_labels_changed_one_by_one(
    before: set[str], changes: list[tuple[set[str], set[str]]]
) -> None:
    lines = [
        rule(
            f"r{number}",
            f"[{{label: {{add: [{', '.join(add)}], remove: [{', '.join(remove)}]}}}}]".replace(
                "add: [], ", ""
            ).replace(", remove: []", ""),
        )
        for number, (add, remove) in enumerate(changes)
    ]
    after = set(before)
    for add, remove in changes:
        after = (after - remove) | add
    net = judge(rules(file(*lines)), make_message(labels=before)).labels
    assert set(net.add) == after - before
    assert set(net.remove) == before - after
    assert list(net.add) == sorted(net.add)


@pytest.mark.parametrize(
    ("label", "captured", "wanted"),
    [
        pytest.param("O/{{ captures.n }}", "7", ("O/7",), id="as meant"),
        pytest.param("O/{{ captures.n }}", "", ("O",), id="a path part that is empty"),
        pytest.param(
            "{{ captures.n }}", "/ a // b /c/", ("a/b/c",), id="empty parts, and blanks around them"
        ),
        pytest.param("{{ captures.n }}", "a\u200b\x07\tb", ("a b",), id="control characters"),
        pytest.param("{{ captures.n }}", "x" * 999, ("x" * 200,), id="a name without end"),
        pytest.param("{{ captures.n }}", "x" * 199 + "/y", ("x" * 199,), id="a cut behind a slash"),
        pytest.param("{{ captures.n }}", " /spam/ ", (), id="a system label"),
        pytest.param("{{ captures.n }}", "UNREAD", (), id="another system label"),
        pytest.param("O/{{ captures.n }}", "SPAM", ("O/SPAM",), id="no system label below another"),
        pytest.param("TRASH", "7", ("TRASH",), id="a system label as the author wrote it"),
        pytest.param("{{ captures.n }}", "", (), id="nothing at all"),
    ],
)
def test_what_mail_writes_into_a_label_is_a_name_of_a_label(
    label: str, captured: str, wanted: tuple[str, ...]
) -> None:
    action = Label(add=(label,))
    assert action.effects({"n": captured}) == (ChangeLabels(add=wanted),)
    assert action.shown({"n": captured}) == {"add": list(wanted)}


@settings(max_examples=100, deadline=None)
@given(captured=st.text() | st.text(alphabet="/ aSPM\t"))
def test_no_capture_makes_a_label_that_a_provider_refuses(captured: str) -> None:
    for name in filled(("O/{{ captures.n }}", "{{ captures.n }}"), {"n": captured}):
        assert all(part and part == part.strip() for part in name.split("/"))
        assert name.isprintable()
        assert len(name) <= 200
        assert name.upper() not in SYSTEM_LABELS


def test_explain_shows_the_display_name_where_it_is_compared() -> None:
    ruleset = rules(
        file(
            rule("name", when="{from: {name: Bob}}"),
            rule("both", when="{from: {name: Bob, domain: x.example}}"),
            rule("address", when="{from: bob@x.example}"),
        )
    )
    event = Event(EventKind.MESSAGE_RECEIVED, "", 1, "k")
    told = explain(ruleset, event, make_message(("From", "Ann <ann@x.example>")), NOW)
    assert [reason.children[0].text.partition(";")[0] for reason in told] == [
        'found "Ann"',
        'found "Ann <ann@x.example>"',
        'found "ann@x.example"',
    ]


def test_a_match_tells_its_reason_when_asked() -> None:
    match = judge(rules(file(rule("a"))), make_message()).matches[0]
    assert match.reason is not None
    assert match.reason.path == "when.size"
    assert match.reason.verdict is Verdict.MATCHED
