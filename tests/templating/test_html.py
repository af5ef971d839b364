"""Values in HTML: where they may stand, which addresses they may be; style sheets that are too much."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TemplateError
from engine.templating.inlining import MAX_DEPTH, inline_css
from engine.templating.library import TemplateErrors
from engine.templating.limits import LimitError
from tests.templating.rendering import message, render

ATTACK = "\"'><script>alert(1)</script><a onclick=x href=javascript:x>"
HOSTILE = (
    ATTACK,
    "javascript:alert(1)",
    " \tjava\nscript:x",
    "data:text/html,<script>",
    "-->",
    "{{ 7 * 7 }}",
    "]]>",
)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param("<script>x = '{{ mailbox }}'</script>", "inside of <script>", id="a script"),
        pytest.param("<style>p { color: {{ mailbox }} }</style>", "inside of <style>", id="a style sheet"),
        pytest.param("<p title={{ mailbox }}>", 'write quotes around it: title="..."', id="no quotes"),
        pytest.param("<p {{ mailbox }}>", "inside of a tag", id="an attribute"),
        pytest.param("<{{ mailbox }}>", "inside of a tag", id="a tag's name"),
        pytest.param("</{{ mailbox }}>", "inside of a tag", id="an end tag's name"),
        pytest.param("<p onclick='{{ mailbox }}'>", "no value may stand in `onclick`", id="a handler"),
        pytest.param("<p style='width: {{ mailbox }}'>", "no value may stand in `style`", id="a style"),
        pytest.param("<iframe srcdoc='{{ mailbox }}'>", "no value may stand in `srcdoc`", id="a document"),
        pytest.param(
            "<p {% if mailbox %}title='{% endif %}x'>", "begins inside of {% if %}", id="an open branch"
        ),
        pytest.param("{% for x in 'ab' %}<p {% endfor %}>", "begins inside of {% for %}", id="an open loop"),
        pytest.param("<p title='x", "ends inside of the value of `title`", id="an open value at the end"),
        pytest.param("<!-- x", "ends inside of a comment", id="an open comment at the end"),
        pytest.param("<{% if mailbox %}script>{% endif %}{{ mailbox }}", "{% if %}", id="a name in a branch"),
    ],
)
def test_values_stand_only_where_escaping_helps(body: str, why: str) -> None:
    with pytest.raises(TemplateErrors, match=re.escape(why)):
        render(body, kind="html")


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<p>{{ message.text }}</p>", id="between tags"),
        pytest.param("<p title='{{ message.text }}'>x</p>", id="in single quotes"),
        pytest.param('<p title="a {{ message.text }}">x</p>', id="in double quotes"),
        pytest.param('<a href="{{ message.text }}">x</a>', id="as an address"),
        pytest.param("<a HREF = '{{ message.text }}'>x</a>", id="as an address in capitals"),
        pytest.param('<a href="https://x.example/{{ message.text | urlencode }}">x</a>', id="in an address"),
        pytest.param(
            "<a href='{% if mailbox %}{{ message.text }}{% else %}#{% endif %}'>x</a>", id="in a branch"
        ),
        pytest.param("<textarea>{{ message.text }}</textarea>", id="in a field"),
        pytest.param("<!--[if mso]><p>{{ message.text }}</p><![endif]-->", id="for Outlook"),
    ],
)
def test_no_value_leaves_its_place(body: str, value: str) -> None:
    html = render(body, kind="html", message=message(value)).html
    shape = render(body, kind="html", message=message("plain")).html
    assert re.findall("[<>\"']", html) == re.findall("[<>\"']", shape)
    assert not re.search(r"href\s*=\s*['\"]\s*(?:java|data)", html, re.I)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("https://x.example/?a=1&b=2", "https://x.example/?a=1&amp;b=2", id="https"),
        pytest.param("mailto:a@b.example", "mailto:a@b.example", id="mail"),
        pytest.param("JavaScript:x", "#", id="a script"),
        pytest.param("\x01javascript:x", "#", id="a script behind a control character"),
        pytest.param("//evil.example", "#", id="no scheme"),
        pytest.param("vbscript:x", "#", id="another script"),
    ],
)
def test_an_address_from_a_value_leads_to_the_web_or_to_mail(value: str, shown: str) -> None:
    made = render('<a href="{{ message.text }}">x</a>', kind="html", message=message(value))
    assert made.html == f'<a href="{shown}">x</a>'


@pytest.mark.parametrize(
    "link",
    [
        "[x]({{ message.text }})",
        "![x]({{ message.text }})",
        "<{{ message.text }}>",
        "[x]: {{ message.text }}\n\n[x]",
    ],
)
@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "x)[y](javascript:z", "a> <b>", "&#106;avascript:x"]
)
def test_markdown_makes_no_script_of_a_value(link: str, value: str) -> None:
    html = render(link, message=message(value)).html.lower()
    assert 'href="javascript' not in html
    assert 'src="javascript' not in html
    assert "<b>" not in html


STYLE = "<style>%s</style>"


@pytest.mark.parametrize(
    ("html", "why"),
    [
        pytest.param(
            STYLE % "p{}" + "<div>" * 50_000, "levels deep|tags", id="deep, which would end the process"
        ),
        pytest.param(
            STYLE % "p{}" + "<div><table><td></div></td></table>" * 400, "levels deep", id="deep in disguise"
        ),
        pytest.param(STYLE % "p{}" + "<font><p>" * 300, "levels deep", id="formatting that is opened anew"),
        pytest.param(STYLE % "p{}" + "<p></p>" * 10_001, "tags", id="many tags"),
        pytest.param(STYLE % ("p{color:red}" * 5_000), "style sheets", id="a long sheet"),
        pytest.param(
            STYLE % ("p{color:red}" * 1_000) + "<p></p>" * 5_000, "tags", id="a long sheet for many"
        ),
    ],
)
def test_styles_that_take_too_much_are_refused(html: str, why: str) -> None:
    with pytest.raises(LimitError, match=why):
        inline_css(html)


def test_depth_is_bounded_and_not_by_accident() -> None:
    within = STYLE % "b{color:red}" + "<div>" * (MAX_DEPTH - 2) + "<b>x</b>"
    assert 'style="color: red;"' in inline_css(within)


@pytest.mark.parametrize(
    "sheet",
    [
        pytest.param("@import url(http://127.0.0.1:1/x.css); p{color:red}", id="an import"),
        pytest.param("p{color:red} }}} @@@ { : ;", id="nonsense"),
        pytest.param(":not(:is(a,b:nth-child(2n+1 of p))) {color:red}", id="selectors in selectors"),
        pytest.param("p{" * 2_000, id="open blocks"),
        pytest.param("a:not(" * 2_000, id="open selectors"),
        pytest.param("p{content:'\\0 \\ffffff\x00'}", id="odd characters"),
    ],
)
def test_odd_style_sheets_do_no_harm(sheet: str) -> None:
    with suppress(LimitError):
        assert "x" in inline_css(STYLE % sheet + "<p>x</p>")


def test_nothing_is_loaded_from_elsewhere() -> None:
    head = (
        "<link rel='stylesheet' href='file:///etc/passwd'><link rel=stylesheet href='http://127.0.0.1:1/x'>"
    )
    assert "root:" not in inline_css(f"<html><head>{head}{STYLE % 'p{color:red}'}</head><p>x</p></html>")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<b a=1>",
                "<table>",
                "<td>",
                "<svg>",
                "<math>",
                "<select>",
                "</x>",
                "é",
                "<template>",
                "<!--",
                "-->",
                "<a href='",
                "'>",
                "&#0;",
                "\x00",
                "<frameset>",
                "<style>",
            ]
        ),
        max_size=60,
    ).map("".join),
    st.lists(
        st.sampled_from(
            [
                "p",
                "b",
                "{",
                "}",
                "color",
                ":",
                "red",
                ";",
                "@media",
                "(",
                ")",
                " > ",
                "*",
                ",",
                "\\",
                "'",
                "/*",
                "*/",
                "url(",
                "!important",
                "::before",
                ":has(",
                "[a=",
                "]",
            ]
        ),
        max_size=40,
    ).map("".join),
)
def test_any_html_and_any_sheet_is_styled_or_refused(html: str, sheet: str) -> None:
    with suppress(LimitError):
        inline_css(STYLE % sheet + html)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{% for a in range(9000) %}<div>{% endfor %}", id="deep HTML from a loop"),
        pytest.param("{% for a in range(9999) %}<p></p><b></b>{% endfor %}", id="many tags from a loop"),
    ],
)
def test_loops_cannot_make_more_than_can_be_styled(body: str) -> None:
    with pytest.raises(TemplateError, match=r"template 't' (nests|makes)"):
        render("<style>p { color: red }</style>" + body, kind="html")
