"""Rules in shadow on live mail: in the journal, and nowhere else."""

from __future__ import annotations

from engine.errors import Unavailable
from tests.flow.conftest import World
from tests.flow.fakes import BOX, mail

REPLY = "reply: {template: hi, once_per: {sender: 7d}}"
SHADOW = f"{{state: shadow, when: {{label: INBOX}}, then: [label: A, {REPLY}], stop: true}}"
LIVE = f"{{when: {{label: INBOX}}, then: [label: B, {REPLY}]}}"


async def test_a_rule_in_shadow_leaves_a_run_that_did_nothing(world: World) -> None:
    await world.rules(SHADOW, LIVE)
    world.provider.deliver("1", mail("hello"))
    await world.read_and_drain()
    shadow, live = await world.runs()
    assert (shadow.state, shadow.run.shadow, shadow.run.place) == ("done", True, 0)
    assert shadow.receipts == {0: {"outcome": "shadow"}, 1: {"outcome": "shadow"}}
    assert (live.state, live.run.shadow, live.run.held) == ("open", False, {})
    assert world.provider.changes == [(("1",), ("B",), ())]
    assert await world.base.redis.keys("*:once:*r1:*") == []


async def test_what_only_a_rule_in_shadow_reads_keeps_no_message_waiting(world: World) -> None:
    await world.rules(
        "{state: shadow, when: {all: [{label: INBOX}, {thread: {messages: {gt: 1}}}]}, then: [label: A]}",
        "{when: {label: INBOX}, then: [label: B]}",
    )
    world.provider.threads = {"1": "t"}
    world.provider.deliver("1", mail("hello"))
    world.provider.failures["thread"] = [Unavailable("down")]
    await world.read_and_drain()
    assert [(one.run.rule, one.state) for one in await world.runs()] == [("r2", "done")]
    assert await world.base.redis.hlen(world.base.key("waiting", BOX)) == 0
