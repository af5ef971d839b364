"""What rules would have done with mail of the past, in the order of its arrival."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.backtest import crew
from engine.backtest.judging import Judging, Setup, Version
from engine.backtest.outcome import Outcome
from engine.backtest.run import Report, Shown, backtest
from engine.mail.archive import Archived
from engine.rules.memory import in_ms

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOX = "support@acme.example"
NOW = START + timedelta(days=365)


def letter(
    name: str,
    *,
    sender: str = "ann@x.example",
    subject: str = "hello",
    at: timedelta = timedelta(),
    ident: str = "",
    cites: str = "",
    undated: bool = False,
) -> Archived:
    fields = {"From": sender, "To": BOX, "Subject": subject, "Message-ID": f"<{ident or name}@x.example>"}
    if not undated:
        fields["Date"] = (START + at).strftime("%a, %d %b %Y %H:%M:%S +0000")
    if cites:
        fields["In-Reply-To"] = f"<{cites}@x.example>"
    text = "".join(f"{field}: {value}\r\n" for field, value in fields.items())
    return Archived(name, f"{text}\r\nhi\r\n".encode())


def run(items: Sequence[Archived], *versions: str, jobs: int = 1) -> Report:
    setup = Setup(
        tuple(Version({"r.yaml": f"rules:\n{rules}"}) for rules in versions),
        NOW,
        BOX,
        own=frozenset({BOX}),
    )
    return backtest(items, setup, Judging(setup), jobs)


def done(report: Report, version: int = 0) -> dict[str, list[str]]:
    """What each message sets off, as `rule action`, with a ! where it is held."""
    return {one.headline.name: _done(one.outcomes[version]) for one in report.shown}


def _done(outcome: Outcome) -> list[str]:
    marks = (f"{ran.rule} {act.kind}{'!' * bool(act.held)}" for ran in outcome.runs for act in ran.acts)
    return [*marks, *(f"{rule}?" for rule, _ in outcome.undecided)]


REPLY = "  - {id: r, when: {subject: {exists: true}}, then: [reply: {template: t, once_per: {sender: 7d}}]}"
TWICE = "  - {id: d, when: {duplicate: {by: message_id, within: 2d}}, then: [trash: true]}"
MANY = "  - {id: m, when: {rate: {per: from, more_than: 2, within: 1h}}, then: [label: Flood]}"
FILE = "  - {id: f, when: {subject: {contains: order}}, then: [label: Orders]}"
NEXT = "  - {id: n, when: {thread: {first: false}}, then: [label: Again]}"
ANSWERED = "  - {id: a, when: {thread: {replied_by_us: true}}, then: [label: Known]}"


def days(*counts: float) -> Iterator[timedelta]:
    return (timedelta(days=count) for count in counts)


def test_who_was_answered_is_answered_again_when_the_window_is_over() -> None:
    mail = [letter(str(at), at=day) for at, day in enumerate(days(0, 3, 6.9, 7, 13))]
    with run(mail, REPLY) as report:
        assert done(report) == {
            "0": ["r reply"],
            "1": ["r reply!"],
            "2": ["r reply!"],
            "3": ["r reply"],
            "4": ["r reply!"],
        }
        assert (report.tallies[0].actions["reply"], report.tallies[0].held) == (2, 3)


def test_mail_is_gone_through_as_it_arrived_whatever_the_order_of_the_archive() -> None:
    mail = [letter("late", at=timedelta(days=1)), letter("early")]
    with run(mail, REPLY) as report:
        assert list(done(report).items()) == [("early", ["r reply"]), ("late", ["r reply!"])]


def test_copies_count_within_their_window() -> None:
    mail = [letter(str(at), ident="same", at=day) for at, day in enumerate(days(0, 1, 30))]
    with run(mail, TWICE) as report:
        assert done(report) == {"1": ["d trash"]}


def test_a_rate_counts_what_came_in_the_hour_before() -> None:
    hours = (0, 0.1, 0.2, 0.3, 3)
    mail = [letter(str(at), at=timedelta(hours=hour)) for at, hour in enumerate(hours)]
    with run(mail, MANY) as report:
        assert done(report) == {"2": ["m label"], "3": ["m label"]}


def test_threads_are_told_from_the_messages_own_fields() -> None:
    mail = [
        letter("answer", cites="question", at=timedelta(hours=1)),
        letter("question"),
        letter("other", at=timedelta(hours=2)),
    ]
    with run(mail, NEXT) as report:
        assert done(report) == {"answer": ["n label"]}


def test_what_a_rule_answered_counts_in_the_thread() -> None:
    mail = [letter("q"), letter("again", cites="q", at=timedelta(hours=1))]
    with run(mail, f"{REPLY}\n{ANSWERED}") as report:
        assert done(report) == {"q": ["r reply"], "again": ["r reply!", "a label"]}


def test_the_guard_holds_what_it_would_hold() -> None:
    mail = [letter("robot", sender="no-reply@x.example"), letter("self", sender=BOX)]
    with run(mail, REPLY) as report:
        assert done(report) == {"robot": ["r reply!"], "self": ["r reply!"]}


def test_mail_without_a_date_is_judged_as_if_it_came_now() -> None:
    rule = "  - {id: old, when: {received: {older_than: 1d}}, then: [label: Old]}"
    with run([letter("dated"), letter("undated", undated=True)], rule) as report:
        assert done(report) == {}
        assert report.last == in_ms(NOW)


def test_what_cannot_be_read_is_named_and_not_counted() -> None:
    with run([Archived("x.eml", error="empty"), letter("1", subject="order 7")], FILE) as report:
        assert (report.messages, report.unreadable) == (1, [("x.eml", "empty")])


def test_a_broken_part_leaves_a_rule_undecided() -> None:
    raw = letter("1").raw.replace(b"\r\n\r\n", b"\r\nContent-Type: application/pkcs7-mime\r\n\r\n")
    rule = "  - {id: b, when: {body: {contains: x}}, then: [label: B]}"
    with run([Archived("1", raw)], rule) as report:
        assert done(report) == {"1": ["b?"]}
        assert report.tallies[0].undecided == 1


def test_two_versions_show_what_changes_alone() -> None:
    mail = [letter("1", subject="order 7"), letter("2", at=timedelta(hours=1))]
    with run(mail, f"{REPLY}\n{FILE}", REPLY) as report:
        assert (done(report), done(report, 1)) == ({"1": ["r reply", "f label"]}, {"1": ["r reply"]})
        assert [tally.actions["label"] for tally in report.tallies] == [1, 0]


def test_each_version_has_a_memory_of_its_own() -> None:
    mail = [letter("1"), letter("2", at=timedelta(days=2))]
    shorter = REPLY.replace("7d", "1d")
    with run(mail, shorter, REPLY) as report:
        assert (done(report)["2"], done(report, 1)["2"]) == (["r reply"], ["r reply!"])


LETTERS = st.lists(
    st.builds(
        lambda sender, subject, minutes, ident: (sender, subject, minutes, ident),
        st.sampled_from(["ann@x.example", "bob@x.example", BOX, "no-reply@x.example"]),
        st.sampled_from(["hello", "order 7"]),
        st.integers(0, 10_000),
        st.integers(0, 5),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(letters=LETTERS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_archive_does_not_matter(letters: list[tuple[str, str, int, int]], order) -> None:  # type: ignore[no-untyped-def]
    minutes = {minute: one for one in letters for minute in [one[2]]}
    mail = [
        letter(f"{minute}", sender=sender, subject=subject, at=timedelta(minutes=minute), ident=f"i{ident}")
        for minute, (sender, subject, _, ident) in sorted(minutes.items())
    ]
    shuffled = list(mail)
    order.shuffle(shuffled)
    rules = "\n".join([REPLY, TWICE, MANY, FILE, NEXT, ANSWERED])
    with run(mail, rules) as one, run(shuffled, rules) as other:
        assert _all(one) == _all(other)


def _all(report: Report) -> tuple[object, list[Shown]]:
    return [tally.as_dict() for tally in report.tallies], list(report.shown)


@pytest.mark.parametrize("jobs", [2, 3], ids=lambda jobs: f"{jobs} processes")
def test_several_processes_give_the_answer_of_one(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "WORTH_STARTING", 10)
    monkeypatch.setattr(crew, "CHUNK", 7)
    mail = [
        letter(
            f"m{at}",
            sender=f"p{at % 7}@x.example",
            subject="order 7" if at % 3 else "hello",
            at=timedelta(minutes=(at * 7919) % 5000),
            ident=f"i{at % 90}",
            cites=f"i{at % 11}",
        )
        for at in range(120)
    ]
    rules = "\n".join([REPLY, TWICE, MANY, FILE, NEXT, ANSWERED])
    with run(mail, rules, REPLY) as alone, run(mail, rules, REPLY, jobs=jobs) as together:
        assert _all(alone) == _all(together)
        assert len(alone.shown) > 50
