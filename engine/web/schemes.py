"""Whom a call comes from: what signs it, what tells its repetitions."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from engine.errors import Forged, Malformed, Stale

MAX_AGE_S = 300.0
"""How long ago Stripe may have signed (docs.stripe.com/webhooks, "Preventing replay attacks")."""
RETRY_MS = 60_000
"""Alertmanager names no delivery: it tries the same bytes again within this time, and repeats them later."""
MAX_SIGNATURES = 10
BY_TOKEN = frozenset({"bearer", "alertmanager"})
"""Schemes that a header alone decides, so that no body is read for whoever lacks the token."""
_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
_STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)

Headers = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How a repetition of a call is told."""

    key: str = ""
    """The same for each repetition; "" where each call is one of its own."""
    strict: bool = True
    """Whether it must have the same bytes."""
    within: int = 0
    """For so many ms the same bytes are a repetition; 0 where they say nothing."""


def text(headers: Headers, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def check_token(secret: str, headers: Headers) -> None:
    """Hold `Authorization: Bearer` against a secret (RFC 6750, section 2.1). Raises Forged."""
    kind, _, token = text(headers, b"authorization").partition(" ")
    if kind.lower() != "bearer" or not _same(token.strip(), secret):
        raise Forged("the call does not show the token")


def check_api(token: str | None, headers: Headers) -> None:
    """Hold a call of the API against `web.api_token`. Raises Forged, also where there is no API."""
    if token is None:
        raise Forged("there is no API: set web.api_token")
    check_token(token, headers)


def check_signature(scheme: str, secret: str, headers: Headers, body: bytes, now: float) -> None:
    """Hold a body against its signature. Raises Forged, and Stale for a true one that is too old."""
    if scheme == "stripe":
        _check_stripe(secret, text(headers, b"stripe-signature"), body, now)
        return
    name = b"x-hub-signature-256" if scheme == "github" else b"x-postroom-signature"
    shown = text(headers, name)
    if not shown.startswith("sha256=") or not _same(shown[7:], _digest(secret, body)):
        raise Forged(f"the header {name.decode()} does not match the body")


def _check_stripe(secret: str, header: str, body: bytes, now: float) -> None:
    """Stripe signs `{t}.{body}` and names time and signatures in one header: `t=…,v1=…`."""
    pairs = [part.strip().partition("=") for part in header.split(",")[: MAX_SIGNATURES + 1]]
    stamp = next((value for name, _, value in pairs if name == "t"), "")
    if not _STAMP.fullmatch(stamp):
        raise Forged("the header stripe-signature carries no time that could be signed")
    wanted = _digest(secret, f"{stamp}.".encode() + body)
    if not any(_same(value, wanted) for name, _, value in pairs if name == "v1"):
        raise Forged("the header stripe-signature does not match the body")
    if abs(now - int(stamp)) > MAX_AGE_S:
        raise Stale(f"the call was signed more than {MAX_AGE_S:.0f} s ago or ahead")


def repeats(scheme: str, headers: Headers, payload: Any) -> Repeats:
    """Say how a repetition of this call would be told. Raises Malformed."""
    if b"idempotency-key" in headers:
        return Repeats(_key(text(headers, b"idempotency-key")))
    if scheme == "github" and b"x-github-delivery" in headers:
        return Repeats(_key(text(headers, b"x-github-delivery")))
    if scheme == "stripe" and isinstance(payload, dict) and isinstance(payload.get("id"), str):
        # Between two deliveries of one event, fields such as `pending_webhooks` may change.
        return Repeats(payload["id"], strict=False)
    return Repeats(within=RETRY_MS) if scheme == "alertmanager" else Repeats()


def _key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Malformed("the key of a call is 1 to 255 visible ASCII characters")
    return key


def _digest(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, sha256).hexdigest()


def _same(shown: str, wanted: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
