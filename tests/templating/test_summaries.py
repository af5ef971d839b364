"""What `check` proves of templates that are about many at once."""

from __future__ import annotations

import pytest

from engine.errors import Place
from engine.templating.library import load_templates

FIELDS = frozenset({"subject", "from", "date", "order"})
INPUTS = "inputs: {items: list, count: number, more: number, key: text}"
LOOP = "{% for item in items %}\n%s\n{% endfor %}"


def faults(body: str, front: str = INPUTS) -> list[str]:
    library = load_templates({"t.md": f"---\nsubject: s\n{front}\n---\n{body}\n"})
    return [error.message for error in library.check("t", {}, Place("r.yaml", 1, 1), items=FIELDS)]


@pytest.mark.parametrize(
    ("body", "front"),
    [
        pytest.param(
            LOOP.replace("%s", "{{ item.order }} {{ item.from.name }}"), INPUTS, id="what items have"
        ),
        pytest.param(LOOP.replace("%s", "{{ item.x | default('-') }}"), INPUTS, id="what may be missing"),
        pytest.param("{{ (items | first).order }} {{ key }}", INPUTS, id="the first of them"),
        pytest.param(
            "{{ count }}", "inputs: {items: list, count: text, o: {default: x}}", id="an input with a default"
        ),
    ],
)
def test_a_template_may_read_what_a_summary_gives(body: str, front: str) -> None:
    assert faults(body, front) == []


@pytest.mark.parametrize(
    ("body", "front", "said"),
    [
        pytest.param(
            LOOP.replace("%s", "{{ item.oder }}"),
            INPUTS,
            "unknown field of an item 'oder'; did you mean 'order'?",
            id="a field that no item has",
        ),
        pytest.param(
            "{{ inputs.items[0].oder }}", INPUTS, "unknown field of an item", id="by the name of inputs"
        ),
        pytest.param(
            "{% for one in items | reverse %}{{ one['oder'] }}{% endfor %}",
            INPUTS,
            "unknown field",
            id="in reverse",
        ),
        pytest.param(
            "{{ message.subject }}", INPUTS, "reads `message`, and a summary is about many", id="a message"
        ),
        pytest.param("{{ captures.x }}", INPUTS, "reads `captures`", id="captures"),
        pytest.param("x", "inputs: [other]", "shows no items; write inputs: {items: list}", id="no items"),
        pytest.param(
            "x", "inputs: [items]", "'items' of template 't' has to be a list", id="items of another type"
        ),
        pytest.param(
            "x", "inputs: {items: list, a: text}", "needs the input 'a', and a summary gives", id="another"
        ),
    ],
)
def test_what_it_cannot_have_is_named(body: str, front: str, said: str) -> None:
    assert any(said in fault for fault in faults(body, front))
