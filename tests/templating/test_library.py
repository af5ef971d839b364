"""Templates by name: what they need, what is wrong with them, what they render."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Place, RuleError, TemplateError
from engine.mail.headers import Headers
from engine.mail.message import Message
from engine.mail.needs import Need
from engine.templating.library import Context, TemplateErrors, load_templates
from tests.templating.rendering import NOW, message, render

HEAD = "---\nsubject: S\n---\n"


def errors(source: str, file: str = "t.md") -> list[str]:
    with pytest.raises(TemplateErrors) as caught:
        load_templates({file: source})
    return [str(error) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param("{{ message.subject }}", "A question\n", id="the subject"),
        pytest.param(
            "{{ message.from.name }} {{ message.from.address }}",
            "Ann Baker ann@customer.example\n",
            id="the sender",
        ),
        pytest.param(
            "{{ message.to | join(', ') }}|{{ message.cc | length }}",
            "support@acme.example|0\n",
            id="lists of addresses",
        ),
        pytest.param("{{ message.date | date('%d %B %Y') }}", "02 March 2026\n", id="the date"),
        pytest.param(
            "{{ message.headers['X-Order'] }}-{{ message.headers['X-No'] }}-", "48211--\n", id="header fields"
        ),
        pytest.param(
            "{% for f in message.attachments %}{{ f.name }} {{ f.size | filesize }}{% endfor %}",
            "a.pdf 1.2 MB\n",
            id="attachments",
        ),
        pytest.param("{{ message.text | quote }}", "> Hello,\n> please help.\n", id="a quoted text"),
        pytest.param("{{ captures.order }} {{ captures.gone | default('?') }}", "7 ?\n", id="captures"),
        pytest.param("{{ steps.ticket.number }} {{ steps.0.key }}", "12 k\n", id="receipts of earlier steps"),
        pytest.param(
            "{{ mailbox }} {{ now | date }}", "support@acme.example 2026-03-10 12:00\n", id="mailbox and time"
        ),
        pytest.param("{{ 'a' ~ 1 ~ 2.5 }} {{ 2 * 3 + 1 }} {{ 7 // 2 }}", "a12.5 7 3\n", id="small sums"),
        pytest.param("{{ 'x' if message.subject is defined else 'y' }}", "x\n", id="an inline choice"),
        pytest.param(
            "{% set who = message.from.name | upper %}{{ who }}", "ANN BAKER\n", id="a name of its own"
        ),
        pytest.param(
            "{% for n in range(3) %}{{ loop.index }}{{ loop.cycle('a', 'b') }}{% endfor %}",
            "1a2b3a\n",
            id="a loop",
        ),
        pytest.param(
            "{{ 'b' in ['a', 'b'] }} {{ 'a,b'.split(',') | last | upper }}", "True B\n", id="a list"
        ),
        pytest.param("{{ '  a\nb' | indent(2) | replace('b', 'c') | trim }}", "a\n  c\n", id="filters"),
        pytest.param("a\n\n\n\nb   \n", "a\n\nb\n", id="runs of empty lines are folded"),
    ],
)
def test_the_text_part_shows_the_values(body: str, wanted: str) -> None:
    steps = {"ticket": {"number": 12}, "0": {"key": "k"}}
    assert render(body, captures={"order": "7"}, steps=steps).text == wanted


def test_inputs_are_small_templates_rendered_first() -> None:
    values = {"order": "{{ captures.order | upper }} of {{ message.from.name }}", "plain": "x"}
    made = render(
        "{{ order }} = {{ inputs.order }}{{ plain }}",
        inputs="order, plain",
        captures={"order": "a1"},
        values=values,
    )
    assert made.text == "A1 of Ann Baker = A1 of Ann Bakerx\n"


def test_an_input_is_not_rendered_twice() -> None:
    made = render("{{ x }}", inputs="x", captures={"c": "{{ mailbox }}"}, values={"x": "{{ captures.c }}"})
    assert made.text == "{{ mailbox }}\n"


def test_markdown_gives_both_parts() -> None:
    made = render("# Hello\n\nSee [prices](https://x.example) **now**.\n")
    assert made.text == "# Hello\n\nSee [prices](https://x.example) **now**.\n"
    assert (
        '<h1>Hello</h1>\n<p>See <a href="https://x.example">prices</a> <strong>now</strong>.</p>' in made.html
    )


def test_lines_break_where_they_do_in_the_template() -> None:
    made = render("x\ny\n\nz")
    assert made.text == "x\ny\n\nz\n"
    assert "<p>x<br />\ny</p>\n<p>z</p>" in made.html


def test_a_text_of_many_lines_keeps_them() -> None:
    made = render("{{ message.text }}", message=message("a\n\n  b\nc"))
    assert "<p>a<br />\n\u00a0<br />\nb<br />\nc</p>" in made.html


def test_html_gives_both_parts() -> None:
    made = render(
        '<h1>Hi</h1><p>See <a href="https://x.example">prices</a>.<br>{{ message.subject }}</p>', kind="html"
    )
    assert made.text == "Hi\n\nSee prices (https://x.example).\nA question\n"
    assert made.html.endswith("A question</p>")


@pytest.mark.parametrize("kind", ["md", "html"])
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("<script>x</script>", id="HTML"),
        pytest.param(
            "[x](https://evil.example) ![y](https://evil.example/y)", id="a Markdown link and image"
        ),
        pytest.param("a\n\n# Heading\n\n    code\n- item\n***\n<https://evil.example>", id="Markdown blocks"),
        pytest.param("| a | b |\n|---|---|\n| 1 | 2 |", id="a Markdown table"),
        pytest.param("&lt;b&gt; `code` *a* _b_ ~~c~~ \\*d\\*", id="entities and marks"),
    ],
)
def test_values_are_shown_and_not_obeyed(kind: str, value: str) -> None:
    for body in ("{{ message.text }}", "{{ message.text | quote }}", "{{ x }}"):
        made = render(body, kind=kind, inputs="x", values={"x": "{{ message.text }}"}, message=message(value))
        html = made.html.replace("<blockquote>", "").replace("</blockquote>", "")
        for tag in (
            "<script",
            "<a",
            "<img",
            "<h1",
            "<pre",
            "<code",
            "<li",
            "<hr",
            "<em",
            "<strong",
            "<table",
            "<b>",
        ):
            assert tag not in html
        shown = [" ".join(line.split()) for line in value.splitlines() if line.strip()]
        assert all(
            line in " ".join(made.text.replace(">", " > ").split()).replace(" > ", ">") or kind == "html"
            for line in shown
            if ">" not in line
        )


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_no_value_makes_a_tag_or_a_header_line(value: str) -> None:
    library = load_templates(
        {
            "m.md": "---\nsubject: 'Re: {{ message.text }}'\nfrom_name: '{{ message.text }}'\n---\n"
            "{{ message.text }}",
            "h.html": "---\nsubject: x\n---\n<p>{{ message.text }}</p>",
        }
    )
    made = library.render("m", Context(message(value)))
    assert made.subject.isprintable()
    assert made.from_name.isprintable()
    assert len(made.subject) <= 300
    body = made.html.partition("<body ")[2].partition(">")[2].partition("</body>")[0]
    assert set(body.replace("<p>", "").replace("</p>", "").replace("<br />", "")) & {"<"} == set()
    assert library.render("h", Context(message(value))).html.count("<") == 2


@pytest.mark.parametrize(
    ("body", "subject", "needs"),
    [
        pytest.param("Hello", "S", set(), id="nothing"),
        pytest.param("Hello", "{{ message.subject }}", {Need.HEADERS}, id="the subject line needs headers"),
        pytest.param(
            "{{ message.from.name }}{{ message['to'] }}", "S", {Need.HEADERS}, id="addresses need headers"
        ),
        pytest.param("{% if 0 %}{{ message.text }}{% endif %}", "S", {Need.BODY}, id="a text on any path"),
        pytest.param(
            "{% for a in message.attachments if message.date %}x{% endfor %}",
            "S",
            {Need.ATTACHMENTS, Need.HEADERS},
            id="a loop's list and filter",
        ),
        pytest.param(
            "{{ 'a' ~ (message.text | upper)[:3] }}", "S", {Need.BODY}, id="deep inside an expression"
        ),
    ],
)
def test_needs_name_what_any_path_reads(body: str, subject: str, needs: set[Need]) -> None:
    library = load_templates({"t.md": f"---\nsubject: '{subject}'\n---\n{body}"})
    assert library.needs("t") == needs


def test_needs_include_those_of_the_inputs() -> None:
    library = load_templates({"t.md": "---\nsubject: S\ninputs: [x]\n---\n{{ x }}"})
    assert library.needs("t", {"x": "{{ message.text }}"}) == {Need.BODY}


def test_rendering_reads_nothing_that_was_not_fetched() -> None:
    library = load_templates({"t.md": HEAD + "{{ message.text }}"})
    with pytest.raises(TemplateError, match=r"t.md:4: body was not fetched"):
        library.render("t", Context(Message(key="1", _headers=Headers())))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        pytest.param(
            "Hello", "t.md:1:1: begins with front matter between two lines `---`", id="no front matter"
        ),
        pytest.param(
            "---\nfrom_name: x\n---\n",
            "t.md:1:1: `subject` is missing from the front matter",
            id="no subject",
        ),
        pytest.param(
            "---\nsubject: S\nsubjet: S\n---\n",
            "t.md:3:1: unknown key 'subjet'; did you mean 'subject'?",
            id="a typo in a key",
        ),
        pytest.param(
            "---\nsubject: S\nsubject: T\n---\n", "t.md:3:1: `subject` is given twice", id="a key given twice"
        ),
        pytest.param(
            "---\nsubject: [a, b]\n---\n", "t.md:2:1: `subject` takes one text", id="a list as subject"
        ),
        pytest.param(
            "---\nsubject: {a: b}\n---\n",
            "t.md:2:10: only plain texts and lists of them may stand here",
            id="a map as subject",
        ),
        pytest.param(
            "---\nsubject: &a S\n---\n",
            "t.md:2:10: only plain texts and lists of them may stand here",
            id="an anchor",
        ),
        pytest.param(
            "---\nsubject: !x S\n---\n",
            "t.md:2:10: only plain texts and lists of them may stand here",
            id="a tag",
        ),
        pytest.param(
            "---\nsubject: 'S\n---\n",
            "t.md:3:1: not YAML: found unexpected end of stream",
            id="an open quote",
        ),
        pytest.param(
            "---\n- a\n---\n",
            "t.md:2:1: front matter is a map such as `subject: Thank you`",
            id="a list as front",
        ),
        pytest.param(
            "---\n---\n", "t.md:2:1: front matter is a map such as `subject: Thank you`", id="an empty front"
        ),
        pytest.param(
            "---\nsubject: S\ninputs: [a b]\n---\n",
            "t.md:3:10: 'a b' is no name: use letters, digits and _",
            id="an input with a blank",
        ),
        pytest.param(
            "---\nsubject: S\ninputs: [message]\n---\n",
            "t.md:3:10: 'message' is taken: choose another name",
            id="an input named message",
        ),
        pytest.param(
            "---\nsubject: S\ninputs: [a, a]\n---\n",
            "t.md:3:13: 'a' is taken: choose another name",
            id="an input given twice",
        ),
        pytest.param(
            "---\nsubject: 'Re {{ mesage.subject }}'\n---\n",
            "t.md:2:17: unknown name 'mesage'; did you mean 'message'?",
            id="a typo in the subject",
        ),
        pytest.param(HEAD + "a\n  {{ order }}", "t.md:5:6: unknown name 'order'", id="an input not declared"),
        pytest.param(
            HEAD + "{{ message.subjekt }}",
            "t.md:4:12: unknown part of the message 'subjekt'; did you mean 'subject'?",
            id="an unknown part",
        ),
        pytest.param(HEAD + "{{ inputs.x }}", "t.md:4:11: unknown input 'x'", id="an unknown input"),
        pytest.param(
            HEAD + "{{ 1 | uper }}",
            "t.md:4:8: unknown filter 'uper'; did you mean 'upper'?",
            id="an unknown filter",
        ),
        pytest.param(
            HEAD + "{% if 1 is evn %}{% endif %}",
            "t.md:4:12: unknown test 'evn'; did you mean 'even'?",
            id="an unknown test",
        ),
        pytest.param(
            HEAD + "x\n{% if %}",
            "t.md:5:1: Expected an expression, got 'end of statement block'",
            id="broken syntax",
        ),
        pytest.param(
            HEAD + "{% macro a() %}{% endmacro %}",
            "t.md:4:4: macro is not available in templates",
            id="a macro",
        ),
        pytest.param(
            HEAD + "{% include 'x' %}",
            "t.md:4:12: there is no partial 'x' in partials/ for this kind of file",
            id="an unknown partial",
        ),
        pytest.param(
            HEAD + "{{ message }}",
            "t.md:4:4: 'message' must be followed by one of its parts: attachments, "
            "cc, date, from, headers, subject, text, to",
            id="the message as a whole",
        ),
        pytest.param(
            HEAD + "{% set now = 1 %}",
            "t.md:4:8: 'now' is taken: choose another name",
            id="a name that is taken",
        ),
    ],
)
def test_mistakes_are_named_with_their_place(source: str, wanted: str) -> None:
    assert errors(source) == [wanted]


def test_every_mistake_of_every_file_is_reported() -> None:
    with pytest.raises(TemplateErrors) as caught:
        load_templates({"a.md": HEAD + "{{ x }}\n{{ y }}", "b.txt": "", "c.md": HEAD, "c.html": HEAD})
    assert [error.place for error in caught.value.errors if isinstance(error, RuleError)] == [
        Place("a.md", 4, 4),
        Place("a.md", 5, 4),
        Place("b.txt"),
        Place("c.md"),
    ]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param(
            "a\n\n{{ captures.gone }}", "t.md:7: 'gone' is not among the captures", id="a missing capture"
        ),
        pytest.param(
            "{{ steps.ticket.number }}", "t.md:5: 'ticket' is not among the steps", id="a missing step"
        ),
        pytest.param(
            "{{ 1 / 0 }}", r"t.md:5: cannot be computed \(ZeroDivisionError\)", id="a division by zero"
        ),
        pytest.param("{{ message.to }}", "t.md:5: prints a list or an object", id="a list printed"),
    ],
)
def test_what_cannot_be_rendered_names_the_line(body: str, wanted: str) -> None:
    with pytest.raises(TemplateError, match=wanted):
        render(body)


def test_errors_hold_no_message_text() -> None:
    for body in ("{{ message.text | round }}", "{{ message.text + 1 }}", "{{ range(message.text) }}"):
        with pytest.raises(TemplateError) as caught:
            render(body, message=message("secret words"))
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_a_rules_use_of_a_template_is_checked() -> None:
    library = load_templates({"t.md": "---\nsubject: S\ninputs: [order, name]\n---\n{{ order }}{{ name }}"})
    place = Place("r.yaml", 3, 5)
    found = library.check("t", {"ordr": "{{ captures.x }}", "name": "{{ nope }}"}, place)
    assert [error.message for error in found] == [
        "template 't' needs the input 'order'",
        "unknown input 'ordr'; did you mean 'order'?",
        "unknown name 'nope'",
    ]
    assert found[0].place == place
    assert library.check("t", ["order", "name"], place) == []
    assert [error.message for error in library.check("tt", {}, place)] == [
        "unknown template 'tt'; did you mean 't'?"
    ]


def test_what_is_missing_is_named_when_rendering() -> None:
    library = load_templates({"t.md": "---\nsubject: S\ninputs: [order]\n---\n{{ order }}"})
    with pytest.raises(TemplateError, match="template 't' needs the input 'order'"):
        library.render("t", Context(message()))
    with pytest.raises(TemplateError, match="unknown template 'x'"):
        library.render("x", Context(message()))
    assert "t" in library
    assert library.names == {"t"}


def test_a_template_without_a_message_renders() -> None:
    library = load_templates({"t.md": HEAD + "It is {{ now | date('%Y') }}."})
    assert library.render("t", Context(None, now=NOW)).text == "It is 2026.\n"


def test_subject_and_name_are_single_lines() -> None:
    odd = message("", ("Subject", "a\r\n b\x00\x0b\u2028c " + "long " * 200))
    made = render("x", subject="Re: {{ message.subject }}", message=odd)
    assert made.subject.startswith("Re: a b c long")
    assert len(made.subject) == 300


def test_the_module_keeps_to_its_layer() -> None:
    folder = Path(__file__).parent.parent.parent / "engine" / "templating"
    for file in folder.glob("*.py"):
        assert "engine.rules" not in file.read_text(encoding="utf-8")
