"""Webhooks that are lost, late, doubled or overtaken."""

from __future__ import annotations

from typing import Any

import pytest

from engine.sandbox.unreliable import Unreliable, Ways
from tests.sandbox.driving import ANN, BOB, mail
from tests.sandbox.receiving import Receiver, settle, subscribed
from tests.waiting import wait_for


@pytest.mark.parametrize(
    ("told", "numbers", "done"),
    [
        pytest.param({}, [1, 2, 3], {}, id="in order"),
        pytest.param({"lose": 1}, [], {"lost": 3}, id="lost"),
        pytest.param({"duplicate": 1}, [1, 1, 2, 2, 3, 3], {"duplicated": 3}, id="twice"),
        pytest.param({"late": [1, 0.01]}, [1, 2, 3], {"late": 3}, id="late"),
        pytest.param({"lose": 1, "duplicate": 1}, [], {"lost": 3}, id="lost is lost"),
    ],
)
async def test_webhooks_suffer_what_is_asked_for(
    told: dict[str, Any], numbers: list[int], done: dict[str, int]
) -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.control("webhooks", told)
        heard: list[int] = []
        for number in (1, 2, 3):
            await driver.deliver(mail())
            settled = await settle(driver)
            heard += [number] * (len(receiver.requests) - len(heard))
        assert heard == numbers
        assert {key: settled[key] for key in ("lost", "duplicated", "reordered", "late")} == {
            "lost": 0, "duplicated": 0, "reordered": 0, "late": 0
        } | done  # fmt: skip


async def test_a_doubled_webhook_is_the_same_twice() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.control("webhooks", {"duplicate": 1})
        await driver.deliver(mail())
        await settle(driver)
        first, second = receiver.requests
        assert first.content == second.content


async def test_a_webhook_is_overtaken_by_the_next_one() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.control("webhooks", {"reorder": 1})
        await driver.deliver(mail(), ANN)
        await wait_for(lambda: driver.sandbox.webhooks.tasks, what="the first webhook to set out")
        await driver.control("webhooks", {})
        await driver.deliver(mail(), BOB)
        await settle(driver)
        assert [event["payload"]["object"]["email"] for event in receiver.events] == [BOB, ANN]


async def test_a_webhook_that_nothing_overtakes_comes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.webhooks.OVERTAKEN_S", 0.01)
    receiver = Receiver()
    with subscribed(receiver) as driver:
        await driver.control("webhooks", {"reorder": 1})
        await driver.deliver(mail())
        assert (await settle(driver))["delivered"] == 1


def test_a_seed_gives_the_same_ways_again() -> None:
    told = Unreliable(lose=0.1, duplicate=0.1, reorder=0.1, late=[0.1, 2], seed=7)
    ways, again = Ways(told), Ways(told)
    assert [ways.draw() for _ in range(500)] == [again.draw() for _ in range(500)]
    assert set(ways.done) == {"lost", "duplicated", "reordered", "late"}
    assert all(20 < number < 90 for number in ways.done.values())


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"lose": 2}, id="more than all"),
        pytest.param({"late": 0.1}, id="late by nothing"),
        pytest.param({"late": [2, 1]}, id="more than all of them late"),
        pytest.param({"break": 0.1}, id="an unknown fate"),
        pytest.param([], id="no object"),
    ],
)
async def test_a_wrong_fate_is_refused(told: object) -> None:
    with subscribed(Receiver()) as driver:
        assert (await driver.http.post("/_sandbox/webhooks", json=told)).status_code == 400
