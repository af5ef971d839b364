"""`once_per`: nobody is answered twice by one rule within its window."""

from __future__ import annotations

from engine.flow.guard import once_key
from engine.mail.mime import from_raw
from engine.rules.effects import SendMessage
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

ONCE = "{id: once, when: {subject: {contains: order}}, then: [reply: {template: hi, once_per: {sender: 7d}}]}"
OTHER = (
    "{id: other, when: {subject: {contains: order}}, then: [reply: {template: hi, once_per: {sender: 1d}}]}"
)
EFFECT = SendMessage(template="hi", reply=True)
WEEK_MS = 7 * 86_400_000


async def answered(world: World) -> list[tuple[str, str]]:
    """(message, rule) of the runs that send."""
    return [(one.run.key, one.run.rule) for one in await world.runs() if one.state == "open"]


async def test_one_answer_within_a_batch_to_the_first_message(world: World) -> None:
    await world.rules(ONCE)
    for key in "123":
        world.provider.deliver(
            key, mail("order", sender="Ann <ANN@x.example>" if key == "2" else "ann@x.example")
        )
    world.provider.deliver("4", mail("order", sender="bob@x.example"))
    await world.read_and_drain()
    assert await answered(world) == [("1", "once"), ("4", "once")]
    held = [one.receipts[0]["why"] for one in await world.runs() if one.run.key in "23"]
    assert held == ["this correspondent was answered by this rule within its window"] * 2


async def test_one_answer_across_batches(world: World) -> None:
    await world.rules(ONCE)
    for key in "12":
        world.provider.deliver(key, mail("order"))
        await world.read_and_drain()
    assert await answered(world) == [("1", "once")]


async def test_each_rule_has_its_own_window(world: World) -> None:
    await world.rules(ONCE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    await world.rules(ONCE, OTHER)
    world.provider.deliver("2", mail("order"))
    await world.read_and_drain()
    assert await answered(world) == [("1", "once"), ("2", "other")]


async def test_an_answer_goes_out_again_when_the_window_is_over(world: World) -> None:
    await world.rules(ONCE)
    world.provider.deliver("1", mail("order"))
    await world.read_and_drain()
    key = world.base.key("once", once_key(BOX, "once", EFFECT, from_raw(mail("order"), key="1")))
    assert WEEK_MS - 60_000 < await world.base.redis.pttl(key) <= WEEK_MS
    await world.base.redis.pexpire(key, 0)
    world.provider.deliver("2", mail("order"))
    await world.read_and_drain()
    assert await answered(world) == [("1", "once"), ("2", "once")]


async def test_mail_that_is_not_answered_anyway_takes_no_window(world: World) -> None:
    await world.rules(ONCE)
    world.provider.deliver("1", mail("order", Precedence="bulk"))
    world.provider.deliver("2", mail("order"))
    await world.read_and_drain()
    assert await answered(world) == [("2", "once")]


async def test_the_window_is_taken_by_whom_the_answer_goes_to(world: World) -> None:
    await world.rules(ONCE)
    world.provider.deliver("1", mail("order", sender="a@x.example", Reply_To="ann@x.example"))
    world.provider.deliver("2", mail("order", sender="ann@x.example"))
    world.provider.deliver("3", mail("order", sender="a@x.example"))
    await world.read_and_drain()
    assert await answered(world) == [("1", "once"), ("3", "once")]
