"""What stands around a body: layouts, partials, languages, inputs of types, images, files, header fields."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.errors import Place, TemplateError
from engine.templating.library import Context, Library, Rendered, TemplateErrors, load_templates
from tests.templating.rendering import NOW, message

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\0" * 20).decode()
LOGO = "---\nimages: {logo: files/logo.png}\n---\n"
LAYOUT = LOGO + '<html><body><img src="{{ images.logo }}">{{ content }}</body></html>'
HEAD = "---\nsubject: S\n%s---\n"


def load(front: str = "", body: str = "x", *, kind: str = "html", **more: str) -> Library:
    return load_templates({f"t.{kind}": HEAD % front + body, **more})


def render(made: Library, language: str = "", **context: Any) -> Rendered:
    return made.render("t", Context(context.pop("message", message()), now=NOW, **context), language)


def errors(files: dict[str, str]) -> list[str]:
    with pytest.raises(TemplateErrors) as caught:
        load_templates(files)
    return [str(error) for error in caught.value.errors]


def test_a_layout_goes_around_the_body_and_brings_its_images() -> None:
    made = load("layout: acme\n", "**Hi** {{ message.subject }}", kind="md",
                **{"layouts/acme.html": LAYOUT, "files/logo.png": PNG})  # fmt: skip
    mail = render(made)
    (logo,) = mail.files
    assert (
        mail.html
        == f'<html><body><img src="cid:{logo.id}"><p><strong>Hi</strong> A question</p>\n</body></html>'
    )
    assert (logo.name, logo.type) == ("logo.png", "image/png")
    assert mail.text == "**Hi** A question\n"


def test_a_layout_has_a_text_of_its_own() -> None:
    files = {"layouts/acme.html": "<i>{{ content }}</i>", "layouts/acme.txt": "{{ content }}\n\n-- \nAcme\n"}
    assert render(load("layout: acme\n", "<p>Hi</p>", **files)).text == "Hi\n\n-- \nAcme\n"
    assert render(load("layout: acme\n", "Hi", kind="md", **files)).text == "Hi\n\n-- \nAcme\n"


def test_a_text_beside_html_is_the_text_part() -> None:
    assert (
        render(load("", "<p>Hi</p>", **{"t.txt": "Hello <{{ message.subject }}>"})).text
        == "Hello <A question>\n"
    )


def test_the_text_of_html_marks_quotes_and_items() -> None:
    body = "<ul><li>a<li>b</ul><p>x</p><blockquote>q<br>r<blockquote>s</blockquote></blockquote><p>y</p>"
    assert render(load("", body)).text == "- a\n- b\n\nx\n\n> q\n> r\n>\n>> s\n\ny\n"


def test_styles_are_written_into_elements_and_media_rules_stay() -> None:
    style = "<style>p { color: red } @media (max-width: 480px) { p { color: blue } }</style>"
    html = render(load("", f"<html><head>{style}</head><body><p>x</p></body></html>")).html
    assert '<p style="color: red;">x</p>' in html
    assert "@media (max-width: 480px)" in html
    assert "{ color: red }" not in html


def test_a_partial_stands_for_its_text() -> None:
    files = {
        "partials/hi.html": "Hi {{ who }}{% include 'end' %}",
        "partials/end.html": "!",
        "partials/hi.md": "no",
    }
    made = load("", "{% for who in ['a', 'b'] %}{% include 'hi' %}{% endfor %}", **files)
    assert render(made).html == "Hi a!Hi b!"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(
            {"t.md": "{% include 'p' %}", "partials/p.md": "x\n  {{ y }}"},
            "partials/p.md:2:6: unknown name 'y'",
            id="a fault in a partial names its own line",
        ),
        pytest.param(
            {"t.md": "{% include 'p' %}", "partials/p.md": "\n{% if %}"},
            "partials/p.md:2:1: Expected an expression, got 'end of statement block'",
            id="broken syntax",
        ),
        pytest.param(
            {"t.md": "{% include 'p' %}", "partials/p.md": "{% include 'p' %}"},
            "partials/p.md:1:12: the partial 'p' includes itself",
            id="a circle",
        ),
        pytest.param(
            {"t.md": "{% include 'p' %}", "partials/p.html": "x"},
            "t.md:4:12: there is no partial 'p' in partials/ for this kind of file",
            id="another kind",
        ),
        pytest.param(
            {"t.md": "{% include message.subject %}"},
            "t.md:4:4: an include names one partial: {% include 'signature' %}",
            id="a name from a message",
        ),
        pytest.param(
            {"t.md": "{% include 'p' %}" * 60, "partials/p.md": "x"},
            "t.md:4:12: includes more than 50 partials",
            id="too many",
        ),
        pytest.param(
            {
                "t.md": "{% include 'a' %}",
                **{
                    f"partials/{n}.md": f"{{% include '{m}' %}}" * 2
                    for n, m in ("ab", "bc", "cd", "de", "ef", "fg", "gh")
                },
                "partials/h.md": "x",
            },
            "partials/d.md:1:12: includes more than 50 partials",
            id="a growing tree",
        ),
    ],
)
def test_partials_that_cannot_be_are_named(files: dict[str, str], wanted: str) -> None:
    assert wanted in errors({**files, "t.md": HEAD % "" + files["t.md"]})


def test_what_fails_in_a_partial_names_its_line() -> None:
    made = load("", "a\n{% include 'p' %}", kind="md", **{"partials/p.md": "\n\n{{ captures.x }}"})
    with pytest.raises(TemplateError, match=r"^partials/p.md:3: 'x' is not among the captures$"):
        render(made)


def test_a_partial_has_its_needs_and_captures() -> None:
    made = load("", "{% include 'p' %}", **{"partials/p.html": "{{ message.text }}{{ captures.n }}"})
    assert {need.value for need in made.needs("t")} == {"body"}
    found = made.check("t", {}, Place("r"), (frozenset({"n"}), frozenset()))
    assert [error.message for error in found] == [
        "template 't' reads the capture 'n', which not every way to match supplies"
    ]


@pytest.mark.parametrize(
    ("body", "copes"),
    [
        pytest.param("{{ captures.n }}", False, id="read"),
        pytest.param("{{ captures['n'] | upper }}", False, id="read and changed"),
        pytest.param("{{ captures.n | default('x') }}", True, id="with a default"),
        pytest.param("{% if captures.n is defined %}{{ captures.n }}{% endif %}", True, id="asked for"),
        pytest.param("{{ captures.n if captures.n is defined else 'x' }}", True, id="asked for inline"),
        pytest.param(
            "{% if captures.m is defined %}{{ captures.n }}{% endif %}", False, id="another asked for"
        ),
        pytest.param("{{ captures.n | default('x') }}{{ captures.n }}", False, id="once with, once without"),
    ],
)
def test_a_template_that_reads_captures_itself_is_held_to_the_rule(body: str, copes: bool) -> None:
    made = load("", body)
    nobody, maybe, sure = frozenset[str](), frozenset({"n", "m"}), frozenset({"n"})
    assert (made.check("t", {}, Place("r"), (maybe, frozenset({"m"}))) == []) is copes
    assert (made.check("t", {}, Place("r"), (nobody, nobody)) == []) is (copes and "captures.m" not in body)
    assert made.check("t", {}, Place("r"), (maybe, maybe | sure)) == []


VARIANTS = {
    "t.de.md": "---\nsubject: Betreff\n---\n{{ x }} {{ message.date | date('long') }} {{ 1234.5 | number }}",
    "t.pt-BR.md": "---\nsubject: Assunto\nfrom_name: B\n---\n{{ x }}",
}


@pytest.mark.parametrize(
    ("front", "context", "subject"),
    [
        pytest.param("", {}, "S", id="nobody says"),
        pytest.param(
            "",
            {"message": message("", ("Accept-Language", "fr, de-CH;q=0.8, en;q=0.1"))},
            "Betreff",
            id="header",
        ),
        pytest.param("", {"message": message("", ("Accept-Language", "de;q=0, en"))}, "S", id="not that one"),
        pytest.param(
            "", {"message": message("", ("Content-Language", "pt-br"))}, "Assunto", id="case ignored"
        ),
        pytest.param(
            "", {"message": message("", ("Content-Language", "pt"))}, "S", id="a wider one has no variant"
        ),
        pytest.param(
            "", {"message": message("", ("Accept-Language", ";;,=\x00," * 999))}, "S", id="nonsense"
        ),
        pytest.param(
            "variants: [recipient: {'*.de': de}]\n", {"recipients": ("a@x.DE",)}, "Betreff", id="recipient"
        ),
        pytest.param(
            "variants: [mailbox: {'@acme.example': de}]\n",
            {"mailbox": "s@acme.example"},
            "Betreff",
            id="mailbox",
        ),
        pytest.param("variants: [input: x]\n", {"values": {"x": "de_AT"}}, "Betreff", id="input"),
        pytest.param(
            "variants: [{input: x}, {recipient: {'*': pt-BR}}]\n",
            {"values": {"x": "de"}, "recipients": ("a@x.y",)},
            "Betreff",
            id="the first that tells wins",
        ),
        pytest.param(
            "locale: de-CH\n",
            {"message": message("", ("Accept-Language", "de-CH"))},
            "S",
            id="its own language",
        ),
    ],
)
def test_the_language_is_chosen(front: str, context: dict[str, Any], subject: str) -> None:
    made = load(front + "inputs: {x: {default: v}}\n", "{{ x }}", kind="md", **VARIANTS)
    assert render(made, **context).subject == subject


def test_a_variant_has_the_rest_from_its_template_and_writes_as_its_language_does() -> None:
    made = load("from_name: A\ninputs: [x]\nheaders: {X-A: b}\n", "{{ x }}", kind="md", **VARIANTS)
    german, brazilian = (render(made, tag, values={"x": "v"}) for tag in ("de", "pt-BR"))
    assert (german.text, german.from_name, german.headers) == ("v 2. März 2026 1.234,5\n", "A", {"X-A": "b"})
    assert (brazilian.from_name, brazilian.locale) == ("B", "pt-br")
    with pytest.raises(TemplateError, match="no variant in 'fr'"):
        render(made, "fr", values={"x": "v"})


def test_partials_and_layouts_have_variants_too() -> None:
    files = {
        "t.de.html": "---\nsubject: D\n---\n{% include 'p' %}",
        "partials/p.html": "en",
        "partials/p.de.html": "de",
        "layouts/l.html": "{{ content }}!",
        "layouts/l.de.html": "{{ content }}?",
    }
    made = load("layout: l\n", "{% include 'p' %}", **files)
    assert (render(made).html, render(made, "de").html) == ("en!", "de?")


DAY = "{type: date, default: 2026-03-10}"
INPUTS = f"inputs: {{n: number, rows: list, on: {{type: flag, default: false}}, day: {DAY}}}\n"


def test_inputs_have_types_and_defaults() -> None:
    made = load(
        INPUTS,
        "{{ n + 1 }} {{ 'y' if on else 'n' }} {{ day | date('long') }} "
        "{% for r in rows %}{{ r.a }}{% endfor %}",
    )
    assert (
        render(made, values={"n": "41", "rows": [{"a": 1}, {"a": "<"}]}).html == "42 n March 10, 2026 1&lt;"
    )


def test_a_rule_gives_texts_and_whole_lists_of_a_payload() -> None:
    made = load(INPUTS, "{{ n }}{{ on }}{% for r in rows %}{{ r.a }}{% endfor %}")
    inputs = {"n": "{{ payload.order.n }}", "on": "yes", "rows": "{{ payload['the rows'] }}"}
    payload = '{"order": {"n": 7}, "the rows": [{"a": 1}, {"a": 2}]}'
    assert render(made, inputs=inputs, payload=payload).html == "7True12"


@pytest.mark.parametrize(
    ("values", "why"),
    [
        pytest.param(
            {"n": "secret", "rows": []}, "the input 'n' is no number, such as 12 or 12.50", id="a word"
        ),
        pytest.param({"n": True, "rows": []}, "the input 'n' is no number, such as 12 or 12.50", id="a flag"),
        pytest.param(
            {"n": float("nan"), "rows": []}, "the input 'n' is no number, such as 12 or 12.50", id="NaN"
        ),
        pytest.param(
            {"n": 10**30, "rows": []}, "the input 'n' is no number, such as 12 or 12.50", id="a huge number"
        ),
        pytest.param({"n": 1, "rows": "secret"}, "the input 'rows' is no list", id="a text as list"),
        pytest.param({"n": 1, "rows": [[1]]}, "a list directly in a list", id="lists in lists"),
        pytest.param({"n": 1, "rows": [{}] * 10_001}, "more than 10,000 values", id="a long list"),
        pytest.param({"n": 1, "rows": [], "day": "secret"}, "the input 'day' is no date", id="no date"),
        pytest.param(
            {"n": 1, "rows": [], "on": "secret"}, "the input 'on' is neither true nor false", id="no flag"
        ),
        pytest.param({"n": 1}, "template 't' needs the input 'rows'", id="a missing one"),
    ],
)
def test_inputs_of_another_type_are_refused_without_their_text(values: dict[str, Any], why: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(load(INPUTS, "x"), values=values)
    assert why in str(caught.value)
    assert "secret" not in str(caught.value)


def test_literals_of_another_type_are_found_by_check() -> None:
    found = load(INPUTS, "x").check("t", {"n": "twelve", "rows": "{{ payload.rows }}"}, Place("r"))
    assert [error.message for error in found] == ["the input 'n' is no number, such as 12 or 12.50"]


def test_values_are_never_rendered_as_templates() -> None:
    made = load("inputs: [a]\n", "{{ a }}")
    assert render(made, values={"a": "{{ mailbox }}"}, mailbox="m").html == "{{ mailbox }}"


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        pytest.param("at | date", "2026-03-10 00:30", id="as by strftime"),
        pytest.param("at | date('long')", "March 10, 2026", id="a width"),
        pytest.param("at | date('d. MMM y', locale='de')", "10. März 2026", id="a pattern and a language"),
        pytest.param(
            "at | date('long', zone='America/New_York')", "March 9, 2026", id="a day in another zone"
        ),
        pytest.param("at | time", "12:30 AM", id="a time"),
        pytest.param("at | datetime('short', locale='de')", "10.03.26, 00:30", id="both"),
        pytest.param("n | money('EUR')", "€1,234.50", id="money"),
        pytest.param("n | money('EUR', locale='de')", "1.234,50 €", id="money in German"),
        pytest.param("n | money('JPY')", "¥1,234", id="money without cents"),
        pytest.param("'9.95' | money('USD')", "$9.95", id="a text of a number"),
        pytest.param("n | number(0)", "1,234", id="a number without decimals"),
        pytest.param("0.256 | percent", "26%", id="percent"),
        pytest.param("none | date('long')", "", id="no date"),
    ],
)
def test_dates_and_money_are_written_as_people_write_them(expression: str, wanted: str) -> None:
    made = load("inputs: {at: date, n: number}\n", f"{{{{ {expression} }}}}")
    at = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
    html = render(made, values={"at": at, "n": 1234.5}, zone=ZoneInfo("Europe/Berlin")).html
    assert html.replace("\u202f", " ").replace("\u00a0", " ") == wanted


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        pytest.param(
            "message.subject | date", "writes something as a date that is none", id="a text as date"
        ),
        pytest.param("now | date('long', zone='../x')", "names a time zone that is not known", id="no zone"),
        pytest.param(
            "now | date('long', locale='../x')", "names a language that is not known", id="no language"
        ),
        pytest.param("now | date('y' ~ 'y' * 9)", "uses `*` on something else than numbers", id="a product"),
        pytest.param(
            "now | date('" + "y" * 99 + "')", "pattern of more than 60 characters", id="a long pattern"
        ),
        pytest.param("1 | money('euro')", "three capital letters", id="no currency"),
        pytest.param("'1e999999' | number", "writes something as a number that is none", id="a huge power"),
        pytest.param("now | time(other=1)", "takes `zone` and `locale` only", id="an unknown setting"),
    ],
)
def test_formats_that_cannot_be_are_refused(expression: str, why: str) -> None:
    with pytest.raises(TemplateError, match=why.replace("*", r"\*")):
        render(load("", f"{{{{ {expression} }}}}"))


def test_headers_sender_answers_and_files_come_along() -> None:
    front = (
        "from: Acme <a@acme.example>\nreply_to: [b@acme.example, C <c@acme.example>]\n"
        "headers: {X-Order: '{{ message.subject }}'}\nattach: [files/terms.pdf, {message: '*.pdf'}]\n"
    )
    mail = render(load(front, **{"files/terms.pdf": base64.b64encode(b"%PDF-1").decode()}))
    assert (mail.sender, mail.from_name) == ("a@acme.example", "Acme")
    assert [address.address for address in mail.reply_to] == ["b@acme.example", "c@acme.example"]
    assert mail.headers == {"X-Order": "A question"}
    assert [(file.name, file.type, file.content) for file in mail.files] == [
        ("terms.pdf", "application/pdf", b"%PDF-1")
    ]
    assert mail.own == ("*.pdf",)
    assert {need.value for need in load(front.replace("files/terms.pdf, ", "")).needs("t")} == {
        "headers",
        "attachments",
    }


@pytest.mark.parametrize(
    ("front", "wanted"),
    [
        pytest.param(
            "from: '{{ message.from }}'",
            "t.html:3:8: `from` is fixed: a message never decides it",
            id="a sender from a message",
        ),
        pytest.param(
            "reply_to: nobody",
            "t.html:3:11: 'nobody' is no address, such as Acme <a@acme.example>",
            id="no address",
        ),
        pytest.param(
            'from: "a@b.example\\r\\nBcc: c@d.example"', "is no address, such as", id="a sender of two lines"
        ),
        pytest.param(
            "headers: {Subject: x}",
            "t.html:3:11: 'Subject' is no header field that a template may add",
            id="a field of ours",
        ),
        pytest.param(
            "headers: {Auto-Submitted: 'no'}",
            "is no header field that a template may add",
            id="what keeps loops away",
        ),
        pytest.param("headers: {Reply-To: x}", "is no header field that a template may add", id="answers"),
        pytest.param(
            'headers: {"A\\r\\nBcc": x}',
            "is no header field that a template may add",
            id="a field of two lines",
        ),
        pytest.param(
            "headers: {'{{ x }}': x}", "is no header field that a template may add", id="a field from a value"
        ),
        pytest.param("layout: acm", "t.html:3:9: unknown layout 'acm'", id="an unknown layout"),
        pytest.param(
            "images: {a: files/x.png}",
            "t.html:3:13: unknown file of the template folder 'files/x.png'",
            id="no file",
        ),
        pytest.param(
            "images: {a: files/t.txt}",
            "t.html:3:13: 'files/t.txt' is no PNG, JPEG, GIF or WebP",
            id="no image",
        ),
        pytest.param("attach: [../x]", "unknown file of the template folder '../x'", id="a path outside"),
        pytest.param(
            "attach: {mesage: '*'}", "t.html:3:9: write a file, or {message: '*.pdf'}", id="another map"
        ),
        pytest.param(
            "locale: klingon", "t.html:3:9: 'klingon' is no language that is known", id="no language"
        ),
        pytest.param(
            "variants: [heder: X]",
            "t.html:3:12: unknown source 'heder'; did you mean 'header'?",
            id="no source",
        ),
        pytest.param("variants: header", "t.html:3:11: `variants` takes a list such as", id="no list"),
        pytest.param(
            "inputs: {a: txt}", "t.html:3:13: unknown type 'txt'; did you mean 'text'?", id="no type"
        ),
        pytest.param("inputs: {a: {typ: text}}", "t.html:3:14: unknown key of an input 'typ'", id="no key"),
        pytest.param(
            "inputs: {a: {type: number, default: x}}",
            "t.html:3:37: `default` is no number",
            id="a default of another type",
        ),
        pytest.param(
            "inputs: {a: number}\nsample: {a: x}",
            "t.html:4:13: `a` is no number",
            id="a sample of another type",
        ),
        pytest.param("sample: {b: x}", "t.html:3:10: unknown input 'b'", id="a sample of nothing"),
        pytest.param("from: A <a@b.example>\nfrom_name: B", "`from` has a name already", id="two names"),
        pytest.param(
            "sample: " + "{a: " * 20 + "1" + "}" * 20, "is nested more than 12 levels deep", id="deep YAML"
        ),
        pytest.param(
            "sample: &x {captures: *x}", "only plain texts and lists of them may stand here", id="an alias"
        ),
    ],
)
def test_front_matter_that_is_wrong_is_named_with_its_place(front: str, wanted: str) -> None:
    files = {"t.html": HEAD % f"{front}\n" + "x", "files/t.txt": base64.b64encode(b"text").decode()}
    assert wanted in errors(files)[0]


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        pytest.param(
            {"t.de.md": HEAD % ""},
            "t.de.md: is a variant of 't', and there is no such template",
            id="of nothing",
        ),
        pytest.param(
            {"t.md": HEAD % "", "t.de.md": HEAD % "inputs: [a]\n"},
            "t.de.md:1:1: `inputs` stands in the template itself, for all languages alike",
            id="inputs in a variant",
        ),
        pytest.param(
            {"t.md": HEAD % "layout: l\n", "layouts/l.html": "x"},
            "layouts/l.html:1:1: never shows its {{ content }}",
            id="a layout without content",
        ),
        pytest.param(
            {"t.md": HEAD % "layout: l\n", "layouts/l.html": "{{ content }}{{ x }}"},
            "layouts/l.html:1:17: unknown name 'x'",
            id="a layout with an input",
        ),
        pytest.param(
            {"layouts/l.md": "x"},
            "layouts/l.md: a layout is named NAME.html, and NAME.txt for its text",
            id="a layout of another kind",
        ),
        pytest.param({"files/x.png": "?"}, "files/x.png: is not base64", id="a file of another kind"),
    ],
)
def test_files_that_do_not_fit_are_named(files: dict[str, str], wanted: str) -> None:
    assert errors(files) == [wanted]
