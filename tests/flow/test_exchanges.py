"""Machines that answer each other without a sign of it: they go round a little, and then no more."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.flow.approvals import Decision, Standing
from engine.flow.outgoing import written_for
from engine.mail.headers import parse_headers
from engine.rules.budgets import DEFAULTS
from engine.store.approvals import RedisApprovals
from tests.flow.conftest import DAY_MS, World
from tests.flow.fakes import mail

REPLY = "{when: {label: INBOX}, then: [reply: hi]}"
HELD = "outbound.budgets.exchanges allows 2/1d; so far 2"
A, B = "a@x.example", "b@y.example"


def telling(to: str) -> str:
    return f"{{when: {{label: INBOX}}, then: [send: {{template: hi, to: {to}}}]}}"


async def arrive(world: World, *raws: bytes) -> list[list[str]]:
    """Let messages come in, one after another; of each, what became of its runs by rule."""
    world.budgets = DEFAULTS
    for raw in raws:
        world.provider.deliver(f"{len(world.provider.messages) + 1}", raw)
        await world.read_and_drain()
        await world.execute_all()
    found: dict[str, list[str]] = {}
    for one in await world.runs():
        found.setdefault(one.run.key, []).append(one.receipts[0].get("why", one.receipts[0]["outcome"]))
    return [found[key] for key in sorted(found, key=int)]


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param([mail(f"m{n}", A) for n in range(4)], id="one address"),
        pytest.param([mail(f"m{n}", f"a+{n}@x.example") for n in range(4)], id="a fresh tag each time"),
        pytest.param(
            [mail(f"m{n}", A, Reply_To=f"t{n}@x.example") for n in range(4)],
            id="answers wanted at a fresh address each time",
        ),
        pytest.param(
            [mail(f"m{n}", A, Reply_To=f"t{n}@n{n}.desk.example") for n in range(4)],
            id="answers wanted at a fresh address of another domain",
        ),
        pytest.param(
            [
                mail(f"m{n}", A, Reply_To=f"t{n}@y{n}.org", In_Reply_To=f"<{n}.0.postroom@z>")
                for n in range(4)
            ],
            id="answers to mail of ours, wanted anywhere",
        ),
        pytest.param(
            [mail(f"m{n}", f"a{n}@x.example", Reply_To=B) for n in range(4)],
            id="answers to somebody whom others name",
        ),
        pytest.param(
            [mail(f"m{n}", f"a{n}@x.example", Reply_To=f"{'a@[], ' * 9}{B}") for n in range(4)],
            id="somebody named behind others who cannot be answered",
        ),
    ],
)
async def test_a_machine_that_answers_everything_is_answered_twice_a_day(
    world: World, answered: list[bytes]
) -> None:
    await world.rules(REPLY, REPLY)
    *_, third, fourth = done = await arrive(world, *answered)
    assert done[:2] == [["done", "done"], ["done", "done"]], "several rules may answer one message"
    assert all(HELD in why for why in (*third, *fourth))
    assert await arrive(world, mail("other", "c@z.example")) == [*done, ["done", "done"]]
    world.clock.forward(DAY_MS + 120_000)
    assert (await arrive(world, answered[0]))[-1] == ["done", "done"]


async def test_all_who_fill_in_a_form_are_answered_each_as_often_as_anybody(world: World) -> None:
    await world.rules(REPLY)
    visitors = [
        "v1@gmail.com",
        "v2@gmail.com",
        "v3@gmail.com",
        "a@firm.co.uk",
        "b@other.co.uk",
        "v1@gmail.com",
    ]
    forms = [mail(f"m{n}", "form@shop.co.uk", Reply_To=visitor) for n, visitor in enumerate(visitors)]
    done = await arrive(world, *forms, mail("again", "form@shop.co.uk", Reply_To="v1@gmail.com"))
    assert done[:-1] == [["done"]] * 6
    assert HELD in done[-1][0]


async def test_what_a_person_approves_goes_as_often_as_it_is_approved(world: World) -> None:
    await world.rules("{when: {label: INBOX}, then: [reply: {template: hi, mode: approve}]}")
    world.budgets = DEFAULTS
    for n in range(4):
        world.provider.deliver(f"{n}", mail(f"m{n}", A))
    await world.read_and_drain()
    await world.execute_all()
    for one in await world.runs():
        await RedisApprovals(world.base).decide(one.run.id, Decision(Standing.APPROVED, "ann"), world.clock())
    await world.execute_all()
    assert [one.receipts[0]["outcome"] for one in await world.runs()] == ["done"] * 4


async def test_what_is_done_to_one_message_again_and_again_is_as_many_messages(world: World) -> None:
    world.budgets = DEFAULTS
    await world.rules("{event: label.added, when: {label: Again}, then: [reply: hi]}")
    world.provider.deliver("1", mail("m", A))
    await world.read_and_drain()
    for _ in range(4):
        world.provider.relabel("1", add=["Again"])
        world.provider.relabel("1", remove=["Again"])
        world.provider.relabel("1", add=["Again"])
        await world.read_and_drain()
        await world.execute_all()
    assert len(world.provider.sent) == 2


async def test_a_circle_over_two_is_held_as_well(world: World) -> None:
    await world.rules(f"{{when: {{from: {A}}}, then: [send: {{template: hi, to: {B}}}]}}",
                      f"{{when: {{from: {B}}}, then: [send: {{template: hi, to: {A}}}]}}")  # fmt: skip
    turns = [mail(f"m{n}", (A, B)[n % 2]) for n in range(8)]
    done = await arrive(world, *turns)
    assert done[:4] == [["done"]] * 4, "the first closes no circle yet"
    assert all(HELD in why for (why,) in done[4:])


async def test_who_is_led_round_by_others_is_answered_less_often(world: World) -> None:
    """What the second message asked for is held, and the window of the first ends, before B answers."""
    await world.rules(f"{{when: {{from: {A}}}, then: [{{reply: hi}}, {{send: {{template: hi, to: {B}}}}}]}}",
                      f"{{when: {{from: {B}}}, then: [send: {{template: hi, to: {A}}}]}}")  # fmt: skip
    await arrive(world, mail("m0", A))
    world.clock.forward(DAY_MS - 60_000)
    await arrive(world, mail("m1", A))
    world.clock.forward(300_000)
    done = await arrive(world, mail("back", B), mail("m2", A))
    assert done[-2] == ["done"]
    assert HELD in done[-1][0]


async def test_colleagues_who_are_told_of_each_other_do_not_use_up_each_others_turns(world: World) -> None:
    """Each writes twice a day; until then, each gets what all others write."""
    desk = [f"c{n}@x.example" for n in range(4)]
    await world.rules(telling(f"[{', '.join(desk)}]"))
    await arrive(world, *[mail(f"m{n}", desk[n % 4]) for n in range(8)])
    got = Counter(one.address for raw in world.provider.sent for one in written_for(parse_headers(raw)))
    assert set(got) == set(desk)
    assert got == {"c0@x.example": 4, "c1@x.example": 5, "c2@x.example": 6, "c3@x.example": 7}


async def test_who_was_answered_twice_leads_round_by_no_other_way(world: World) -> None:
    await world.rules(f"{{when: {{from: {A}}}, then: [reply: hi]}}",
                      f"{{when: {{subject: {{contains: round}}}}, then: [send: {{template: hi, to: {B}}}]}}",
                      f"{{when: {{from: {B}}}, then: [send: {{template: hi, to: {A}}}]}}")  # fmt: skip
    done = await arrive(world, mail("m0", A), mail("m1", A), mail("m2", B), mail("round m3", A))
    assert done[:3] == [["done"]] * 3
    assert [HELD in why for why in done[3]] == [True, True]


async def test_who_went_round_too_often_is_led_round_by_nobody_else(world: World) -> None:
    """The third message of A is told to B before anything of B's led to A."""
    await world.rules(f"{{when: {{from: {A}}}, then: [{{reply: hi}}, {{send: {{template: hi, to: {B}}}}}]}}",
                      f"{{when: {{from: {B}}}, then: [send: {{template: hi, to: {A}}}]}}")  # fmt: skip
    done = await arrive(world, *[mail(f"m{n}", A) for n in range(3)], mail("back", B))
    assert [HELD in why for (why,) in done] == [False, False, True, True]
    assert len([raw for raw in world.provider.sent if parse_headers(raw).text("To") == B]) == 3


async def test_what_nobody_answers_is_told_however_often_it_is(world: World) -> None:
    await world.rules(telling(B))
    assert await arrive(world, *[mail(f"m{n}", A) for n in range(6)]) == [["done"]] * 6


async def test_a_rule_that_switches_budgets_off_goes_on(world: World) -> None:
    guard = "guard: {off: budget, reason: a partner orders by mail}"
    await world.rules(f"{{when: {{label: INBOX}}, then: [reply: {{template: hi, {guard}}}]}}")
    assert await arrive(world, *[mail(f"m{n}", A) for n in range(4)]) == [["done"]] * 4
