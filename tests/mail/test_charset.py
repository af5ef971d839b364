"""Charsets, the real ones and what senders make of them."""

from __future__ import annotations

from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.charset import decode, without_surrogates
from tests.growth import is_linear

CODECS = sorted(
    set(aliases.values()) | {"idna", "punycode", "unicode_escape", "undefined", "utf_8_sig", "x", ""}
)


@given(
    st.sampled_from(CODECS),
    st.binary(max_size=60) | st.text("+A-~{\x1b$B&\x80ÿ", max_size=40).map(str.encode),
)
def test_no_codec_raises_or_gives_lone_surrogates(codec: str, data: bytes) -> None:
    decode(data, codec).encode()


@pytest.mark.parametrize("codec", ["idna", "punycode", "utf_7", "hz", "iso2022_jp", "unicode_escape"])
def test_decoding_is_linear(codec: str) -> None:
    assert is_linear(lambda size: decode(b"xn--\x80+AA~{\x1b$B" * size, codec), 2_000)


def test_lone_surrogates_are_replaced() -> None:
    assert without_surrogates("a\ud800b") == "a\ufffdb"
