"""Charsets, the real ones and what senders make of them."""

from __future__ import annotations

from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.charset import decode, without_surrogates
from tests.mail.clock import at_most

CODECS = sorted(
    set(aliases.values()) | {"idna", "punycode", "unicode_escape", "undefined", "utf_8_sig", "x", ""}
)


@given(
    st.sampled_from(CODECS),
    st.binary(max_size=60) | st.text("+A-~{\x1b$B&\x80ÿ", max_size=40).map(str.encode),
)
def test_no_codec_raises_or_gives_lone_surrogates(codec: str, data: bytes) -> None:
    decode(data, codec).encode()


@pytest.mark.parametrize("codec", CODECS)
def test_no_codec_takes_more_than_linear_time(codec: str) -> None:
    with at_most(seconds=2):
        decode(b"xn--\x80+AA~{\x1b$B" * 20_000, codec)


def test_lone_surrogates_are_replaced() -> None:
    assert without_surrogates("a\ud800b") == "a\ufffdb"
