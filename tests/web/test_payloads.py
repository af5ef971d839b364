"""Bodies of calls: JSON within bounds, files taken out, numbers as they were written."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Malformed
from engine.flow.written import dump, load
from engine.web.payloads import MAX_DEPTH, read_files, read_payload, take_files

FILE = {"name": "a.pdf", "type": "application/pdf", "content": base64.b64encode(b"%PDF").decode()}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="broken"),
        pytest.param(b"7", id="a number"),
        pytest.param(b'"x"', id="a text"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"a": NaN}', id="not a number"),
        pytest.param(b'{"a": -Infinity}', id="without end"),
        pytest.param(b'{"a": "\xff"}', id="no UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="another encoding"),
        pytest.param(b'{"a": "\\ud800"}', id="half a sign"),
        pytest.param(b'{"\\udfff": 1}', id="half a sign in a name"),
        pytest.param(b"[" * 100_000, id="deep and open"),
        pytest.param(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), id="deep lists"),
        pytest.param(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), id="deep maps"),
        pytest.param(b'{"a": ' + b"9" * 5_000 + b"}", id="a number of 5,000 digits"),
    ],
)
def test_what_is_no_usable_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        read_payload(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="a mark of UTF-8 before it"),
        pytest.param(b"[1, 2]", id="a list"),
        pytest.param(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, id="as deep as may be"),
        pytest.param(b"[" + b"{},[]," * 1000 + b"1]", id="broad"),
        pytest.param(b'{"a": "\\ud83d\\ude00"}', id="a sign in two halves"),
    ],
)
def test_other_json_is_read(body: bytes) -> None:
    text, value = read_payload(body)
    assert json.loads(text) == value


def test_files_are_taken_out_and_told_of() -> None:
    body = {"total": 1, "attachments": [FILE, {"name": "../x\r\ny", "content": ""}]}
    text, files = take_files(json.dumps(body).replace("1,", "1.50,", 1), 100)
    assert [(one.name, one.type, one.content) for one in files] == [
        ("a.pdf", "application/pdf", b"%PDF"),
        ("x y", "application/octet-stream", b""),
    ]
    assert '"total":1.50' in text
    assert json.loads(text)["attachments"][0] == {"name": "a.pdf", "type": "application/pdf", "size": 4}


def test_a_body_without_files_stays_as_it_was_written() -> None:
    text = '{ "total" : 9.90 }'
    assert take_files(text, 100) == (text, ())
    assert take_files("[1.0]", 100) == ("[1.0]", ())


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        pytest.param({}, "a list", id="a map"),
        pytest.param([FILE] * 21, "at most 20", id="too many"),
        pytest.param(["x"], r"\[0\] is a map", id="a text"),
        pytest.param([{"name": "x"}], r"\[0\] is a map", id="no content"),
        pytest.param([FILE | {"path": "/etc/passwd"}], r"\[0\] is a map", id="another key"),
        pytest.param([FILE | {"name": 7}], "are texts", id="a name that is a number"),
        pytest.param([FILE, FILE | {"content": "%%"}], r"\[1\]\.content is no base64", id="no base64"),
        pytest.param([FILE | {"content": "AA\nAA"}], "no base64", id="a line break in base64"),
        pytest.param([FILE] * 3, "more than 10 bytes", id="too large together"),
    ],
)
def test_files_that_are_none_are_refused(listed: Any, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_files(listed, 10)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_read_and_written_again_says_the_same(value: Any) -> None:
    assert json.loads(dump(load(json.dumps(value)))) == value


def test_numbers_stay_as_they_were_written() -> None:
    assert dump(load('{"a": 9.90, "b": [1e3, 12345678901234567890, -0.0]}')) == (
        '{"a":9.90,"b":[1e3,12345678901234567890,-0.0]}'
    )
