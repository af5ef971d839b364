"""The reference: fresh, whole, and every example in it works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.mail.events import Event, EventKind
from engine.mail.mime import from_raw
from engine.rules.evaluate import evaluate
from engine.rules.reference import reference
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.rules.testing import examine
from engine.sandbox.samples import sample_messages
from tests.rules.making import NOW

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "rules.md"
TEXT = reference()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LISTS = "lists: {vips: ['@a.example']}\n"
CAPTURING = "when: {subject: {regex: '(?P<order>x)|'}}"


def _files() -> Iterator[tuple[str, str]]:
    """Every example as a file: whole ones as they are, single lines in a rule."""
    for block in BLOCKS:
        if block.startswith(("when:", "then:")):
            yield from ((line, _rule(line)) for line in block.splitlines())
        else:
            yield block.splitlines()[0], block if "rules:" in block else f"{block}rules: []\n"


def _rule(line: str) -> str:
    rest = "stop: true" if line.startswith("when:") else CAPTURING
    return f"{LISTS}rules:\n  - id: a\n    {line}\n    {rest}\n"


FILES = [pytest.param(text, id=name) for name, text in _files()]


def test_the_published_reference_is_fresh() -> None:
    """`make docs` writes it anew."""
    assert DOCUMENT.read_text(encoding="utf-8") == TEXT


def test_every_condition_and_action_has_its_section_with_examples() -> None:
    conditions, _, actions = TEXT.partition("\n## Actions\n")
    for part, components in ((conditions, CONDITIONS), (actions, ACTIONS)):
        for key, component in components.items():
            section = part.partition(f"\n### `{key}`\n")[2].partition("\n### ")[0]
            assert "```yaml" in section, key
            assert all(example in section for example in component.examples), key


def test_every_key_is_described() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.endswith("|  |")] == []
    assert "<!-- " not in TEXT.replace("<!-- Written by", "")


@pytest.mark.parametrize("text", FILES)
def test_an_example_loads_passes_its_tests_and_judges_real_mail(text: str) -> None:
    checked = examine({"example.yaml": text}, None)
    assert checked.errors == ()
    assert checked.ruleset is not None
    for name, raw in sample_messages():
        message = from_raw(
            raw, key=name, mailbox="support@acme.example", labels=frozenset({"INBOX"}), received=NOW
        )
        event = Event(EventKind.MESSAGE_RECEIVED, "support@acme.example", 1, name)
        evaluation = evaluate(checked.ruleset, event, message, NOW, final=True)
        assert all("failed with" not in each.why for each in evaluation.undecided)
