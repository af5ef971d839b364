"""Content encodings, taken off within bounds."""

from __future__ import annotations

import gzip
import zlib

import pytest

from engine.net.failures import AnswerTooLarge, BadAnswer
from engine.net.wire import inflated

TEXT = b"x" * 900
GZIP, ZLIB = gzip.compress(TEXT, mtime=0), zlib.compress(TEXT)
BARE = ZLIB[2:-4]


@pytest.mark.parametrize(
    ("body", "coding", "whole"),
    [
        pytest.param(GZIP, "gzip", TEXT, id="gzip"),
        pytest.param(GZIP, " X-GZIP ", TEXT, id="its old name, in capitals"),
        pytest.param(ZLIB, "deflate", TEXT, id="deflate"),
        pytest.param(BARE, "deflate", TEXT, id="deflate without the frame that it ought to have"),
        pytest.param(b"", "gzip", b"", id="nothing at all, as with 204"),
        pytest.param(TEXT, "identity", TEXT, id="none"),
        pytest.param(TEXT, "br", TEXT, id="one that was not asked for stays"),
        pytest.param(GZIP + b"more", "gzip", TEXT, id="what follows is left out"),
    ],
)
def test_a_content_encoding_is_taken_off(body: bytes, coding: str, whole: bytes) -> None:
    assert inflated(body, coding, len(TEXT)) == whole


def test_what_was_cut_off_is_read_as_far_as_it_goes() -> None:
    assert TEXT.startswith(inflated(GZIP[:-10], "gzip", len(TEXT)))


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        pytest.param(b"12345", "gzip", id="no gzip"),
        pytest.param(b"12345", "deflate", id="no deflate"),
        pytest.param(ZLIB, "gzip", id="another one than it says"),
        pytest.param(gzip.compress(GZIP), "gzip, gzip", id="two, one upon the other"),
    ],
)
def test_a_broken_encoding_is_a_bad_answer(body: bytes, coding: str) -> None:
    with pytest.raises(BadAnswer):
        inflated(body, coding, 10_000)


@pytest.mark.parametrize(("body", "coding"), [(GZIP, "gzip"), (ZLIB, "deflate"), (BARE, "deflate")])
def test_no_more_is_made_of_it_than_the_bound(body: bytes, coding: str) -> None:
    with pytest.raises(AnswerTooLarge):
        inflated(body, coding, len(TEXT) - 1)
