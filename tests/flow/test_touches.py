"""What undoing wants of labels, for any runs: exactly what was before them, and nothing of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.flow.inverse import UNDO, labels_back
from engine.flow.plan import Judged, Plan, Run, make_plan
from engine.flow.recorded import Recorded, Undone
from engine.flow.touches import Aims, aims_of, change_of, touches
from engine.mail.events import Event, EventKind
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.rules.effects import ChangeLabels, Effect, SendMessage
from engine.rules.evaluate import changed, net
from engine.rules.evaluation import Evaluation, Match

LABELS = ("INBOX", "A", "B", "C")
SOME = st.lists(st.sampled_from(LABELS), max_size=2, unique=True).map(tuple)
CHANGE = st.builds(ChangeLabels, add=SOME, remove=SOME)
SEND = st.just(SendMessage(template="t", reply=True))
STEPS = st.lists(CHANGE | SEND, min_size=1, max_size=3).map(tuple)
BATCH = st.lists(st.tuples(st.sampled_from("12"), st.lists(STEPS, min_size=1, max_size=3)), max_size=3)
Labels = dict[str, frozenset[str]]


@dataclass
class Mailbox:
    """Two messages, and the journal of what runs did to them."""

    labels: Labels
    journal: list[Recorded] = field(default_factory=list)
    now: float = 0.0
    found_by: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Of each run and label that it changes with its batch, whether the label was there before the run."""

    def decide(self, batch: list[tuple[str, list[tuple[Effect, ...]]]]) -> None:
        """Plan a batch, change labels by its groups, then carry out what stands behind sends."""
        self.now += 10
        seen, judged = dict(self.labels), []
        for number, (key, rules) in enumerate(batch):
            message = Message(key, labels=seen[key], _headers=Headers([]))
            event = Event(EventKind.LABEL_ADDED, "b@x.example", int(self.now) + number, key, changed=("A",))
            matches = tuple(Match(f"r{at}", (), steps) for at, steps in enumerate(rules))
            for steps in rules:
                seen[key] = changed(seen[key], steps)
            judged.append(Judged(event, message, Evaluation(matches, (), net(message.labels, seen[key]))))
        plan = make_plan(judged, "d", self.now, lambda *_: None)
        self.found_by |= dict(_found_by(plan, self.labels))
        for group in plan.groups:
            for key in group.keys:
                self.labels[key] = (self.labels[key] - set(group.remove)) | set(group.add)
        for place, run in enumerate(plan.runs):
            self.journal.append(self._carried_out(run, plan, place))

    def _carried_out(self, run: Run, plan: Plan, place: int) -> Recorded:
        grouped = any(run.key in group.keys for group in plan.groups)
        receipts: dict[int, dict[str, str]] = {}
        for step, effect in enumerate(run.steps):
            if step < run.grouped:
                receipts[step] = {"outcome": "done" if grouped else "unchanged"}
            elif isinstance(effect, ChangeLabels):
                had = self.labels[run.key]
                receipts[step] = {"outcome": "done", UNDO: labels_back({run.key: had}, effect)}
                self.labels[run.key] = changed(had, [effect])
        read = Run.model_validate_json(run.model_dump_json())
        return Recorded(read, "done", receipts, 1, "", int(self.now * 1000) + 1 + place)

    def undo(self, chosen: set[str]) -> None:
        """Undo some runs."""
        aims = aims_of((each for one in self.journal for each in touches(one, {})), chosen)
        for key, labels in self.labels.items():
            change = change_of(aims.get(key, Aims()), labels)
            self.labels[key] = (labels - set(change.remove)) | set(change.add)
        mark = Undone(0, "me")
        self.journal = [replace(one, undone=mark) if one.run.id in chosen else one for one in self.journal]


def _found_by(plan: Plan, labels: Labels) -> Iterator[tuple[tuple[str, str], bool]]:
    """Go through a batch run by run, as if each changed labels at once."""
    now = dict(labels)
    for run in plan.runs:
        grouped = [one for one in run.steps[: run.grouped] if isinstance(one, ChangeLabels)]
        yield from (
            ((run.id, label), label in now[run.key]) for one in grouped for label in one.add + one.remove
        )
        now[run.key] = changed(now[run.key], grouped)


MAILBOXES = st.builds(
    lambda one, two: Mailbox({"1": frozenset(one), "2": frozenset(two)}),
    st.sets(st.sampled_from(LABELS)),
    st.sets(st.sampled_from(LABELS)),
)


@settings(max_examples=60, deadline=None)
@given(mailbox=MAILBOXES, batches=st.lists(BATCH, max_size=3), later=st.integers(0, 3))
def test_undoing_all_from_some_time_on_gives_what_was_then(
    mailbox: Mailbox, batches: list[list[tuple[str, list[tuple[Effect, ...]]]]], later: int
) -> None:
    for batch in batches[:later]:
        mailbox.decide(batch)
    known, before = {one.run.id for one in mailbox.journal}, dict(mailbox.labels)
    for batch in batches[later:]:
        mailbox.decide(batch)
    mailbox.undo({one.run.id for one in mailbox.journal} - known)
    assert mailbox.labels == before


@settings(max_examples=60, deadline=None)
@given(mailbox=MAILBOXES, batches=st.lists(BATCH, max_size=3), data=st.data())
def test_undoing_some_touches_nothing_that_another_run_did_last_and_comes_to_an_end(
    mailbox: Mailbox, batches: list[list[tuple[str, list[tuple[Effect, ...]]]]], data: st.DataObject
) -> None:
    for batch in batches:
        mailbox.decide(batch)
    ids = sorted({one.run.id for one in mailbox.journal})
    chosen = set(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set()
    last: dict[tuple[str, str], str] = {}
    every = [each for one in mailbox.journal for each in touches(one, {})]
    first = {(each.run, each.label): each for each in reversed(every)}
    assert {pair: first[pair].before for pair in mailbox.found_by} == mailbox.found_by
    for touch in sorted(every, key=lambda each: each.at):
        last[touch.key, touch.label] = touch.run
    before = dict(mailbox.labels)
    mailbox.undo(chosen)
    moved = {(key, label) for key in before for label in before[key] ^ mailbox.labels[key]}
    assert all(last.get(each) in chosen for each in moved)
    after = dict(mailbox.labels)
    mailbox.undo(chosen)
    assert mailbox.labels == after


def test_a_journal_of_an_older_version_is_read() -> None:
    step = ChangeLabels(add=("A",))
    old: dict[str, object] = {
        "id": "1",
        "rule": "r",
        "event": "e",
        "kind": "message.received",
        "mailbox": "b",
        "key": "k",
    }
    old |= {"digest": "d", "created": 1.0, "grouped": 1, "labels": None}
    run = Run.model_validate_json(json.dumps(old | {"steps": [step.model_dump()]}))
    receipts = {0: {"outcome": "done", UNDO: labels_back({"k": ()}, step)}}
    (touch,) = touches(Recorded(run, "done", receipts, 1, "", 2), {})
    assert (touch.label, touch.on, touch.before) == ("A", True, False)
    (unknown,) = touches(Recorded(run, "done", {0: {"outcome": "done"}}, 1, "", 2), {})
    assert unknown.before is None
    aims = aims_of([unknown], {"1"})["k"]
    assert change_of(aims, frozenset({"A"})).left == ("'A': whether it was there before is not known",)
