"""No secret survives redaction."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.net.redaction import MAX_TEXT, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("bad Bearer abc.def-ghi!", "bad Bearer [hidden]", id="a bearer token"),
        pytest.param("Authorization: Basic dXNlcjpwdw==", "Authorization: [hidden] [hidden]", id="basic"),
        pytest.param('{"access_token":"abc","x":1}', '{"access_token":"[hidden]","x":1}', id="in JSON"),
        pytest.param("client_secret=abc&x=1", "client_secret=[hidden]&x=1", id="in a form"),
        pytest.param("one\r\ntwo\x00three\u2028four", "one two three four", id="line breaks"),
        pytest.param("a\ud800b", "a b", id="half a surrogate pair"),
        pytest.param("nothing to hide", "nothing to hide", id="an innocent text"),
    ],
)
def test_what_looks_like_a_credential_is_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@given(st.text(min_size=4, max_size=20), st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=100)
def test_a_known_secret_is_never_shown(secret: str, before: str, after: str) -> None:
    assert secret not in redact(f"{before}{secret}{after}", [secret]) or secret in "[hidden]"


def test_a_secret_that_holds_another_is_hidden_whole() -> None:
    assert redact("x abcdef y", ["abc", "abcdef", ""]) == "x [hidden] y"


def test_a_long_text_is_cut() -> None:
    assert len(redact("x" * 1_000_000)) == MAX_TEXT
