"""Calls to other systems: what goes out, and where it never goes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from engine.errors import OutcomeUnknown, ProviderError, RateLimited, Rejected, Unavailable
from engine.net.public import is_public
from engine.services.http import Endpoint, HttpEndpoints, signature
from tests.services.listening import Other, listen

SECRET = "hush-" + "hush"


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    async with listen() as made:
        yield made


async def test_a_call_is_signed_and_keyed_and_its_body_arrives(other: Other) -> None:
    to = Endpoint(other.url, secret=SECRET, bearer="b-1", headers={"X-Team": "mail"}, private=True)
    endpoints = HttpEndpoints({"e": to}, clock=lambda: 1_000.0)
    assert await endpoints.call("e", b'{"a":"\xc3\xa9"}', "run-0") == (200, b"{}")
    await endpoints.aclose()
    ((headers, body),) = other.calls
    assert body == b'{"a":"\xc3\xa9"}'
    signed = hmac.new(SECRET.encode(), b"1000." + body, hashlib.sha256).hexdigest()
    assert headers["Postroom-Signature"] == f"t=1000,v1={signed}" == signature(SECRET, body, 1_000)
    assert headers["Idempotency-Key"] == "run-0"
    assert (headers["Authorization"], headers["X-Team"]) == ("Bearer b-1", "mail")
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "keyed", "error"),
    [
        pytest.param(400, False, Rejected, id="a refusal stays one"),
        pytest.param(302, False, Rejected, id="no redirect is followed"),
        pytest.param(429, False, RateLimited, id="too many calls are waited for"),
        pytest.param(500, False, OutcomeUnknown, id="a failure may have done it"),
        pytest.param(500, True, Unavailable, id="a failure is tried again where the key is heeded"),
        pytest.param(409, True, Unavailable, id="a key that is being worked on is waited for"),
        pytest.param(409, False, Rejected, id="a conflict stays one"),
    ],
)
async def test_what_a_status_means(
    other: Other, status: int, keyed: bool, error: type[ProviderError]
) -> None:
    other.answers = [web.Response(status=status, headers={"Location": other.url})]
    endpoints = HttpEndpoints({"e": Endpoint(other.url, keyed=keyed, private=True)})
    with pytest.raises(error) as caught:
        await endpoints.call("e", b"{}", "k")
    await endpoints.aclose()
    assert len(other.calls) == 1
    assert other.url not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:{}/x", id="this machine"),
        pytest.param("http://localhost:{}/x", id="this machine by name"),
        pytest.param("http://[::1]:{}/x", id="this machine by its other address"),
        pytest.param("http://[::ffff:127.0.0.1]:{}/x", id="this machine as IPv4 in IPv6"),
        pytest.param("http://2130706433:{}/x", id="this machine as one number"),
        pytest.param("http://0x7f.1:{}/x", id="this machine in hexadecimal"),
        pytest.param("http://0.0.0.0:{}/x", id="any address"),
        pytest.param("http://169.254.169.254:{}/x", id="a cloud's metadata"),
        pytest.param("http://10.0.0.1:{}/x", id="a private network"),
    ],
)
async def test_no_private_address_is_called_unless_that_is_allowed(other: Other, url: str) -> None:
    endpoints = HttpEndpoints({"e": Endpoint(url.format(other.port))})
    with pytest.raises((Rejected, Unavailable)):
        await endpoints.call("e", b"{}", "k")
    await endpoints.aclose()
    assert other.calls == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("64:ff9b::8.8.8.8", True),
        ("64:ff9b::10.0.0.1", False),
        ("2002:0a00:0001::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("224.0.0.1", False),
        ("100.64.0.1", False),
        ("::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_an_endpoint_shows_no_secret() -> None:
    shown = repr(Endpoint("https://u.example/?key=k3y", secret=SECRET, bearer="b-1"))
    assert not any(secret in shown for secret in (SECRET, "b-1", "k3y"))
    assert json.loads("{}") == {}
