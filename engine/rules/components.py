"""Maps with exactly one key, where the key chooses the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Annotated, Any, Union

from pydantic import BeforeValidator, Discriminator, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from engine.rules import hints
from engine.rules.findings import unknown
from engine.rules.strict import UNSEEN, Strict


class _Unwrap:
    """Reads `{key: value}` as the value; the schema shows the map."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(itemgetter(self.key), handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "object",
            "properties": {self.key: handler(core)},
            "patternProperties": {"^x-": {}},
            "required": [self.key],
            "additionalProperties": False,
        }


class _Choice:
    """Shows a choice by key in the way from which editors complete keys and place errors best."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        members: list[JsonSchemaValue] = handler(core)["oneOf"]
        if self.kind != GROUP:
            return {"$comment": self.kind, **_keyed(members)}
        rule, group = members
        return {"if": {"required": [GROUP]}, "then": group, "else": rule}


def _keyed(members: list[JsonSchemaValue]) -> JsonSchemaValue:
    """Join maps of one key each into a map that takes one of these keys."""
    properties: JsonSchemaValue = {}
    for member in members:
        properties |= member["properties"]
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
        "oneOf": [{"required": [key]} for key in properties],
    }


def one_of(kind: str, components: Mapping[str, type[Strict]]) -> Any:
    """Build the type of a map with exactly one key out of many."""
    members = tuple(Annotated[model, _Unwrap(key), Tag(key)] for key, model in sorted(components.items()))
    return Annotated[
        Union[members],  # noqa: UP007 - built from a tuple
        Discriminator(_only_key),
        BeforeValidator(_one_key(kind, components)),
        _Choice(kind),
    ]


GROUP = "group"
HINTS: Mapping[str, Mapping[str, str]] = {"condition": hints.CONDITIONS, "action": hints.ACTIONS}
LISTED: Mapping[str, str] = {
    "condition": "write {all: [...]} where each must hold, {any: [...]} where one must",
    "action": "take the inner '-' away",
}
APART: Mapping[str, str] = {
    "condition": "write {all: [...]} around them, each an item",
    "action": "write each as an item, with its own '-'",
}


def rule_or_group(rule: type[Strict], group: type[Strict]) -> Any:
    """Build the type of an item of `rules`: a rule, or a map with the one key `group`."""
    return Annotated[
        Annotated[rule, Tag(UNSEEN)] | Annotated[group, _Unwrap(GROUP), Tag(GROUP)],
        Discriminator(_rule_or_group),
        BeforeValidator(_alone),
        _Choice(GROUP),
    ]


def _rule_or_group(value: Any) -> str:
    return GROUP if isinstance(value, dict) and GROUP in value else UNSEEN


def _alone(value: Any) -> Any:
    """Refuse what stands beside a group."""
    if not isinstance(value, dict) or GROUP not in value:
        return value
    beside = [key for key in value if key != GROUP and not key.startswith("x-")]
    if beside:
        said = f"'{beside[0]}' stands beside 'group'; what belongs to a group is indented below it"
        raise PydanticCustomError(GROUP, said)
    return value


def _only_key(value: Any) -> Any:
    return next(iter(value)) if isinstance(value, dict) else None


def _one_key(kind: str, components: Mapping[str, type[Strict]]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise PydanticCustomError(kind, _not_a_map(kind, value, components))
        named = {key: inner for key, inner in value.items() if not key.startswith("x-")}
        if len(named) != 1:
            found = ", ".join(named) or "none"
            apart = f"; {_apart(kind, list(named), components)}" if named else ""
            message = f"must be a map with exactly one key, the {kind}; it has: {found}{apart}"
            raise PydanticCustomError(kind, message)
        key = next(iter(named))
        if key not in components:
            raise PydanticCustomError(kind, unknown(kind, key, components, HINTS[kind]))
        return named

    return read


def _apart(kind: str, found: list[str], components: Mapping[str, type[Strict]]) -> str:
    """Say what to do with several keys: take them apart, or indent those that belong to the first."""
    component = components.get(found[0])
    if kind == "action" and component and set(found[1:]) <= set(component.keys()):
        return f"indent {', '.join(found[1:])} below '{found[0]}'"
    return APART[kind]


def _not_a_map(kind: str, value: Any, components: Mapping[str, type[Strict]]) -> str:
    said = f"must be a map with exactly one key, the {kind}"
    if isinstance(value, str):
        first = value.split(maxsplit=1)[0] if value.strip() else ""
        known = first.rstrip(":") in components
        hint = f"write '{first.rstrip(':')}: ...'" if known else unknown(kind, value, components, HINTS[kind])
        return f"{said}; {hint}"
    if isinstance(value, list):
        return f"{said}, not a list; {LISTED[kind]}"
    return said + ("; nothing stands here" if value is None else "")
