"""JSON Schema (draft 2020-12) of rule files, from the components themselves."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.rules.addresses import AddressKinds
from engine.rules.model import RuleFile
from engine.rules.quantities import SizeKinds
from engine.rules.text import TextKinds

KINDS = (TextKinds, AddressKinds, SizeKinds)
SHARED = {"condition": "Condition", "action": "Action"}
"""Choices that stand in many places, by their comments, and what they are called where they stand once."""
_LONG = re.compile(r"^engine__rules__(action|condition)s__\w+?__(\w+)$")


def rules_schema() -> dict[str, Any]:
    """Build the schema for editors; what it accepts is not always right, what it refuses is wrong."""
    whole = RuleFile.model_json_schema(by_alias=True)
    shared: dict[str, Any] = {}
    schema = _shared(whole, shared)
    definitions = {_short(name): each for name, each in schema.pop("$defs").items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Postroom rules",
        **schema,
        "$defs": dict(sorted(_once({**definitions, **shared}).items())),
    }


def _once(definitions: dict[str, Any]) -> dict[str, Any]:
    """Write the kinds that many conditions share once."""
    kinds = {kind.__name__: _shared(kind.model_json_schema(by_alias=True), {}) for kind in KINDS}
    known = {_bare(kind): name for name, kind in kinds.items()}
    linked = {
        name: {"$ref": f"#/$defs/{known[_bare(each)]}", "description": each["description"]}
        for name, each in definitions.items()
        if name not in kinds and _bare(each) in known
    }
    return {**definitions, **{name: _without(kind, "$defs") for name, kind in kinds.items()}, **linked}


def _bare(schema: dict[str, Any]) -> str:
    return json.dumps(_without(schema, "$defs", "description"), sort_keys=True)


def _without(schema: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: each for key, each in schema.items() if key not in keys}


def _shared(value: Any, shared: dict[str, Any]) -> Any:
    """Let what stands in many places stand once, and shorten names."""
    if isinstance(value, list):
        return [_shared(each, shared) for each in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _shared(each, shared) for key, each in value.items()}
    if isinstance(inner.get("$ref"), str):
        inner["$ref"] = f"#/$defs/{_short(inner['$ref'].removeprefix('#/$defs/'))}"
    name = SHARED.get(inner["$comment"]) if isinstance(inner.get("$comment"), str) else None
    if name is None:
        return inner
    said = {key: inner.pop(key) for key in ("description", "default") if key in inner}
    if "properties" in inner:
        shared[name] = {key: each for key, each in inner.items() if key != "$comment"}
    return {"$ref": f"#/$defs/{name}", **said}


def _short(name: str) -> str:
    found = _LONG.match(name)
    return f"{found[2]}{found[1].title()}" if found else name
