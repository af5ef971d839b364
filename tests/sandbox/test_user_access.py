"""A user's consent: codes, refresh tokens that are good once, and the one mailbox they reach."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from engine.sandbox.tokens import CODE_LIFE, LIFE, REFRESH_LIFE
from tests.sandbox.driving import ANN, BOB, Driver

GOOD = ("sandbox", "sandbox")
BACK = "http://app.example/back?tenant=7"


async def ask(driver: Driver, **fields: str) -> httpx.Response:
    return await driver.http.post("/oauth/token", data=fields, auth=GOOD)


async def refresh(driver: Driver, token: str) -> httpx.Response:
    return await ask(driver, grant_type="refresh_token", refresh_token=token)


async def redeem(driver: Driver, code: str, **fields: str) -> httpx.Response:
    return await ask(driver, grant_type="authorization_code", code=code, **fields)


async def consent(driver: Driver, mailbox: str = ANN) -> dict[str, Any]:
    """What a user's first refresh gives."""
    granted = await driver.control("grant", {"mailbox": mailbox})
    response = await refresh(driver, granted["refresh_token"])
    assert response.status_code == 200, response.text
    return dict(response.json())


def sign_in(driver: Driver, tokens: dict[str, Any]) -> None:
    driver.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"


def refused(response: httpx.Response) -> tuple[int, str, int]:
    assert response.json()["reason"]
    return response.status_code, response.json()["error"], response.json()["code"]


async def test_each_refresh_gives_a_new_token_and_ends_the_old_one(driver: Driver) -> None:
    first = await consent(driver)
    second = (await refresh(driver, first["refresh_token"])).json()
    assert (second["token_type"], second["expires_in"], second["api_url"]) == (
        "bearer",
        LIFE,
        "http://sandbox",
    )
    assert second["refresh_token"] != first["refresh_token"]
    again = await refresh(driver, first["refresh_token"])
    assert refused(again) == (400, "invalid_grant", 4735)
    assert again.json()["reason"] == "Invalid Token!"
    assert (await refresh(driver, second["refresh_token"])).status_code == 200


async def test_an_access_token_outlives_the_refresh_that_follows(driver: Driver) -> None:
    first = await consent(driver)
    await refresh(driver, first["refresh_token"])
    sign_in(driver, first)
    await driver.get("/profile", "me")


async def test_a_refresh_whose_answer_is_lost_has_ended_the_token(driver: Driver) -> None:
    first = await consent(driver)
    await driver.control("faults", [{"operation": "token", "drop_after": True}])
    with pytest.raises(httpx.ReadError):
        await refresh(driver, first["refresh_token"])
    assert refused(await refresh(driver, first["refresh_token"])) == (400, "invalid_grant", 4735)


async def test_a_code_is_good_once(driver: Driver) -> None:
    code = (await driver.control("grant", {"mailbox": ANN}))["code"]
    tokens = (await redeem(driver, code)).json()
    sign_in(driver, tokens)
    assert (await driver.get("/profile", "me"))["emailAddress"] == ANN
    assert refused(await redeem(driver, code)) == (400, "invalid_grant", 4733)
    assert (await refresh(driver, tokens["refresh_token"])).status_code == 200


async def test_a_new_consent_ends_what_the_earlier_one_gave(driver: Driver) -> None:
    old = await consent(driver)
    new = (await redeem(driver, (await driver.control("grant", {"mailbox": ANN}))["code"])).json()
    assert refused(await refresh(driver, old["refresh_token"])) == (400, "invalid_grant", 4741)
    sign_in(driver, old)
    assert (await driver.call("GET", "/profile", "me")).status_code == 401
    sign_in(driver, new)
    await driver.get("/profile", "me")


@pytest.mark.parametrize(
    ("after", "code", "refresh_token"),
    [
        pytest.param(CODE_LIFE - 1, 200, 200, id="both are good within five minutes"),
        pytest.param(CODE_LIFE + 1, 400, 200, id="a code lives five minutes"),
        pytest.param(REFRESH_LIFE + 1, 400, 400, id="a refresh token may lie idle for ninety days"),
    ],
)
async def test_codes_and_refresh_tokens_expire(
    driver: Driver, after: float, code: int, refresh_token: int
) -> None:
    for name, mailbox in (("code", ANN), ("refresh_token", BOB)):
        granted = (await driver.control("grant", {"mailbox": mailbox}))[name]
        now = driver.sandbox.store.clock()
        driver.sandbox.store.clock = lambda now=now: now + after  # type: ignore[misc]
        answer = await (redeem if name == "code" else refresh)(driver, granted)
        driver.sandbox.store.clock = lambda now=now: now  # type: ignore[misc]
        assert answer.status_code == (code if name == "code" else refresh_token)


@pytest.mark.parametrize(
    ("mailbox", "status"),
    [
        pytest.param("me", 200, id="me is the user's own mailbox"),
        pytest.param(ANN, 200, id="so is their own address"),
        pytest.param(ANN.upper(), 200, id="in any case"),
        pytest.param(BOB, 400, id="somebody else's is out of reach"),
        pytest.param("nobody@acme.example", 400, id="and so is nobody's"),
    ],
)
async def test_a_users_token_reaches_their_own_mailbox_alone(
    driver: Driver, mailbox: str, status: int
) -> None:
    sign_in(driver, await consent(driver))
    response = await driver.call("GET", "/messages", mailbox)
    assert response.status_code == status
    assert status == 200 or response.json()["code"] == 4711


async def test_the_accounts_token_must_name_the_mailbox(driver: Driver) -> None:
    assert (await driver.call("GET", "/messages", "me")).status_code == 400
    await driver.get("/messages", ANN)


async def test_codes_and_refresh_tokens_open_nothing(driver: Driver) -> None:
    granted = await driver.control("grant", {"mailbox": ANN})
    for value in granted.values():
        sign_in(driver, {"access_token": value})
        assert (await driver.call("GET", "/profile", "me")).status_code == 401
    swapped = await redeem(driver, granted["refresh_token"]), await refresh(driver, granted["code"])
    assert [answer.status_code for answer in swapped] == [400, 400]


@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
async def test_a_revoked_token_ends_the_whole_consent(driver: Driver, name: str) -> None:
    tokens, other = await consent(driver), await consent(driver, BOB)
    answer = await driver.http.post("/oauth/revoke", data={"token": tokens[name]}, auth=GOOD)
    assert answer.json() == {"status": "success"}
    assert refused(await refresh(driver, tokens["refresh_token"])) == (400, "invalid_grant", 4741)
    sign_in(driver, tokens)
    assert (await driver.call("GET", "/profile", "me")).status_code == 401
    sign_in(driver, other)
    await driver.get("/profile", "me")


@pytest.mark.parametrize(
    ("auth", "token", "status"),
    [
        pytest.param(("sandbox", "wrong"), "", 401, id="by a stranger"),
        pytest.param(GOOD, "nothing", 400, id="of an unknown token"),
    ],
)
async def test_a_revocation_is_refused(
    driver: Driver, auth: tuple[str, str], token: str, status: int
) -> None:
    answer = await driver.http.post("/oauth/revoke", data={"token": token}, auth=auth)
    assert answer.status_code == status


async def test_control_revokes_one_consent_or_all(driver: Driver) -> None:
    ann, bob = await consent(driver), await consent(driver, BOB)
    await driver.control("revoke-tokens", {"mailbox": ANN})
    assert refused(await refresh(driver, ann["refresh_token"])) == (400, "invalid_grant", 4741)
    bob = (await refresh(driver, bob["refresh_token"])).json()
    await driver.control("revoke-tokens")
    assert refused(await refresh(driver, bob["refresh_token"])) == (400, "invalid_grant", 4741)


async def test_authorize_sends_a_code_back_at_once(driver: Driver) -> None:
    asked = {"response_type": "code", "client_id": "sandbox", "redirect_uri": BACK, "state": "s&1"}
    answer = await driver.http.get("/oauth/authorize", params=asked | {"mailbox": BOB})
    assert answer.status_code == 302
    place = urlsplit(answer.headers["location"])
    back = parse_qs(place.query)
    assert (place.netloc, place.path, back["tenant"], back["state"]) == (
        "app.example",
        "/back",
        ["7"],
        ["s&1"],
    )
    (code,) = back["code"]
    assert refused(await redeem(driver, code)) == (400, "invalid_request", 4709)
    sign_in(driver, (await redeem(driver, code, redirect_uri=BACK)).json())
    assert (await driver.get("/profile", "me"))["emailAddress"] == BOB


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"client_id": "other"}, id="by another app"),
        pytest.param({"response_type": "token"}, id="for another flow"),
        pytest.param({"redirect_uri": "nowhere"}, id="without a way back"),
        pytest.param({"mailbox": "nobody@acme.example"}, id="by nobody"),
    ],
)
async def test_authorize_refuses(driver: Driver, change: dict[str, str]) -> None:
    asked = {"response_type": "code", "client_id": "sandbox", "redirect_uri": BACK} | change
    assert (await driver.http.get("/oauth/authorize", params=asked)).status_code == 400
