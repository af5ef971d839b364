"""JSON Schema (draft 2020-12) of rule files, from the components themselves."""

from __future__ import annotations

from typing import Any

from engine.rules.model import RuleFile


def rules_schema() -> dict[str, Any]:
    """Build the schema for editors; what it accepts is not always right, what it refuses is wrong."""
    schema = RuleFile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Postroom rules",
        **schema,
    }
