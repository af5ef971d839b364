"""Fields that no value can have are named when a template is loaded."""

from __future__ import annotations

import pytest

from engine.templating.library import TemplateErrors, load_templates

HEAD = "---\nsubject: S\ninputs: [given]\n---\n\n"


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        pytest.param(
            "{{ message.from.foo }}", "6:17", "unknown field of an address 'foo'", id="of the sender"
        ),
        pytest.param("{{ message.from['nam'] }}", "6:18", "did you mean 'name'?", id="by subscript"),
        pytest.param("{{ message.to.name }}", "6:15", "unknown field of a list of addresses", id="of a list"),
        pytest.param(
            "{{ message.cc[0].mail }}", "6:18", "unknown field of an address", id="of one of a list"
        ),
        pytest.param("{{ (message.to | first).foo }}", "6:25", "of an address 'foo'", id="of the first"),
        pytest.param(
            "{{ (message.to[1:] | reverse | last).foo }}", "6:38", "of an address", id="of a slice's last"
        ),
        pytest.param("{{ message.subject.foo }}", "6:20", "unknown field of a text 'foo'", id="of a text"),
        pytest.param("{{ message.from.name.foo }}", "6:22", "unknown field of a text 'foo'", id="of a name"),
        pytest.param(
            "{% for file in message.attachments %}\n{{ file.bytes }}\n{% endfor %}",
            "7:9",
            "unknown field of an attachment 'bytes'",
            id="of a loop's attachment",
        ),
        pytest.param(
            "{% set a = message.from %}\n{{ a.foo }}", "7:6", "of an address 'foo'", id="of what is set"
        ),
        pytest.param("{{ ''.__class__ }}", "6:7", "unavailable", id="a class"),
        pytest.param("{{ now.__class__ }}", "6:8", "unavailable", id="a class of what is not known"),
        pytest.param("{{ now._x }}", "6:8", "unavailable", id="something private"),
        pytest.param("{{ captures.__class__ }}", "6:13", "unavailable", id="a class of the captures"),
    ],
)
@pytest.mark.parametrize("kind", ["md", "html"])
def test_what_cannot_be_there_is_refused_when_loading(kind: str, body: str, place: str, message: str) -> None:
    with pytest.raises(TemplateErrors) as found:
        load_templates({f"t.{kind}": HEAD + body})
    assert [str(error.place) for error in found.value.errors] == [f"t.{kind}:{place}"]
    assert message.replace("unavailable", "is not available in templates") in str(found.value)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{{ message.from.name }}{{ message.from['address'] }}", id="an address"),
        pytest.param(
            "{% for a in message.to %}{{ a.name.upper() }}{{ loop.index }}{% endfor %}", id="a list"
        ),
        pytest.param(
            "{% for f in message.attachments %}{{ f.type }}{{ f.size }}{% endfor %}", id="attachments"
        ),
        pytest.param(
            "{{ captures._x }}{{ steps.ticket._id }}", id="captures and steps may be called anything"
        ),
        pytest.param(
            "{{ message.headers['_x'] }}{{ message.headers.__x }}", id="headers may be called anything"
        ),
        pytest.param("{% set given = message.from %}{{ given.foo }}", id="what is an input too is not known"),
        pytest.param("{% set a = message.from %}{% set a = steps.x %}{{ a.foo }}", id="what is set twice"),
        pytest.param("{% set a = a %}{% for a in a %}{{ a.foo }}{% endfor %}", id="what is set from itself"),
        pytest.param("{% for a, b in steps.x %}{{ a.foo }}{% endfor %}", id="several at once"),
        pytest.param("{{ now.year }}", id="a date"),
    ],
)
def test_what_may_be_there_is_loaded(body: str) -> None:
    assert load_templates({"t.md": HEAD + body}).names == {"t"}
