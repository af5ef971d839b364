"""Whom a call comes from: each scheme takes what is truly signed, and nothing else."""

from __future__ import annotations

import hmac

import pytest

from engine.errors import Forged, Malformed, Stale
from engine.web.schemes import Repeats, check_signature, check_token, repeats

SECRET, BODY, NOW = "hook-secret", b'{"id": "evt_1"}', 1_767_225_600.0


def digest(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()


def stripe(at: float = NOW, body: bytes = BODY, secret: str = SECRET) -> str:
    return f"t={at:.0f},v1={digest(f'{at:.0f}.'.encode() + body, secret)}"


@pytest.mark.parametrize(
    ("scheme", "header", "value"),
    [
        pytest.param("hmac", b"x-postroom-signature", f"sha256={digest()}", id="ours"),
        pytest.param("github", b"x-hub-signature-256", f"sha256={digest()}", id="GitHub's"),
        pytest.param("stripe", b"stripe-signature", stripe(), id="Stripe's"),
        pytest.param("stripe", b"stripe-signature", f"v1=00,{stripe()},v0=11", id="a second key of Stripe's"),
    ],
)
def test_a_true_signature_is_taken(scheme: str, header: bytes, value: str) -> None:
    check_signature(scheme, SECRET, {header: value.encode()}, BODY, NOW)


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        pytest.param("hmac", {}, id="no header"),
        pytest.param("hmac", {b"x-postroom-signature": b""}, id="an empty one"),
        pytest.param("hmac", {b"x-postroom-signature": digest().encode()}, id="no algorithm"),
        pytest.param("hmac", {b"x-postroom-signature": f"sha1={digest()}".encode()}, id="another algorithm"),
        pytest.param("hmac", {b"x-postroom-signature": f"sha256={digest()[:20]}".encode()}, id="half of it"),
        pytest.param(
            "hmac", {b"x-postroom-signature": f"sha256={digest().upper()}".encode()}, id="in capitals"
        ),
        pytest.param(
            "hmac", {b"x-postroom-signature": f"sha256={digest(secret='x')}".encode()}, id="another secret"
        ),
        pytest.param(
            "hmac", {b"x-postroom-signature": f"sha256={digest(b'{}')}".encode()}, id="another body"
        ),
        pytest.param("hmac", {b"x-hub-signature-256": f"sha256={digest()}".encode()}, id="another's header"),
        pytest.param("hmac", {b"x-postroom-signature": b"sha256=\xff\xfe"}, id="no text"),
        pytest.param(
            "github", {b"x-hub-signature": f"sha1={digest()}".encode()}, id="GitHub's old header alone"
        ),
        pytest.param(
            "stripe", {b"stripe-signature": f"v1={digest()}".encode()}, id="Stripe's without a time"
        ),
        pytest.param(
            "stripe",
            {b"stripe-signature": stripe().replace("t=", "t= ").encode()},
            id="a time that is no number",
        ),
        pytest.param(
            "stripe",
            {b"stripe-signature": stripe().replace("t=", "t=9,t=").encode()},
            id="a second time, behind another",
        ),
        pytest.param("stripe", {b"stripe-signature": f"t={NOW:.0f}".encode()}, id="no signature"),
        pytest.param(
            "stripe",
            {b"stripe-signature": (f"t={NOW:.0f}" + ",v1=00" * 5000).encode()},
            id="thousands of them",
        ),
        pytest.param("stripe", {b"stripe-signature": stripe(secret="x").encode()}, id="Stripe's, of another"),
    ],
)
def test_anything_else_is_forged(scheme: str, headers: dict[bytes, bytes]) -> None:
    with pytest.raises(Forged) as raised:
        check_signature(scheme, SECRET, headers, BODY, NOW)
    assert SECRET not in str(raised.value)
    assert digest() not in str(raised.value)


@pytest.mark.parametrize("away", [pytest.param(-301, id="too long ago"), pytest.param(301, id="ahead")])
def test_a_true_signature_of_another_time_is_stale(away: int) -> None:
    with pytest.raises(Stale):
        check_signature("stripe", SECRET, {b"stripe-signature": stripe(NOW + away).encode()}, BODY, NOW)


@pytest.mark.parametrize(
    "header", [pytest.param(b"Bearer token", id="as is"), pytest.param(b"bearer  token ", id="with blanks")]
)
def test_the_token_is_taken(header: bytes) -> None:
    check_token("token", {b"authorization": header})


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({b"authorization": b"token"}, id="without its kind"),
        pytest.param({b"authorization": b"Basic token"}, id="of another kind"),
        pytest.param({b"authorization": b"Bearer "}, id="an empty one"),
        pytest.param({b"authorization": b"Bearer tokens"}, id="another"),
        pytest.param({b"authorization": b"Bearer \xff"}, id="no text"),
    ],
)
def test_another_token_is_not(headers: dict[bytes, bytes]) -> None:
    with pytest.raises(Forged):
        check_token("token", headers)


@pytest.mark.parametrize(
    ("scheme", "headers", "payload", "told"),
    [
        pytest.param("hmac", {b"idempotency-key": b"a b"}, {}, Repeats("a b"), id="by the key"),
        pytest.param("hmac", {}, {"id": "x"}, Repeats(), id="by nothing"),
        pytest.param(
            "github", {b"x-github-delivery": b"72d3"}, {}, Repeats("72d3"), id="by GitHub's delivery"
        ),
        pytest.param(
            "stripe",
            {},
            {"id": "evt_1"},
            Repeats("evt_1", strict=False),
            id="by Stripe's event, whose body may vary",
        ),
        pytest.param("stripe", {}, ["evt_1"], Repeats(), id="by nothing where Stripe's event has no id"),
        pytest.param("alertmanager", {}, {}, Repeats(within=60_000), id="by the same bytes within a minute"),
        pytest.param(
            "alertmanager", {b"idempotency-key": b"k"}, {}, Repeats("k"), id="by the key, whatever the scheme"
        ),
    ],
)
def test_a_repetition_is_told(
    scheme: str, headers: dict[bytes, bytes], payload: object, told: Repeats
) -> None:
    assert repeats(scheme, headers, payload) == told


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" ", id="blank"),
        pytest.param(b"x" * 256, id="too long"),
        pytest.param(b"\xc3\xa4", id="not ASCII"),
        pytest.param(b"a\0b", id="with a NUL"),
    ],
)
def test_a_key_that_is_none_is_refused(key: bytes) -> None:
    with pytest.raises(Malformed):
        repeats("hmac", {b"idempotency-key": key}, {})
