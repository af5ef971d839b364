"""docs/templates.md: its examples load, and it names every key, type and filter."""

from __future__ import annotations

import re
from pathlib import Path

from engine.templating.environment import TEXT
from engine.templating.folder import read_folder
from engine.templating.front import KEYS
from engine.templating.inputs import TYPES
from engine.templating.library import load_templates
from engine.templating.views import PARTS

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_example_loads() -> None:
    shared = {name: text for name, text in read_folder(ROOT / "templates").items() if "/" in name}
    found = [(kind, body) for kind, body in FENCE.findall(DOCUMENT) if kind in ("md", "yaml")]
    bodies = [body if kind == "md" else f"---\nsubject: S\n{body}---\nx" for kind, body in found]
    assert len(bodies) == 4
    for body in bodies:
        load_templates({**shared, "t.md": body})


def test_every_key_type_part_and_filter_is_named() -> None:
    named = set(re.findall(r"`([a-z_]+)`", DOCUMENT))
    filters = {name for name in TEXT.filters if not name.startswith("#")}
    assert {*KEYS, *TYPES, *PARTS, *filters} - named == set()
