"""No template, and no message in a template, can stall a worker or break out of the sandbox."""

from __future__ import annotations

import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TemplateError
from engine.templating.grammar import MAX_NODES
from engine.templating.library import Context, TemplateErrors, load_templates
from engine.templating.limits import MAX_SOURCE
from engine.templating.views import MAX_TEXT
from tests.growth import FACTOR, is_linear
from tests.templating.rendering import message, render

MEGABYTES = 250
LOOPS = "{% for a in range(9999) %}{% for b in range(9999) %}"
ENDS = "{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{{ 'x' * 200000000 }}", id="a text times a number"),
        pytest.param("{{ [1] * 200000000 }}", id="a list times a number"),
        pytest.param("{{ 2 ** 99999999 }}", id="a power"),
        pytest.param("{{ '%999999999d' % 1 }}", id="a percent format"),
        pytest.param("{{ '{:>999999999}'.format(1) }}", id="a format method"),
        pytest.param("{{ ''['format'] }}", id="a format method by subscript"),
        pytest.param("{{ 'x'.ljust(999999999) }}", id="ljust"),
        pytest.param("{{ 'x'.center(999999999) }}", id="center the method"),
        pytest.param("{{ 'x' | center(999999999) }}", id="center the filter"),
        pytest.param("{{ 'x' | indent(999999999) }}", id="indent"),
        pytest.param("{{ now | date('%999999999d') }}", id="a field width in a date"),
        pytest.param(
            "{{ 1 | round(999999999) }}{{ 1.5 | round(999999999, 'ceil') }}", id="round to many digits"
        ),
        pytest.param("{{ range(999999999) | join }}", id="a long range"),
        pytest.param(LOOPS + "x" + ENDS, id="loops in loops that print"),
        pytest.param(LOOPS + ENDS, id="loops in loops that do nothing"),
        pytest.param(LOOPS + "{% set x = 1 %}" * 2500 + ENDS, id="loops around many constants"),
        pytest.param(
            LOOPS + "{% if 'a' in 'b' and 1 < 2 %}{% endif %}" * 900 + ENDS, id="loops around comparisons"
        ),
        pytest.param(
            "{% for a in range(9999) %}" + "x" * 60_000 + "{% endfor %}", id="a loop around much text"
        ),
        pytest.param("{% set a = 'xxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}", id="doubling by ~"),
        pytest.param("{% set a = 'xxxxxxxx' %}" + "{% set a = a + a %}" * 60 + "{{ a }}", id="doubling by +"),
        pytest.param(
            "{% set a = message.text %}" + "{% set a = a | replace('a', message.text) %}" * 9,
            id="growing by replace",
        ),
        pytest.param("{% set a = message.text.split() %}{{ a | join(message.text) }}", id="growing by join"),
        pytest.param(
            "".join(f"{{% set a{n} = message.text.split() %}}" for n in range(900)), id="many long lists"
        ),
        pytest.param("{% set a = [1] %}" + "{% set a = [a, a] %}" * 99 + "{{ a }}", id="lists in lists"),
        pytest.param(
            "{% for x in range(9) recursive %}{{ loop(range(9)) }}{% endfor %}", id="a recursive loop"
        ),
        pytest.param("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", id="a recursive macro"),
        pytest.param(
            "{% for n in range(9999) %}{% set x = message.text | upper | lower | title %}{% endfor %}",
            id="work on a long text again and again",
        ),
        pytest.param("{{ message.text.strip(message.text) }}", id="a long argument of a method"),
        pytest.param(
            "{% set a = message.text ~ message.text ~ message.text %}"
            "{% for n in range(9999) %}{% if 'zz' is in(a) %}{% endif %}{% endfor %}",
            id="a long text searched by a test again and again",
        ),
        pytest.param(
            "{% set a = message.text ~ 'x' %}{% set b = message.text ~ 'y' %}"
            "{% for n in range(9999) %}{% if a == b or a < b %}{% endif %}{% endfor %}",
            id="long texts compared again and again",
        ),
        pytest.param(
            "{% for n in range(9999) %}{% set x = message.text[1:] %}{% endfor %}",
            id="a long text cut again and again",
        ),
        pytest.param(
            "{% for n in range(9999) %}{{ (message.text | upper)[:0] }}{% endfor %}",
            id="much work that shows nothing",
        ),
        pytest.param(
            "{% for n in range(9000) %}{{ now | date('full') }}{{ n | money('EUR') }}{% endfor %}",
            id="many dates and amounts",
        ),
        pytest.param("{{ 0x" + "f" * 60_000 + " }}", id="a huge number in hexadecimal"),
        pytest.param("{{ " + "9" * 60_000 + " }}", id="a huge number"),
        pytest.param("{{ 9999999999 * 9999999999 * 9999999999 }}", id="a product beyond 64 bits"),
        pytest.param("{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}", id="deep parentheses"),
        pytest.param("{{ " + "not " * 9_000 + "1 }}", id="deep negation"),
        pytest.param("{{ 1" + " + 1" * 9_000 + " }}", id="a long sum"),
        pytest.param("{{ message.subject" + ".a" * 9_000 + " }}", id="a long path"),
        pytest.param("{% for a in 'a' %}" * 60 + "{% endfor %}" * 60, id="deep blocks"),
        pytest.param("x" * (MAX_SOURCE + 1), id="a long source"),
        pytest.param("{{ " + "1~" * 20_000 + "1 }}", id="a long concatenation"),
        pytest.param("{{ " + "1," * 20_000 + "1 }}", id="a long tuple"),
        pytest.param("{{ 1 }}" * (MAX_NODES + 1), id="many expressions"),
        pytest.param("{% for n in range(5000) %}*a _b__ {% endfor %}", id="Markdown marks without end"),
        pytest.param(
            "{% for n in range(9000) %}" + "[" * 90 + "{% endfor %}", id="Markdown brackets without end"
        ),
        pytest.param(
            "{% for n in range(9000) %}" + "> " * 40 + "{% endfor %}", id="Markdown quotes in quotes"
        ),
    ],
)
def test_what_asks_for_too_much_is_refused(body: str) -> None:
    with pytest.raises((TemplateError, TemplateErrors)):
        render(body, message=message("a b, (c) " * 50_000))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 < MEGABYTES + 500


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{{ ''.__class__ }}", id="a class"),
        pytest.param("{{ ''['__class__'] }}", id="a class by subscript"),
        pytest.param("{{ message.from.__init__.__globals__ }}", id="a view's globals"),
        pytest.param("{{ message._message }}", id="the message behind the view"),
        pytest.param("{{ captures._fields }}", id="the fields behind the view"),
        pytest.param("{{ self }}", id="self"),
        pytest.param(
            "{{ lipsum }}{{ cycler }}{{ joiner }}{{ namespace }}{{ dict }}", id="Jinja's own globals"
        ),
        pytest.param("{{ range.__call__ }}", id="a function's attributes"),
        pytest.param("{{ loop.__class__ }}", id="a loop's class outside a loop"),
        pytest.param("{% for a in 'a' %}{{ loop._iterable }}{% endfor %}", id="a loop's inside"),
        pytest.param("{{ message.text.encode() }}", id="a method that is not offered"),
        pytest.param("{{ 'x' | attr('__class__') }}", id="the attr filter"),
        pytest.param("{{ message.to | map(attribute='__class__') }}", id="the map filter"),
        pytest.param("{% autoescape false %}x{% endautoescape %}", id="escaping switched off"),
        pytest.param("{{ message.text | safe }}", id="escaping gone around"),
        pytest.param("{% extends 'x' %}", id="another template"),
        pytest.param("{% set message = 1 %}", id="a name that is taken"),
        pytest.param("{{ inputs[message.text] }}", id="a subscript by a value"),
        pytest.param("{{ now.strftime('%9999d') }}", id="a method of a date"),
    ],
)
@pytest.mark.parametrize("kind", ["md", "html"])
def test_nothing_leads_out_of_the_sandbox(kind: str, body: str) -> None:
    with pytest.raises((TemplateError, TemplateErrors)):
        render(body, kind=kind)


@pytest.mark.parametrize("kind", ["md", "html"])
@pytest.mark.parametrize("piece", ["*_[`<&", "\n", "> ", "<font><p>", "\u202e\x00\ud800"])
@pytest.mark.parametrize("body", ["{{ message.text | quote }}", "{{ message.text }}"])
def test_a_hostile_message_is_quoted_in_linear_time(kind: str, piece: str, body: str) -> None:
    def quoted(size: int) -> None:
        text = "a" + piece * (size // len(piece))
        assert render(body, kind=kind, message=message(text)).html

    assert is_linear(quoted, MAX_TEXT // FACTOR)


PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " message",
        ".text",
        ".from",
        " for x in ",
        " endfor ",
        " if ",
        " endif ",
        " else ",
        " set x = ",
        "|",
        "upper",
        "join",
        "(",
        ")",
        "[",
        "]",
        "'a'",
        "1",
        "*",
        "+",
        "~",
        "range",
        "(9)",
        "x",
        "\n",
        ".",
        " is ",
        "defined",
        "-",
        "---",
        " in ",
        ",",
        ":",
        "captures",
        "not ",
        "loop",
        ".index",
        "<b>",
        "**",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join), st.sampled_from(["md", "html"]))
def test_any_source_renders_or_is_refused(body: str, kind: str) -> None:
    try:
        library = load_templates({f"t.{kind}": f"---\nsubject: S\n---\n{body}"})
        library.render("t", Context(message()))
    except (TemplateError, TemplateErrors):
        pass


@settings(max_examples=100)
@given(st.text(max_size=200))
def test_any_file_loads_or_is_refused(source: str) -> None:
    try:
        load_templates({"t.md": "---\n" + source})
    except TemplateErrors as found:
        places = [error.place.file for error in found.errors]
    else:
        places = []
    assert set(places) <= {"t.md"}
