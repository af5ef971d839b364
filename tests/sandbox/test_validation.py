"""The endpoint's proof that it knows the secret, asked for every 72 hours."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.driving import mail
from tests.sandbox.receiving import Receiver, settle, subscribed
from tests.waiting import wait_for


class Failing(Receiver):
    """An endpoint that cannot prove itself until it is mended."""

    mended = False

    def prove(self, token: str) -> httpx.Response:
        return super().prove(token) if self.mended else httpx.Response(500)


async def test_the_endpoint_is_asked_again_every_72_hours() -> None:
    receiver = Receiver()
    with subscribed(receiver) as driver:
        asked: list[str] = []
        receiver.validation = lambda token: asked.append(token) or receiver.prove(token)  # type: ignore[func-returns-value]
        start, hooks = driver.sandbox.store.clock(), driver.sandbox.webhooks
        for hours, times in ((71, 0), (73, 1), (74, 1), (146, 2)):
            driver.sandbox.store.clock = lambda hours=hours: start + hours * 3600  # type: ignore[misc]
            await hooks.revalidate()
            assert len(asked) == times
        assert (hooks.validated, hooks.failures) == (True, 0)


async def test_six_failed_validations_disable_the_subscription() -> None:
    receiver = Failing()
    with subscribed(receiver) as driver:
        seen = []
        for _ in range(7):
            await driver.control("validate", {"scheduled": True})
            state = await driver.look("webhook")
            seen.append((state["failures"], state["warned"], state["disabled"]))
        assert [failures for failures, _, _ in seen] == [1, 2, 3, 4, 5, 6, 6]
        assert [warned for _, warned, _ in seen] == [0, 1, 1, 2, 2, 2, 2]
        assert [disabled for _, _, disabled in seen] == [False] * 5 + [True] * 2
        await driver.deliver(mail())
        assert (await settle(driver))["delivered"] == 0
        receiver.mended = True
        assert await driver.control("validate") == {"validated": True}
        await driver.deliver(mail())
        assert (await settle(driver))["delivered"] == 1


async def test_a_success_begins_the_count_of_failures_anew() -> None:
    receiver = Failing()
    with subscribed(receiver) as driver:
        for mended in (False, False, True, False):
            receiver.mended = mended
            await driver.control("validate", {"scheduled": True})
        assert (await driver.look("webhook"))["failures"] == 1


async def test_a_validation_by_hand_that_fails_is_not_counted() -> None:
    with subscribed(Failing()) as driver:
        assert await driver.control("validate") == {"validated": False}
        assert (await driver.look("webhook"))["failures"] == 0


async def test_a_running_sandbox_revalidates_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.sandbox.webhooks.LOOK_EVERY_S", 0.01)
    with subscribed(Failing(), revalidate_every=0.01) as driver:
        async with driver.app.router.lifespan_context(driver.app):
            await wait_for(lambda: driver.sandbox.webhooks.disabled, what="the subscription's end")
