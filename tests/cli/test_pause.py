"""`pause` and `resume`, as a person calls them, and what shows that sends wait."""

from __future__ import annotations

import json

from engine.store.brake import brake_log
from tests.cli.conftest import Console
from tests.flow.fakes import mail


async def test_a_person_pauses_sends_and_lets_them_go_on(console: Console) -> None:
    paused = await console.call("pause", "--reason", "wrong template")
    assert paused.exit_code == 0
    assert paused.stdout.startswith("sends are paused since 20")
    assert paused.stdout.endswith(": wrong template\n")
    again = await console.call("pause", "--reason", "once more")
    assert again.stdout == paused.stdout, "who comes second changes nothing"
    status = await console.call("status", "--json")
    told = json.loads(status.stdout)
    assert status.exit_code == 1
    assert told["sends_paused"]["why"] == "wrong template"
    assert f"{paused.stdout.strip()}; `postroom resume` lets them go on" in told["needs"]
    assert (await console.call("resume")).stdout == "sends go on\n"
    assert (await console.call("resume")).stdout == "sends were not paused\n"
    before = json.loads((await console.call("resume", "--json")).stdout)
    assert before == {"sends_paused": None, "before": None}
    assert [entry["did"] for entry in await brake_log(console.world.base)] == ["pause", "resume"]


async def test_a_backup_keeps_the_brake_and_what_was_counted(console: Console) -> None:
    world, file = console.world, console.config.with_name("backup.gz")
    await world.rules("{when: {label: INBOX}, then: [reply: hi]}")
    world.provider.deliver("1", mail("a"))
    await world.read_and_drain()
    await world.execute_all()
    counted = [key async for key in world.base.redis.scan_iter("postroom:gate:recipient:*")]
    await console.call("pause", "--reason", "moving house")
    assert (await console.call("backup", str(file))).exit_code == 0
    assert len(counted) == 1
    await world.base.redis.flushdb()
    restored = await console.call("restore", str(file))
    assert restored.exit_code == 0, restored.output
    assert json.loads((await console.call("pause", "--json")).stdout)["sends_paused"]["why"] == "moving house"
    assert [key async for key in world.base.redis.scan_iter("postroom:gate:recipient:*")] == counted


async def test_what_was_held_is_shown_with_the_reason(console: Console) -> None:
    world = console.world
    reply = "reply: {template: hi, throttle: {at_most: 1, per: 1h}}"
    await world.rules(f"{{when: {{label: INBOX}}, then: [{reply}]}}")
    for key in "12":
        world.provider.deliver(key, mail(key))
    await world.read_and_drain()
    await world.execute_all()
    (held,) = [one.run.id for one in await world.runs() if one.receipts[0]["outcome"] == "held"]
    shown = (await console.call("runs", held[:12])).stdout
    assert "    0: send held (why its throttle allows 1/1h; so far 1)" in shown
