"""The reference of the rule language: its prose from reference.md, all the rest from the models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from inspect import cleandoc
from typing import Any

from engine.rules.action import Action
from engine.rules.addresses import AddressKinds
from engine.rules.condition import Condition
from engine.rules.quantities import CountKinds, SizeKinds
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.rules.schema import rules_schema
from engine.rules.strict import Strict
from engine.rules.takes import LINKS, Definitions, named, takes
from engine.rules.text import TextKinds

BASES: Mapping[type[Strict], str] = {
    TextKinds: "[text kinds](#text-kinds)",
    AddressKinds: "[address kinds](#address-kinds)",
    CountKinds: "[counts](#sizes-and-counts)",
    SizeKinds: "[sizes](#sizes-and-counts)",
}
Components = Mapping[str, type[Condition] | type[Action]]


def reference() -> str:
    """Write the reference as Markdown: every `<!-- NAME -->` line of the prose is filled in."""
    prose = resources.files("engine.rules").joinpath("reference.md").read_text(encoding="utf-8")
    fill: Mapping[str, Callable[[], Iterator[str]]] = {
        "<!-- conditions -->": lambda: _components(CONDITIONS, "when"),
        "<!-- actions -->": lambda: _components(ACTIONS, "then"),
        "<!-- text kinds -->": lambda: _table(TextKinds),
        "<!-- address kinds -->": lambda: _table(AddressKinds),
        "<!-- sizes -->": lambda: _table(SizeKinds),
        "<!-- file -->": lambda: _rows(_whole()),
        **{f"<!-- {name} -->": _definition(name) for name in _schema()["$defs"]},
    }
    lines = (fill[line]() if line in fill else iter([line]) for line in prose.splitlines())
    whole = "\n".join(line for each in lines for line in each)
    return whole.replace("\n\n\n", "\n\n").rstrip() + "\n"


@cache
def _schema() -> dict[str, Any]:
    return rules_schema()


def _whole() -> dict[str, Any]:
    return {key: value for key, value in _schema().items() if key != "$defs"}


def _definition(name: str) -> Callable[[], Iterator[str]]:
    def lines() -> Iterator[str]:
        definitions = _schema()["$defs"]
        yield from _rows(definitions[name], definitions)
        yield from _below(definitions[name], definitions, {name})

    return lines


def _table(model: type[Strict]) -> Iterator[str]:
    yield from _rows(model.model_json_schema(by_alias=True))


def _components(components: Components, place: str) -> Iterator[str]:
    definitions = _schema()["$defs"]
    choices = definitions["Condition" if place == "when" else "Action"]["properties"]
    for key, component in sorted(components.items()):
        schema = definitions[choices[key]["$ref"].rpartition("/")[2]]
        yield from (f"### `{key}`", "", *cleandoc(component.__doc__ or "").splitlines(), "")
        yield from _takes(component, schema, definitions)
        yield "```yaml"
        for text in component.examples:
            yield f"{place}: {{{text}}}" if place == "when" else f"then: [{{{text}}}]"
        yield from ("```", "")


def _resolved(schema: dict[str, Any], definitions: Definitions) -> dict[str, Any]:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    return schema


def _takes(
    component: type[Condition] | type[Action], schema: dict[str, Any], definitions: Definitions
) -> Iterator[str]:
    """Say what may stand below a component: its own keys, beside the kinds that it shares with others."""
    base = next((base for base in BASES if issubclass(component, base)), None)
    if component.only_bare:
        yield from (f"Takes {takes(schema, definitions)}.", "")
        return
    schema = _resolved(schema, definitions)
    shared = set(base.keys()) if base else set(Action.keys()) if issubclass(component, Action) else set()
    own = {key: field for key, field in _properties(schema).items() if key not in shared}
    short = f" A bare value stands for `{_alias(component)}`." if _alias(component) else ""
    if base:
        yield from (f"Takes {BASES[base]}{', and:' if own else '.'}{'' if own else short}", "")
    if own:
        required = _map(schema).get("required", ())
        yield from _rows({"properties": own, "required": required}, definitions)
        yield from _below({"properties": own}, definitions, set())
        if short:
            yield from (short.strip(), "")


def _alias(component: type[Strict]) -> str:
    field = component.model_fields.get(f"{component.bare}_") or component.model_fields.get(component.bare)
    return (field.alias or component.bare) if field else ""


def _map(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the map among the ways to write a value."""
    ways = () if "properties" in schema else schema.get("anyOf", ())
    return next((way for way in ways if "properties" in way), schema)


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _map(schema).get("properties", {})
    return found


def _rows(schema: dict[str, Any], definitions: Definitions | None = None) -> Iterator[str]:
    known = _schema()["$defs"] if definitions is None else definitions
    required = _map(schema).get("required", ())
    yield from ("| key | takes | |", "|---|---|---|")
    for key, field in _properties(schema).items():
        needed = "**required.** " if key in required else ""
        said = f"{needed}{field.get('description', '')}".replace("|", r"\|")
        yield f"| `{key}` | {takes(field, known)} | {said} |"
    yield ""


def _below(schema: dict[str, Any], definitions: Definitions, told: set[str]) -> Iterator[str]:
    """Describe the maps that stand below a key and nowhere else."""
    for key, field in _properties(schema).items():
        for name in named(field):
            if name in LINKS or name in told or not _properties(definitions[name]):
                continue
            told.add(name)
            yield from (f"Below `{key}`:", "", *_rows(definitions[name], definitions))
            yield from _below(definitions[name], definitions, told)
