"""An account of one user: its consent in Redis, its mailbox as "me"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.responses import Response

from engine.errors import ConsentGone, ProviderError, Rejected, Unauthorized, Unavailable
from engine.flow.poll import poll
from engine.flow.ports import Provider
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.sandbox.config import SandboxConfig
from engine.settings import load_settings
from engine.store.grants import RedisGrant
from engine.wiring import open_office
from tests.providers.benches import BOX, OTHER, Bench, make_bench, make_provider, outgoing
from tests.providers.conftest import SERVED
from tests.providers.fakes import Desk, MemoryTokens

Worker = Callable[[str], Provider]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = make_bench(SandboxConfig(mailboxes=(BOX, OTHER), limits=False))
    yield made
    await made.control.aclose()


@pytest.fixture
async def worker(bench: Bench, redis: Redis) -> AsyncIterator[Worker]:
    """Makes the provider of one worker, from a refresh token."""
    made: list[Provider] = []

    def provider(seed: str) -> Provider:
        made.append(make_provider(bench.app, RedisGrant(redis, "test:grant:ann", seed), account=""))
        return made[-1]

    yield provider
    for each in made:
        await each.aclose()


async def consent(bench: Bench, mailbox: str = BOX) -> str:
    return str((await bench.do("grant", {"mailbox": mailbox}))["refresh_token"])


async def test_a_user_reads_and_writes_the_mailbox_as_me(bench: Bench, worker: Worker) -> None:
    provider = worker(await consent(bench))
    assert (await provider.profile(BOX)).addresses == {BOX}
    key = await bench.deliver()
    await provider.change_labels(BOX, [key], ["Finance"], ["INBOX"])
    assert await bench.labels(key) == {"UNREAD", "Finance"}
    await provider.send(BOX, outgoing())


async def test_many_workers_renew_one_after_the_other(bench: Bench, worker: Worker, redis: Redis) -> None:
    seed = await consent(bench)
    workers = [worker(seed) for _ in range(4)]
    for round_ in range(1, 4):
        await asyncio.gather(*(each.profile(BOX) for each in workers * 3))
        assert (await bench.calls())["token"] == round_
        await redis.delete("test:grant:ann:access")
        workers = [worker(seed) for _ in range(4)]


async def test_a_consent_that_was_taken_back_says_what_to_do(bench: Bench, worker: Worker) -> None:
    seed = await consent(bench)
    provider = worker(seed)
    await provider.profile(BOX)
    await bench.do("revoke-tokens")
    for _ in range(2):
        with pytest.raises(ConsentGone, match="must consent again"):
            await provider.profile(BOX)
    assert (await bench.calls())["token"] == 2
    again = worker(await consent(bench))
    assert (await again.profile(BOX)).status == "active"
    # Whoever still has the old configuration goes on with the new consent.
    assert (await worker(seed).profile(BOX)).status == "active"


async def test_an_answer_that_was_lost_leaves_the_consent_to_its_user(bench: Bench, worker: Worker) -> None:
    provider = worker(await consent(bench))
    await bench.do("faults", [{"operation": "token", "drop_after": True}])
    with pytest.raises((Unavailable, ConsentGone)):
        await provider.profile(BOX)
    with pytest.raises(ConsentGone):
        await provider.profile(BOX)


async def test_a_service_that_is_down_costs_no_consent(bench: Bench, worker: Worker) -> None:
    provider = worker(await consent(bench))
    await bench.do("faults", [{"operation": "token", "status": 503, "times": 3}])
    with pytest.raises(Unavailable):
        await provider.profile(BOX)
    assert (await provider.profile(BOX)).status == "active"


async def test_the_consent_of_another_user_is_refused(bench: Bench, worker: Worker) -> None:
    provider = worker(await consent(bench, OTHER))
    key = await bench.deliver(mailbox=OTHER)
    for call in (provider.profile(BOX), provider.change_labels(BOX, [key], ["STARRED"], [])):
        with pytest.raises(Unauthorized, match=f"sign in as {BOX}"):
            await call
    assert await bench.labels(key, OTHER) == {"INBOX", "UNREAD"}


async def test_an_alias_of_the_user_names_the_mailbox_too(bench: Bench, worker: Worker) -> None:
    await bench.do("mailboxes", {"mailbox": BOX, "aliases": ["help@acme.example"]})
    provider = worker(await consent(bench))
    assert (await provider.profile("Help@acme.example")).status == "active"


PROFILE = {"emailAddress": BOX, "historyId": "7"}


def granted(number: int, **more: Any) -> dict[str, Any]:
    return {"access_token": f"token-{number}", "refresh_token": f"refresh-{number}", **more}


@pytest.fixture
def desk() -> Desk:
    return Desk(tokens=MemoryTokens("refresh-0"))


async def test_a_refresh_token_is_what_is_asked_with(desk: Desk) -> None:
    desk.script.on("POST /oauth/token", granted(1), granted(2)).on("GET profile", 401, PROFILE)
    await desk.client.profile(BOX)
    bodies = [asked.body for asked in desk.script.calls("POST /oauth/token")]
    assert bodies == [b"grant_type=refresh_token&refresh_token=refresh-" + digit for digit in (b"0", b"1")]
    assert all(asked.headers["authorization"] for asked in desk.script.calls("POST /oauth/token"))


@pytest.mark.parametrize(
    ("status", "told", "kind"),
    [
        pytest.param(400, '{"reason":"Invalid Token!","error":"invalid_grant"}', ConsentGone, id="its word"),
        pytest.param(400, '{"code":4735,"message":"Invalid token."}', ConsentGone, id="an unknown token"),
        pytest.param(401, '{"code":"4741","message":"Revoked."}', ConsentGone, id="a revoked token"),
        pytest.param(401, '{"error":"invalid_client"}', Unauthorized, id="a wrong client secret"),
        pytest.param(400, "<html>", Unauthorized, id="no words at all"),
        pytest.param(500, '{"error":"invalid_grant"}', Unavailable, id="a service that is confused"),
    ],
)
async def test_a_consent_is_gone_when_the_service_says_so(
    desk: Desk, status: int, told: str, kind: type[Exception]
) -> None:
    desk.script.on("POST /oauth/token", Response(told, status))
    with pytest.raises(ProviderError) as caught:
        await desk.client.profile(BOX)
    assert type(caught.value) is kind


async def test_no_refresh_token_shows_in_an_error(desk: Desk) -> None:
    told = Response('{"error":"invalid_grant","reason":"refresh-0 is spent"}', 400)
    desk.script.on("POST /oauth/token", told)
    with pytest.raises(ConsentGone) as caught:
        await desk.client.profile(BOX)
    assert "refresh-0" not in f"{caught.value!r} {caught.value}"
    desk.script.on("POST /oauth/token", granted(1)).on("GET profile", Response("refresh-1 refresh-0", 400))
    with pytest.raises(Rejected) as other:
        await desk.client.profile(BOX)
    assert "refresh-" not in str(other.value)


async def test_an_answer_that_names_a_foreign_host_costs_no_consent() -> None:
    desk = Desk(base="", tokens=MemoryTokens("refresh-0"))
    desk.script.on("POST /oauth/token", granted(1, api_url="https://api.zoom.example"))
    for _ in range(2):
        with pytest.raises(Rejected, match=r"not https on zoom\.us"):
            await desk.client.profile(BOX)
    assert desk.tokens.refresh == "refresh-1"
    assert [asked.path for asked in desk.script.asked] == ["/oauth/token"]


async def test_whose_consent_it_is_is_asked_once(desk: Desk) -> None:
    client = ZoomMailClient(desk.client._caller, me=True)
    me = "/v2/emails/mailboxes/me"
    desk.script.on(f"GET {me}/profile", PROFILE).on(f"GET {me}/labels", {"labels": []})
    for _ in range(3):
        await client.labels(BOX)
    assert len(desk.script.calls(f"GET {me}/profile")) == 1
    assert len(desk.script.calls(f"GET {me}/labels")) == 3


async def test_a_mailbox_whose_consent_is_gone_is_paused_and_goes_on_with_a_new_one(
    tmp_path: Path, url: str, redis: Redis, redis_url: str
) -> None:
    settings = tmp_path / "postroom.yaml"
    settings.write_text(
        f"redis: {{url: '{redis_url}'}}\n"
        "accounts: {ann: {provider: zoom, grant: user, client_id: sandbox, client_secret: file:secret,"
        f" refresh_token: file:consent, url: '{url}'}}}}\n"
        f"mailboxes: {{{SERVED}: {{account: ann}}}}\n"
    )
    (tmp_path / "secret").write_text("sandbox")
    async with httpx.AsyncClient(base_url=f"{url}/_sandbox/", trust_env=False) as control:

        async def consent_and_poll() -> tuple[int, str]:
            granted = (await control.post("grant", json={"mailbox": SERVED})).json()
            (tmp_path / "consent").write_text(granted["refresh_token"])
            return await poll_again()

        async def poll_again() -> tuple[int, str]:
            async with open_office(load_settings(str(settings))) as office:
                await poll(office.polling, office.provider(SERVED), SERVED)
                return (await office.mailboxes.paused()).get(SERVED, (0, ""))

        assert await consent_and_poll() == (0, "")
        await control.post("revoke-tokens", json={})
        assert "must consent again" in (await poll_again())[1]
        assert "must consent again" in (await poll_again())[1]
        assert (await control.get("calls")).json()["operations"]["token"] == 2
        assert await consent_and_poll() == (0, "")
