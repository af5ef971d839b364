"""The account's tokens, and rate limits."""

from __future__ import annotations

import pytest

from engine.sandbox.config import Rates
from engine.sandbox.failure import ApiError
from engine.sandbox.limits import DAY, Limiter
from engine.sandbox.tokens import LIFE
from tests.sandbox.driving import Driver, drive

GRANT = {"grant_type": "account_credentials", "account_id": "sandbox"}
GOOD = ("sandbox", "sandbox")


async def test_the_token_endpoint_gives_a_token_that_works(driver: Driver) -> None:
    response = await driver.http.post("/oauth/token", data=GRANT, auth=GOOD)
    answer = response.json()
    assert (answer["token_type"], answer["expires_in"], answer["api_url"]) == (
        "bearer",
        LIFE,
        "http://sandbox",
    )
    driver.http.headers["Authorization"] = f"Bearer {answer['access_token']}"
    await driver.get("/profile")


async def test_the_grant_may_stand_in_the_query(driver: Driver) -> None:
    response = await driver.http.post("/oauth/token", params=GRANT, auth=GOOD)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("auth", "data", "status", "error"),
    [
        pytest.param(("sandbox", "wrong"), GRANT, 401, "invalid_client", id="a wrong secret"),
        pytest.param(("wrong", "sandbox"), GRANT, 401, "invalid_client", id="a wrong client"),
        pytest.param(("", ""), GRANT, 401, "invalid_client", id="no credentials"),
        pytest.param(GOOD, GRANT | {"account_id": "x"}, 400, "invalid_request", id="a wrong account"),
        pytest.param(GOOD, {"grant_type": "password"}, 400, "unsupported_grant_type", id="another grant"),
        pytest.param(GOOD, {}, 400, "unsupported_grant_type", id="no grant"),
    ],
)
async def test_a_token_is_refused(
    driver: Driver, auth: tuple[str, str], data: dict[str, str], status: int, error: str
) -> None:
    del driver.http.headers["Authorization"]
    response = await driver.http.post("/oauth/token", data=data, auth=auth)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["reason"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic wrong", "Bearer \xff"])
async def test_a_call_without_a_good_token_is_refused(driver: Driver, header: str) -> None:
    response = await driver.call("GET", "/profile", headers={"Authorization": header.encode("latin-1")})
    assert (response.status_code, response.json()["code"]) == (401, 124)


async def test_tokens_expire_and_can_be_revoked(driver: Driver) -> None:
    now = driver.sandbox.store.clock()
    driver.sandbox.store.clock = lambda: now + LIFE + 1
    assert (await driver.call("GET", "/profile")).status_code == 401
    driver.sandbox.store.clock = lambda: now
    await driver.get("/profile")
    await driver.control("revoke-tokens")
    assert (await driver.call("GET", "/profile")).status_code == 401


async def test_a_token_stays_good_beside_a_newer_one(driver: Driver) -> None:
    await driver.http.post("/oauth/token", data=GRANT, auth=GOOD)
    await driver.get("/profile")


async def test_too_many_calls_in_a_second_are_refused() -> None:
    driver = drive(rates=Rates(light=2))
    try:
        driver.sandbox.store.clock = lambda: 1_000_000.5
        answers = [await driver.call("GET", "/profile") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
        assert "Retry-After" not in answers[2].headers
        assert answers[2].headers["X-RateLimit-Reset"] == "1000001"
        assert (await driver.call("GET", "/messages")).status_code == 200
        driver.sandbox.store.clock = lambda: 1_000_001.0
        assert (await driver.call("GET", "/profile")).status_code == 200
        assert (await driver.look("calls"))["limited"] == 1
    finally:
        driver.close()


def test_the_day_has_its_own_limit_for_heavy_calls() -> None:
    limiter = Limiter(Rates(heavy_daily=2))
    limiter.take("HEAVY", 10.0)
    limiter.take("HEAVY", 11.0)
    with pytest.raises(ApiError) as refused:
        limiter.take("HEAVY", 12.0)
    assert refused.value.headers["X-RateLimit-Type"] == "Daily-limit"
    assert refused.value.headers["Retry-After"] == "1970-01-02T00:00:00Z"
    assert "X-RateLimit-Reset" not in refused.value.headers
    assert limiter.take("MEDIUM", 12.0)["X-RateLimit-Category"] == "Medium"
    assert limiter.take("HEAVY", DAY + 1.0)["X-RateLimit-Remaining"] == "39"
