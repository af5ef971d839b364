"""What stands before every send, at the moment of sending: budgets, throttle, suppression, the brake."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.errors import Unavailable
from engine.flow.approvals import Decision, Standing
from engine.flow.recorded import Recorded
from engine.flow.stores import Claim
from engine.mail.headers import parse_headers
from engine.rules.budgets import DEFAULTS, Budgets, window_of
from engine.rules.reach import recipients
from engine.store.approvals import RedisApprovals
from engine.store.brake import pause_sends, resume_sends
from tests.flow.conftest import World
from tests.flow.fakes import mail

REPLY = "{when: {label: INBOX}, then: [reply: hi]}"
HOUR_MS = 3_600_000
ONE_AN_HOUR = (window_of(1, 3_600),)


async def arrive(world: World, *raws: bytes) -> list[Recorded]:
    """Let messages come in, one after another; give all runs, each carried out once."""
    for raw in raws:
        world.provider.deliver(f"{len(world.provider.messages) + 1}", raw)
        await world.read_and_drain()
    await world.execute_all()
    return await world.runs()


def outcomes(runs: list[Recorded], step: int = 0) -> list[str]:
    return [one.receipts[step]["outcome"] if step in one.receipts else "open" for one in runs]


def written_to(world: World) -> list[tuple[str, str]]:
    """To and Cc of all that was sent."""
    sent = [parse_headers(raw) for raw in world.provider.sent]
    return [(headers.text("To"), headers.text("Cc")) for headers in sent]


async def test_one_correspondent_is_answered_so_often_and_the_run_says_why_not_more(world: World) -> None:
    world.budgets = replace(DEFAULTS, recipient=(window_of(2, 3_600),))
    await world.rules(REPLY.replace("reply: hi", "{reply: hi}, {label: Seen}"))
    runs = await arrive(world, *[mail(f"m{n}") for n in range(4)], mail("other", sender="bob@x.example"))
    assert outcomes(runs) == ["done", "done", "held", "held", "done"]
    assert outcomes(runs, 1) == ["done"] * 5, "a run goes on behind a send that is held"
    said = "ann@x.example: outbound.budgets.recipient allows 2/1h; so far 2"
    assert [one.receipts[0].get("why") for one in runs[2:4]] == [said, said]
    assert {one.state for one in runs} == {"done"}


@pytest.mark.parametrize(
    ("senders", "sent"),
    [
        pytest.param(
            ["ann@x.example", "ANN+1@X.example.", '"ann+2"@x.example'], 1, id="one person's addresses"
        ),
        pytest.param(["ann+ops@x.example", "ann@x.example", "ann+1@x.example"], 2, id="a budget of its own"),
        pytest.param([f"{'é' * 20_000} <ann@x.example>", "ann@x.example"], 1, id="a name of great length"),
    ],
)
async def test_who_is_written_to_is_known_however_the_address_is_written(
    world: World, senders: list[str], sent: int
) -> None:
    ops = ("ann+ops@x.example", recipients((), ["ann+ops@x.example"]), (window_of(3, 3_600),))
    world.budgets = replace(DEFAULTS, recipient=ONE_AN_HOUR, named=(ops,))
    await world.rules(REPLY)
    await arrive(world, *(mail(f"m{n}", sender=sender) for n, sender in enumerate(senders)))
    assert len(world.provider.sent) == sent


async def test_a_send_counts_over_all_rules_and_whatever_set_it_off(world: World) -> None:
    world.budgets = replace(DEFAULTS, named=(("@x.example", recipients((), ["x.example"]), ONE_AN_HOUR),))
    await world.rules(REPLY, "{when: {label: INBOX}, then: [send: {template: hi, to: [ANN@X.example]}]}")
    runs = await arrive(world, mail("order"))
    assert outcomes(runs) == ["done", "held"]
    assert "outbound.budgets.named.@x.example" in runs[1].receipts[0]["why"]


@pytest.mark.parametrize("kind", ["rule", "mailbox"])
async def test_rules_and_mailboxes_have_budgets_as_well(world: World, kind: str) -> None:
    world.budgets = Budgets(rule=ONE_AN_HOUR) if kind == "rule" else Budgets(mailbox=ONE_AN_HOUR)
    await world.rules(REPLY)
    runs = await arrive(world, mail("a"), mail("b", sender="bob@x.example"))
    assert outcomes(runs) == ["done", "held"]
    assert runs[1].receipts[0]["why"] == f"outbound.budgets.{kind} allows 1/1h; so far 1"


async def test_a_rule_that_switches_budgets_off_is_not_held(world: World) -> None:
    world.budgets = replace(DEFAULTS, recipient=ONE_AN_HOUR)
    guard = "guard: {off: budget, reason: a paging gateway}"
    await world.rules(f"{{when: {{label: INBOX}}, then: [reply: {{template: hi, {guard}}}]}}")
    assert outcomes(await arrive(world, mail("a"), mail("b"))) == ["done", "done"]


async def test_two_workers_at_once_let_one_pass(world: World) -> None:
    world.budgets = replace(DEFAULTS, recipient=ONE_AN_HOUR)
    await world.rules(REPLY)
    for n in range(6):
        world.provider.deliver(str(n), mail(f"m{n}"))
    await world.read_and_drain()
    await asyncio.gather(*(world.execute(one.run.id) for one in await world.runs()))
    assert sorted(outcomes(await world.runs())) == ["done", *["held"] * 5]


async def test_a_death_between_gate_and_send_neither_counts_twice_nor_loses_the_mail(world: World) -> None:
    world.budgets = replace(DEFAULTS, recipient=ONE_AN_HOUR)
    await world.rules(REPLY)
    dying: dict[str, list[Exception]] = {"send": [asyncio.CancelledError()]}  # type: ignore[list-item]
    world.provider.failures = dying
    with pytest.raises(asyncio.CancelledError):
        await arrive(world, mail("a"))
    run = (await world.run()).run.id
    at = await world.execute(run)
    while at is not None:
        world.clock.now = at
        at = await world.execute(run)
    assert outcomes(await world.runs()) == ["done"]
    assert len(world.provider.sent) == 1
    assert outcomes(await arrive(world, mail("b"))) == ["done", "held"]


async def test_a_send_that_failed_is_counted_when_it_leaves(world: World) -> None:
    world.budgets = replace(DEFAULTS, recipient=ONE_AN_HOUR)
    await world.rules(REPLY)
    world.provider.failures = {"send": [Unavailable("down")]}
    await arrive(world, mail("a"))
    world.clock.forward(HOUR_MS // 2)
    await world.execute_all()
    world.clock.forward(HOUR_MS // 2)
    assert outcomes(await arrive(world, mail("b"))) == ["done", "held"]
    world.clock.forward(HOUR_MS // 2 + world.timeout)
    assert outcomes(await arrive(world, mail("c"))) == ["done", "held", "done"]


async def test_once_per_holds_what_was_decided_days_apart_and_would_leave_together(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, once_per: {sender: 1d}}]}")
    await pause_sends(world.base, "ann", "", world.clock())
    await arrive(world, mail("a"))
    world.clock.forward(25 * HOUR_MS)
    async for key in world.base.redis.scan_iter("postroom:once:*"):
        await world.base.redis.delete(key)  # Redis forgets it by its own clock.
    await arrive(world, mail("b"))
    await resume_sends(world.base, "ann", world.clock())
    await world.execute_all()
    runs = await world.runs()
    assert outcomes(runs) == ["done", "held"]
    assert runs[1].receipts[0]["why"] == "once_per allows 1/1d; so far 1"


class TestRecipients:
    """Of several recipients, those who may get nothing are left out, unless nobody is left to write to."""

    async def suppress(self, world: World, address: str) -> None:
        await world.base.redis.hset("postroom:suppressed", address, '{"since": 1, "why": "no such user"}')

    async def test_a_suppressed_correspondent_is_not_answered(self, world: World) -> None:
        await self.suppress(world, "ann@x.example")
        await world.rules(REPLY)
        (run,) = await arrive(world, mail("a", sender="Ann <ANN@x.example>"))
        assert run.receipts[0] == {
            "outcome": "held",
            "why": "ANN@x.example: it is suppressed: no such user",
        }
        assert world.provider.sent == []

    @pytest.mark.parametrize("listed", ["redis", "configuration"])
    async def test_a_fresh_tag_is_no_way_round_it(self, world: World, listed: str) -> None:
        if listed == "redis":
            await self.suppress(world, "ann@x.example")
        else:
            world.budgets = replace(DEFAULTS, never=recipients((), ["ann@x.example"]))
        await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, all: true}]}")
        tagged = mail("b", sender="cy@x.example", Cc="Ann+2@x.example, support+new@acme.example")
        first, second = await arrive(world, mail("a", sender="ann+1@x.example"), tagged)
        assert first.receipts[0]["why"].startswith("ann+1@x.example: ")
        assert written_to(world) == [("cy@x.example", "")]
        assert set(second.receipts[0]["left_out"].split(": ")) >= {"Ann+2@x.example"}

    async def test_an_answer_to_all_goes_without_who_is_suppressed(self, world: World) -> None:
        await self.suppress(world, "bob@x.example")
        await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, all: true}]}")
        (run,) = await arrive(world, mail("a", Cc="bob@x.example, Cy <cy@x.example>"))
        assert written_to(world) == [("ann@x.example", "Cy <cy@x.example>")]
        assert run.receipts[0]["left_out"] == "bob@x.example: it is suppressed: no such user"

    async def test_it_is_held_whole_where_whom_it_answers_may_get_nothing(self, world: World) -> None:
        await self.suppress(world, "ann@x.example")
        await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, all: true}]}")
        (run,) = await arrive(world, mail("a", Cc="cy@x.example"))
        assert (run.receipts[0]["outcome"], world.provider.sent) == ("held", [])

    async def test_of_a_list_of_fixed_recipients_the_others_are_written_to(self, world: World) -> None:
        world.budgets = replace(DEFAULTS, never=recipients((), ["gone.example"]))
        send = "send: {template: hi, to: [a@b.example, c@gone.example]}"
        await world.rules(f"{{when: {{label: INBOX}}, then: [{send}]}}")
        (run,) = await arrive(world, mail("a"))
        assert written_to(world) == [("a@b.example", "")]
        assert run.receipts[0]["left_out"] == "c@gone.example: nothing is sent there: outbound.suppress"


class TestThrottle:
    """What is beyond a throttle is held, by the rule as a whole or by what its key says."""

    HOST = "when: {subject: {regex: 'host (?P<host>[a-z]+)'}}"
    LIMIT = "throttle: {at_most: 1, per: 1h, key: '{{ captures.host }}'}"

    async def test_a_send_by_its_key(self, world: World) -> None:
        send = f"send: {{template: hi, to: [ops@acme.example], {self.LIMIT}}}"
        await world.rules(f"{{{self.HOST}, then: [{send}]}}")
        subjects = ("host a", "host a", "host b")
        runs = await arrive(world, *(mail(subject) for subject in subjects))
        assert outcomes(runs) == ["done", "held", "done"]
        assert runs[1].receipts[0]["why"] == "its throttle allows 1/1h; so far 1"
        world.clock.forward(HOUR_MS + world.timeout)
        assert outcomes(await arrive(world, mail("host a")))[-1] == "done"

    async def test_each_step_of_a_rule_by_itself(self, world: World) -> None:
        limit = "throttle: {at_most: 1, per: 1h}"
        sends = [f"{{send: {{template: hi, to: [{to}@acme.example], {limit}}}}}" for to in ("a", "b")]
        await world.rules(f"{{when: {{label: INBOX}}, then: [{', '.join(sends)}]}}")
        runs = await arrive(world, mail("a"), mail("b"))
        assert [outcomes(runs, step) for step in (0, 1)] == [["done", "held"]] * 2

    async def test_an_event(self, world: World) -> None:
        limit = "throttle: {at_most: 1, per: 1h}"
        await world.rules(f"{{when: {{label: INBOX}}, then: [emit: {{event: seen, {limit}}}]}}")
        assert outcomes(await arrive(world, mail("a"), mail("b"))) == ["done", "held"]


class TestBrake:
    """A person pauses sends: they wait, all else goes on."""

    RULES = "{when: {label: INBOX}, then: [{label: Seen}, {draft: {template: hi, reply: true}}, {reply: hi}]}"

    async def test_sends_wait_while_labels_and_drafts_go_on(self, world: World) -> None:
        await pause_sends(world.base, "ann@desk", "a flood", world.clock())
        await world.rules(self.RULES)
        (run,) = await arrive(world, mail("a"))
        assert "Seen" in world.provider.labels("1")
        assert (len(world.provider.drafts), len(world.provider.sent)) == (1, 0)
        assert run.state == "open"
        assert run.why.startswith("sends are paused since 2026-01-01T00:00:00+00:00 by ann@desk: a flood")

    async def test_what_waited_is_due_at_once_when_sends_go_on(self, world: World) -> None:
        await pause_sends(world.base, "ann", "", world.clock())
        await world.rules(self.RULES)
        (run,) = await arrive(world, mail("a"))
        world.clock.forward(60_000)
        assert await world.waking.runs(world.clock()) == 0, "nobody tries it over and over meanwhile"
        assert await resume_sends(world.base, "ann", world.clock()) is not None
        assert await world.waking.runs(world.clock()) == 1
        await world.execute(run.run.id)
        assert (await world.run()).state == "done"

    async def test_a_run_that_comes_to_wait_as_sends_go_on_is_due_at_once(self, world: World) -> None:
        await world.rules(REPLY)
        world.provider.deliver("1", mail("a"))
        await world.read_and_drain()
        run = (await world.run()).run.id
        claim = await world.journal.claim(run, world.clock(), world.clock() + 1_000, 0)
        assert isinstance(claim, Claim)
        assert await world.executing.gate.park(claim, "paused", world.clock()) == world.clock()
        await world.execute(run)
        assert len(world.provider.sent) == 1


async def test_a_send_that_was_looked_up_and_found_asks_for_nothing_more(world: World) -> None:
    world.budgets = Budgets(recipient=ONE_AN_HOUR)
    await world.rules(REPLY)
    world.provider.lost_answers = 1
    await arrive(world, mail("a"))
    run = (await world.run()).run.id
    await pause_sends(world.base, "ann", "", world.clock())
    world.clock.forward(HOUR_MS)
    at = await world.execute(run)
    while at is not None:
        world.clock.now = at
        at = await world.execute(run)
    assert (await world.run()).receipts[0]["how"] == "found"


async def test_what_a_person_approved_passes_the_gate_as_well(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, mode: approve}]}")
    (waiting,) = await arrive(world, mail("a"))
    await world.base.redis.hset("postroom:suppressed", "ann@x.example", '{"since": 1, "why": "no such user"}')
    await RedisApprovals(world.base).decide(waiting.run.id, Decision(Standing.APPROVED, "ann"), world.clock())
    await world.execute(waiting.run.id)
    (run,) = await world.runs()
    assert (run.receipts[0]["outcome"], world.provider.sent) == ("held", [])
    assert run.receipts[0]["why"] == "ann@x.example: it is suppressed: no such user"
