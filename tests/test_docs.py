"""The documents: what they show works, what they name exists, and what exists is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine import __version__
from engine.cli.main import COMMANDS
from engine.rules.schema import rules_schema
from engine.rules.testing import examine
from engine.settings import load_settings
from engine.settings.hooks import HookSettings
from engine.settings.model import AccountSettings, MailboxSettings, Settings
from engine.settings.outside import EndpointSettings
from engine.templating.folder import read_folder
from engine.templating.library import load_templates

CHECKOUT = Path(__file__).parent.parent
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/approvals.md",
    "docs/backtest.md",
    "docs/hooks.md",
    "docs/operations.md",
    "docs/sandbox.md",
    "docs/rules.md",
    "docs/templates.md",
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
KEY = re.compile(r"key\(\"([a-z][a-z:-]*)\"")
OPEN_KEYS: dict[type[BaseModel], str] = {
    AccountSettings: "accounts.NAME.",
    MailboxSettings: "mailboxes.ADDRESS.",
    HookSettings: "hooks.NAME.",
    EndpointSettings: "endpoints.NAME.",
}


def text(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text(name)) if kind == language]


def prose(name: str) -> str:
    """A document without its code blocks."""
    return FENCE.sub("", text(name))


def section(name: str, title: str) -> str:
    """What stands below a heading of the second level."""
    return text(name).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_cells(table: str) -> list[str]:
    """The code in the first column of a section's table rows."""
    return [code for line in table.splitlines() for code in re.findall(r"^\| `([^`]+)` \|", line)]


def templates() -> dict[str, str]:
    return read_folder(CHECKOUT / "templates")


def test_the_rule_of_the_readme_loads_and_passes_its_tests() -> None:
    checked = examine({"invoices.yaml": blocks("README.md", "yaml")[0]}, load_templates(templates()))
    assert checked.errors == ()
    assert checked.warnings == ()
    assert len(checked.results) == 2
    assert all(result.passed for result in checked.results)


def test_the_rule_of_the_page_on_hooks_loads_and_passes_its_test() -> None:
    checked = examine({"orders.yaml": blocks("docs/hooks.md", "yaml")[1]}, None)
    assert checked.errors == ()
    assert [result.passed for result in checked.results] == [True]


def test_the_rule_of_the_page_on_approval_loads_and_passes_its_test() -> None:
    checked = examine({"refunds.yaml": blocks("docs/approvals.md", "yaml")[0]}, load_templates(templates()))
    assert checked.errors == ()
    assert [result.passed for result in checked.results] == [True]


def test_the_configuration_of_the_readme_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZOOM_SECRET", "ZOOM_HOOK"):
        monkeypatch.setenv(name, f"the {name}")
    file = tmp_path / "postroom.yaml"
    file.write_text(blocks("README.md", "yaml")[1], encoding="utf-8")
    settings = load_settings(str(file))
    assert settings.mailboxes.keys() == {"support@acme.example"}
    assert settings.accounts["acme"].client_secret == "the ZOOM_SECRET"


def test_the_readme_names_every_key_of_the_configuration_and_no_other() -> None:
    assert sorted(first_cells(section("README.md", "Configuring"))) == sorted(keys(Settings))


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        named = str(field.annotation)
        below: type[BaseModel] | None = next((kind for kind in OPEN_KEYS if kind.__name__ in named), None)
        if below:
            yield from keys(below, OPEN_KEYS[below])
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")
        elif (prefix, name) != ("", "file"):  # Set by the loader.
            yield f"{prefix}{field.alias or name}"


def test_the_readme_names_every_command_and_no_other() -> None:
    assert first_cells(section("README.md", "Commands")) == list(COMMANDS)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_that_are_shown_exist(name: str) -> None:
    lines = [line for body in blocks(name, "console") for line in body.splitlines()]
    shown = {word for line in lines if line.startswith("$ ") for word in re.findall(r"postroom (\w+)", line)}
    targets = {word for line in lines for word in re.findall(r"^\$ make (\w+)", line)}
    assert shown <= COMMANDS.keys()
    assert targets <= set(re.findall(r"^(\w+):", text("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    here = CHECKOUT / name
    for link in LINK.findall(prose(name)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (here.parent / path).resolve() if path else here
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(document: Path) -> set[str]:
    """How GitHub names headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_modules_that_are_named_exist(name: str) -> None:
    named = re.findall(r"`(engine/[\w/]+(?:\.py)?|(?:tests|scripts)/[\w/.-]+)`", prose(name))
    named += [f"engine/{path}" for path in re.findall(r"`((?:flow|store|web|mail)/\w+\.py)`", prose(name))]
    named += [f"engine/store/lua/{script}" for script in re.findall(r"`(\w+\.lua)`", prose(name))]
    assert [path for path in named if not (CHECKOUT / path).exists()] == []


def test_the_architecture_names_every_key_of_the_store() -> None:
    sources = [file.read_text(encoding="utf-8") for file in (CHECKOUT / "engine" / "store").glob("*.py")]
    used = {key for source in sources for key in KEY.findall(source)}
    named = re.findall(r"`([a-z:-]+?):?(?:[A-Z:]+[a-z]*)?`", section("ARCHITECTURE.md", "State at rest"))
    assert len(used) > 20
    assert used <= set(named)


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"\n## {__version__}\n" in text("CHANGELOG.md")


def test_the_published_schema_is_fresh() -> None:
    """`postroom schema > docs/rules.schema.json` brings it in line with the components."""
    assert json.loads(text("docs/rules.schema.json")) == rules_schema()
