"""Zoom's signatures, by the vectors of our notes, and everything that is not one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Forged, Malformed, Stale
from engine.web.signature import answer_validation, verify_zoom

SECRET = "test-secret-token-1"
BODY = (
    b'{"event":"mail.history_event","event_ts":1732336289348,"payload":{"account_id":"acct-1",'
    b'"operator":"jchill@example.com","object":{"email":"jchill@example.com","history_id":347658}}}'
)
STAMP = "1732336290"
SIGNATURE = "v0=06b8e4c168ba9079e8635d71d2042e5372d12fd7071fc27697642ed64838b972"
NOW = 1732336290.0

VECTORS = [
    pytest.param(STAMP, SIGNATURE, BODY, id="a mail event"),
    pytest.param(
        STAMP,
        "v0=f853d75fe55275b3b22f25697baad8b2b628c3c630056b9f3a2ffebd37be6e9f",
        '{ "event": "mail.history_event",\n  "note": "caf\u00e9 \u2014 \\u00e9" }'.encode(),
        id="a body that breaks verifiers which write the JSON again",
    ),
    pytest.param(
        "1654503849",
        "v0=64a63752ebeb4b0412c2f85dc0e3a06dbb1f10e54a065e880bd7c27713b7aa5b",
        b'{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,'
        b'"event":"endpoint.url_validation"}',
        id="a URL validation",
    ),
]


@pytest.mark.parametrize(("stamp", "signature", "body"), VECTORS)
def test_a_true_signature_passes(stamp: str, signature: str, body: bytes) -> None:
    verify_zoom(SECRET, stamp, signature, body, float(stamp), 300.0)
    verify_zoom(SECRET, stamp, signature, body, NOW * 10, None)


@pytest.mark.parametrize(("stamp", "signature", "body"), VECTORS)
def test_any_other_byte_is_forged(stamp: str, signature: str, body: bytes) -> None:
    others = [
        (f"{stamp}0", signature, body),
        (stamp, signature[:-1] + ("1" if signature[-1] == "0" else "0"), body),
        (stamp, signature, body + b" "),
        (stamp, signature, body.replace(b'"', b"'", 1)),
    ]
    for other in others:
        with pytest.raises(Forged):
            verify_zoom(SECRET, *other, float(stamp), None)
    with pytest.raises(Forged):
        verify_zoom("another secret", stamp, signature, body, float(stamp), None)


@pytest.mark.parametrize(
    ("stamp", "signature"),
    [
        pytest.param("", SIGNATURE, id="no timestamp"),
        pytest.param(STAMP, "", id="no signature"),
        pytest.param(STAMP, SIGNATURE.removeprefix("v0="), id="no version"),
        pytest.param(STAMP, SIGNATURE.replace("v0", "v1"), id="another version"),
        pytest.param(STAMP, "v0=" + "zz" * 32, id="not hexadecimal"),
        pytest.param(STAMP, SIGNATURE[:20], id="a piece of the signature"),
        pytest.param(STAMP, "v0=ключ\ud800", id="letters that are not ASCII"),
        pytest.param("soon", SIGNATURE, id="a word for a timestamp"),
        pytest.param("-1732336290", SIGNATURE, id="a negative timestamp"),
        pytest.param("1732336290.5", SIGNATURE, id="a fraction"),
        pytest.param("١٧٣٢٣٣٦٢٩٠", SIGNATURE, id="digits of another script"),
        pytest.param("9" * 5000, SIGNATURE, id="five thousand digits"),
        pytest.param(f"{STAMP}:x", SIGNATURE, id="a timestamp that reaches into the body"),
    ],
)
def test_malformed_headers_are_forged_and_never_crash(stamp: str, signature: str) -> None:
    with pytest.raises(Forged):
        verify_zoom(SECRET, stamp, signature, BODY, NOW, 300.0)


def test_an_empty_secret_verifies_nothing() -> None:
    with pytest.raises(Forged):
        verify_zoom("", STAMP, SIGNATURE, BODY, NOW, None)


@pytest.mark.parametrize("offset", [301, -301, 86400 * 365])
def test_a_true_signature_too_far_from_now_is_stale(offset: float) -> None:
    with pytest.raises(Stale):
        verify_zoom(SECRET, STAMP, SIGNATURE, BODY, NOW + offset, 300.0)


def test_a_forged_and_old_webhook_is_called_forged() -> None:
    with pytest.raises(Forged):
        verify_zoom(SECRET, STAMP, SIGNATURE, BODY + b" ", NOW + 10_000, 300.0)


@given(st.text(), st.text(), st.binary(), st.floats(allow_nan=False))
@settings(max_examples=100)
def test_nothing_made_up_passes_or_crashes(stamp: str, signature: str, body: bytes, now: float) -> None:
    with pytest.raises(Forged):
        verify_zoom(SECRET, stamp, signature, body, now, 300.0)


def test_a_url_validation_is_answered() -> None:
    assert answer_validation(SECRET, "qgg8vlvZRS6UYooatFL8Aw") == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "8f3b1e55fa995c5d623777e1bcd870374b84e0703d6e9ad1de1fa83da86e787d",
    }


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("v0:1732336290:{}", id="the text of a signature"),
        pytest.param("V0:1", id="the same in capitals"),
        pytest.param(" v0:1", id="the same after a blank"),
        pytest.param("", id="nothing"),
        pytest.param("x" * 1000, id="a very long token"),
        pytest.param("caf\u00e9", id="letters that no token has"),
        pytest.param("\ud800", id="half a surrogate pair"),
        pytest.param(None, id="no token"),
        pytest.param(12, id="a number"),
        pytest.param({"a": "b"}, id="a map"),
    ],
)
def test_a_token_that_must_not_be_signed_is_refused(token: object) -> None:
    with pytest.raises(Malformed):
        answer_validation(SECRET, token)
