"""HTML as the text that a person reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.markup import html_text, named_charset
from engine.mail.mime import from_raw
from tests.growth import is_linear


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("in<b>vo</b>ice", "invoice", id="inline tags part no words"),
        pytest.param("<p>one</p><p>two</p>", "one\n\ntwo", id="paragraphs"),
        pytest.param("one<br>two<div>three</div>", "one\ntwo\nthree", id="lines"),
        pytest.param("<tr><td>a</td><td>b</td></tr>", "a b", id="cells"),
        pytest.param("a\n  b\t c", "a b c", id="whitespace"),
        pytest.param("a <b> b</b>&nbsp;\n<i> </i>c <br> \n d", "a b c\nd", id="whitespace around tags"),
        pytest.param("a\0b<p>\0<p>c", "ab\n\nc", id="NULs"),
        pytest.param("a\u3000 b\x85c", "a\u3000 b\x85c", id="whitespace beyond ASCII"),
        pytest.param("a&nbsp;&amp;&lt;b&gt;&#252;&#xfc;", "a &<b>üü", id="references"),
        pytest.param("&#" + "9" * 5_000 + ";x", "\ufffdx", id="a reference that Python refuses to read"),
        pytest.param("&#xD800;", "\ufffd", id="a reference to a surrogate"),
        pytest.param(
            "<style>a<b>{}</style>x<script>if (a<b) '</p>'</script>y", "xy", id="styles and scripts"
        ),
        pytest.param("<SCRIPT>x</sCript >y", "y", id="scripts in any case"),
        pytest.param("<head><title>t</title></head>x", "x", id="the title"),
        pytest.param("a<!-- <p>b</p> -->c<!-->d", "acd", id="comments"),
        pytest.param("a<!-- b --!>c<!--->d<!--!>e-->f<!---->g", "acdfg", id="comments that end oddly"),
        pytest.param("<!--[if mso]>a<![endif]-->b<![if !mso]>c<![endif]>", "bc", id="Outlook's conditions"),
        pytest.param("<!DOCTYPE html><?xml?></1>a", "a", id="declarations"),
        pytest.param("<a title=\"a > b\" href='>'>x</a>", "x", id="brackets inside attributes"),
        pytest.param("<p title=it's>x</p>", "x", id="an apostrophe in an attribute"),
        pytest.param("1 < 2 <3 >", "1 < 2 <3 >", id="brackets that open no tag"),
        pytest.param("a<b\u00e9>c</\u00e9>d</\u00b2>e", "a<b\u00e9>cde", id="names that are no names"),
        pytest.param(
            "a<\u017fcript>b<t\u0131tle>c", "a<\u017fcript>b<t\u0131tle>c", id="names of signs like ASCII"
        ),
        pytest.param("a<style\u3000>b", "ab", id="a name with a blank of Unicode"),
        pytest.param("<styles>x</styles>", "x", id="a name that begins as another"),
        pytest.param("<o:p>x</o:p>", "x", id="a name with a colon"),
        pytest.param("a<script>b", "a", id="a script that never ends"),
        pytest.param("a<!-- b", "a", id="a comment that never ends"),
        pytest.param("a<b c", "a", id="a tag that never ends"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_reads_what_is_seen(source: str, expected: str) -> None:
    assert html_text(source) == expected


def test_html_may_name_its_own_charset() -> None:
    page = b'<meta http-equiv=x content="text/html; charset=windows-1251">'
    assert named_charset(page) == "windows-1251"
    assert named_charset(b"<p>charset=x") == ""
    assert from_raw(b"Content-Type: text/html\n\n" + page + b"\xd1", key="k").text == "С"


@given(st.text(max_size=200) | st.text("<>!-/=\"' &#;xapscrit", max_size=200))
def test_never_raises(source: str) -> None:
    html_text(source)


@given(st.text("abc <>&", max_size=100))
def test_escaped_text_comes_back(text: str) -> None:
    import html

    assert html_text(html.escape(text)) == " ".join(text.split())


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a",
        "<!--",
        "</",
        "<script>",
        "<title>",
        "<title><",
        "<title></title>",
        "<a b='",
        '="',
        "&",
        "&#9",
        "\n ",
        "<font><p>",
        "<div>",
        "x<",
    ],
)
@pytest.mark.parametrize("start", ["", "<a "])
def test_reading_is_linear(start: str, piece: str) -> None:
    assert is_linear(lambda size: html_text(start + piece * (size // len(piece))), 30_000)
