"""Whether the rule language takes what was made: nothing that it refuses is ever written."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.rules import registry

_CONDITION: TypeAdapter[Any] = TypeAdapter(registry.AnyCondition)
_ACTION: TypeAdapter[Any] = TypeAdapter(registry.AnyAction)


def condition_problem(condition: Any) -> str:
    """Say what is wrong with a condition; "" if nothing is."""
    return _problem(_CONDITION, condition)


def action_problem(action: Any) -> str:
    """Say what is wrong with an action; "" if nothing is."""
    return _problem(_ACTION, action)


def _problem(adapter: TypeAdapter[Any], value: Any) -> str:
    try:
        adapter.validate_python(_as_read(value), context={"templates": None})
    except ValidationError as error:
        return str(error.errors(include_url=False)[0]["msg"])
    return ""


def _as_read(value: Any) -> Any:
    """Give a value as a rule file would: every scalar is its text."""
    if isinstance(value, dict):
        return {key: _as_read(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_as_read(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
