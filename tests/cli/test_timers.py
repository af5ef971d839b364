"""`timers`, as a person calls it."""

from __future__ import annotations

import json

from tests.cli.conftest import Console
from tests.flow.fakes import BOX

RULES = (
    "{id: wait, when: {label: INBOX}, then: [{reply: {template: hi, after: 2h}}]}",
    "{id: late, event: message.unanswered, after: 48h, when: {label: INBOX}, then: [{label: Late}]}",
)


async def waiting(console: Console) -> None:
    world = console.world
    await world.rules(*RULES)
    world.provider.deliver("m1")
    await world.read_and_drain()
    await world.execute_all()


async def test_what_is_pending_is_shown_the_next_first_and_cancelled(console: Console) -> None:
    assert (await console.call("timers")).stdout == "nothing is pending\n"
    await waiting(console)
    first, second = (await console.call("timers")).stdout.splitlines()
    assert first.endswith(f"{BOX}  step 0: send  wait  m1")
    assert second.endswith(f"{BOX}  message.unanswered after 2d  m1")
    told = json.loads((await console.call("timers", "--json", "--rule", "wait")).stdout)
    run = (await console.world.run()).run.id
    assert (told["due"], told["run"]) == ("2026-01-01T02:00:01+00:00", run)
    assert (await console.call("timers", "--limit", "1")).stdout.splitlines()[1] == "and 1 more"
    for line in (first, second):
        name = line.split()[0]
        assert (await console.call("timers", "--cancel", name)).stdout == f"{name} is cancelled\n"
    assert (await console.call("timers", "--mailbox", BOX)).stdout == "nothing is pending\n"
    missing = await console.call("timers", "--cancel", run)
    assert (missing.exit_code, "nothing pending is called" in missing.output) == (1, True)


async def test_status_counts_timers_and_those_that_nobody_fired(console: Console) -> None:
    await waiting(console)
    told = json.loads((await console.call("status", "--json")).stdout)
    assert told["timers"] == {"pending": 1, "overdue": 1}
    assert "1 timer (1 overdue)" in (await console.call("status")).stdout
