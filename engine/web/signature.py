"""Zoom's webhook signatures and its URL validation (developers.zoom.us/docs/api/webhooks)."""

from __future__ import annotations

import hmac

from engine.errors import Forged, Malformed, Stale

MAX_PLAIN_TOKEN = 256
_MAX_DIGITS = 16


def verify_zoom(
    secret: str, timestamp: str, signature: str, body: bytes, now: float, max_age: float | None
) -> None:
    """Hold a webhook against its signature: `v0=` and HMAC-SHA256 over `v0:{timestamp}:{body}`.

    `timestamp` and `signature` are the headers `x-zm-request-timestamp` (epoch seconds) and
    `x-zm-signature`, "" when absent; `max_age` is in seconds, None for any age. Raises Forged, and
    Stale for a true signature that is too far from `now` on either side.
    """
    if not secret or not _is_number(timestamp):
        # A signed text with anything but digits before its colon could be cut in another place.
        raise Forged("the webhook carries no timestamp that could be signed")
    expected = f"v0={_digest(secret, f'v0:{timestamp}:'.encode('ascii') + body)}"
    if not hmac.compare_digest(expected.encode("ascii"), signature.encode("utf-8", "replace")):
        raise Forged("the webhook's signature does not match its body")
    if max_age is not None and abs(now - _seconds(timestamp)) > max_age:
        raise Stale(f"the webhook was signed more than {max_age:.0f} s ago or ahead")


def answer_validation(secret: str, plain_token: object) -> dict[str, str]:
    """Answer `endpoint.url_validation`; only for a request whose signature was verified.

    Refuses with Malformed what is no token, and a token shaped like the text of a signature: its
    answer would be a signature under any body that its sender likes.
    """
    if not isinstance(plain_token, str) or not 0 < len(plain_token) <= MAX_PLAIN_TOKEN:
        raise Malformed("the URL validation holds no plainToken")
    if not plain_token.isascii() or plain_token.lstrip().lower().startswith("v0:"):
        raise Malformed("the plainToken of the URL validation has a shape that must not be signed")
    return {"plainToken": plain_token, "encryptedToken": _digest(secret, plain_token.encode("ascii"))}


def _digest(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode("utf-8"), text, "sha256").hexdigest()


def _is_number(timestamp: str) -> bool:
    return timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _MAX_DIGITS


def _seconds(timestamp: str) -> float:
    """Read epoch seconds, or the milliseconds that older examples show."""
    number = int(timestamp)
    return number / 1000 if number > 10**11 else float(number)
