"""Plans: label changes merged over the batch, runs that name themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.flow.plan import Judged, make_plan, run_id
from engine.mail.events import Event, EventKind
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.rules.effects import ChangeLabels, Effect, SendMessage
from engine.rules.evaluation import NOT_ONE_RULE, Evaluation, Match, Undecided

LABELS = ("INBOX", "UNREAD", "A", "B", "C")


def judged(key: str, labels: set[str], *rules: tuple[str, tuple[Effect, ...]]) -> Judged:
    event = Event(EventKind.MESSAGE_RECEIVED, "box@x.example", 7, key)
    matches = tuple(Match(rule, (), effects) for rule, effects in rules)
    message = Message(key, labels=frozenset(labels), _headers=Headers([]))
    return Judged(event, message, Evaluation(matches))


def nobody(*_: object) -> None:
    return None


def test_messages_with_the_same_net_change_share_one_group() -> None:
    add = ChangeLabels(add=("A",), remove=("INBOX",))
    batch = [judged(key, {"INBOX"}, ("r", (add,))) for key in ("1", "2")]
    batch.append(judged("3", {"A"}, ("r", (add,))))
    plan = make_plan(batch, "d", 0.0, nobody)
    assert [(group.add, group.remove, group.keys) for group in plan.groups] == [
        (("A",), ("INBOX",), ("1", "2"))
    ]
    assert [run.key for run in plan.runs] == ["1", "2", "3"]


def test_a_label_behind_a_send_stays_behind_it() -> None:
    effects = (ChangeLabels(add=("A",)), SendMessage(template="t", reply=True), ChangeLabels(add=("B",)))
    plan = make_plan([judged("1", set(), ("r", effects))], "d", 0.0, nobody)
    assert plan.runs[0].grouped == 1
    (group,) = plan.groups
    assert group.add == ("A",)
    assert group.runs["1"][0].more


def test_a_rule_that_takes_back_what_an_earlier_one_did_leaves_no_group() -> None:
    first, second = ChangeLabels(add=("A",)), ChangeLabels(remove=("A",))
    plan = make_plan([judged("1", set(), ("r", (first,)), ("s", (second,)))], "d", 0.0, nobody)
    assert plan.groups == ()
    assert len(plan.runs) == 2


def test_a_held_step_is_written_into_the_run() -> None:
    plan = make_plan(
        [judged("1", set(), ("r", (SendMessage(template="t", reply=True),)))],
        "d",
        0.0,
        lambda *_: "ourselves",
    )
    assert plan.runs[0].held == {0: "ourselves"}


def test_an_undecided_rule_with_stop_becomes_a_run_for_a_person() -> None:
    item = judged("1", set())
    undecided = Evaluation(undecided=(Undecided("r", frozenset(), "broken", stop=True),))
    plan = make_plan([Judged(item.event, item.message, undecided)], "d", 0.0, nobody)
    assert [(run.rule, run.undecided, run.steps) for run in plan.runs] == [("r", "broken", ())]


def test_an_encrypted_message_is_no_case_for_a_person() -> None:
    item = judged("1", set())
    sealed = Message("1", _headers=Headers([("X-Zoom-Encryption", "s=Server")]))
    for needs, runs in ((frozenset[Need](), 0), (frozenset({Need.THREAD}), 1)):
        undecided = Evaluation(undecided=(Undecided("r", needs, "encrypted", stop=True),))
        assert len(make_plan([Judged(item.event, sealed, undecided)], "d", 0.0, nobody).runs) == runs


def test_a_defect_of_ours_is_a_case_for_a_person_even_where_mail_is_encrypted() -> None:
    sealed = Message("1", _headers=Headers([("X-Zoom-Encryption", "s=Server")]))
    failed = Evaluation(undecided=(Undecided(NOT_ONE_RULE, frozenset(), "judging failed", stop=True),))
    plan = make_plan([Judged(judged("1", set()).event, sealed, failed)], "d", 0.0, nobody)
    assert [run.undecided for run in plan.runs] == ["judging failed"]


def test_event_and_rule_name_the_run() -> None:
    assert run_id("box/1", "r") == run_id("box/1", "r")
    assert run_id("box/1", "r") != run_id("box/1r", "")


changes = st.builds(
    ChangeLabels,
    add=st.lists(st.sampled_from(LABELS), max_size=3).map(tuple),
    remove=st.lists(st.sampled_from(LABELS), max_size=3).map(tuple),
)


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from(LABELS)), st.lists(changes, max_size=4)), min_size=1, max_size=6
    )
)
def test_merged_labels_are_the_labels_one_by_one(mail: list[tuple[set[str], list[ChangeLabels]]]) -> None:
    batch = [
        judged(str(index), labels, *((f"r{rule}", (change,)) for rule, change in enumerate(own)))
        for index, (labels, own) in enumerate(mail)
    ]
    plan = make_plan(batch, "d", 0.0, nobody)
    merged = {str(index): set(labels) for index, (labels, _) in enumerate(mail)}
    for group in plan.groups:
        for key in group.keys:
            assert not merged[key] & set(group.add)
            assert merged[key] >= set(group.remove)
            merged[key] = (merged[key] | set(group.add)) - set(group.remove)
    for index, (labels, own) in enumerate(mail):
        one_by_one = set(labels)
        for change in own:
            one_by_one = (one_by_one - set(change.remove)) | set(change.add)
        assert merged[str(index)] == one_by_one
