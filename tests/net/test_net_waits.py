"""A service's request to wait, in every form."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.net.waits import LONGEST_OTHERWISE_S, LONGEST_S, SHORTEST_S, is_daily, wait_until

NOW = datetime(2026, 2, 7, 12, 0, 0, tzinfo=UTC).timestamp()
IN_AN_HOUR = NOW + 3600


def until(**headers: str) -> float:
    return wait_until(httpx.Headers({k.replace("_", "-"): v for k, v in headers.items()}), NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("120", NOW + 120, id="whole seconds"),
        pytest.param(" 1.5 ", NOW + 1.5, id="seconds with a fraction and blanks"),
        pytest.param("Sat, 07 Feb 2026 13:00:00 GMT", IN_AN_HOUR, id="an HTTP date"),
        pytest.param("Saturday, 07-Feb-26 13:00:00 GMT", IN_AN_HOUR, id="the obsolete form of RFC 850"),
        pytest.param("2026-02-07T13:00:00Z", IN_AN_HOUR, id="an ISO date-time in UTC"),
        pytest.param("2026-02-07T14:00:00+01:00", IN_AN_HOUR, id="an ISO date-time of another zone"),
        pytest.param("2026-02-07T13:00:00.000", IN_AN_HOUR, id="an ISO date-time without a zone"),
        pytest.param(str(int(IN_AN_HOUR)), IN_AN_HOUR, id="an epoch time"),
        pytest.param(str(int(IN_AN_HOUR * 1000)), IN_AN_HOUR, id="an epoch time in milliseconds"),
        pytest.param("-5", NOW + SHORTEST_S, id="a negative delay"),
        pytest.param("0", NOW + SHORTEST_S, id="no delay at all"),
        pytest.param("2020-01-01T00:00:00Z", NOW + SHORTEST_S, id="a moment gone by"),
        pytest.param("2226-01-01T00:00:00Z", NOW + LONGEST_S, id="a moment two centuries off"),
        pytest.param("999999999", NOW + LONGEST_OTHERWISE_S, id="thirty years of seconds"),
        pytest.param("86400", NOW + LONGEST_OTHERWISE_S, id="a day of seconds that no daily limit explains"),
        pytest.param("nan", NOW + SHORTEST_S, id="not a number"),
        pytest.param("inf", NOW + SHORTEST_S, id="infinity"),
        pytest.param("soon", NOW + SHORTEST_S, id="a word"),
        pytest.param("9" * 5000, NOW + SHORTEST_S, id="five thousand digits"),
    ],
)
def test_retry_after_is_read(text: str, moment: float) -> None:
    assert until(Retry_After=text) == pytest.approx(moment)


def test_the_reset_header_counts_where_retry_after_says_nothing() -> None:
    assert until(X_RateLimit_Reset=str(int(IN_AN_HOUR))) == IN_AN_HOUR
    assert until(X_RateLimit_Reset=str(int(IN_AN_HOUR)), Retry_After="5") == NOW + 5
    assert until(X_RateLimit_Reset=str(int(IN_AN_HOUR)), Retry_After="?") == IN_AN_HOUR


def test_a_spent_day_lasts_until_midnight_utc() -> None:
    assert until(X_RateLimit_Type="Daily-limit") == NOW + 12 * 3600
    assert is_daily(httpx.Headers({"X-RateLimit-Type": "Daily-limit"}))
    assert not is_daily(httpx.Headers({"X-RateLimit-Type": "QPS"}))


def test_a_limit_of_calls_a_second_never_stops_us_for_a_day() -> None:
    for_a_day = "2026-02-08T12:00:00Z"
    assert until(Retry_After=for_a_day, X_RateLimit_Type="QPS") == NOW + LONGEST_OTHERWISE_S
    assert until(Retry_After=for_a_day, X_RateLimit_Type="Daily-limit") == NOW + 86_400
    assert until(Retry_After="40000", X_RateLimit_Type="Daily-limit") == NOW + 40_000
    assert until(Retry_After=for_a_day) == NOW + 86_400


def test_without_any_hint_the_next_second_is_tried() -> None:
    assert until() == NOW + SHORTEST_S


@given(st.text(), st.text())
@settings(max_examples=100)
def test_no_header_stops_us_for_ever_or_crashes(retry: str, reset: str) -> None:
    moment = wait_until({"retry-after": retry, "x-ratelimit-reset": reset}, NOW)
    assert NOW + SHORTEST_S <= moment <= NOW + LONGEST_S
