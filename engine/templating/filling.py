"""The inputs of one rendering: a rule's texts rendered, plain values taken, all of them of their types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.errors import Place, TemplateError
from engine.templating.environment import TEXT
from engine.templating.inputs import Input, convert
from engine.templating.program import Program, compile_input
from engine.templating.views import Context, read_json

_WHOLE = re.compile(r"\s*\{\{\s*payload((?:\.[A-Za-z_][A-Za-z0-9_]*|\['[^']*'\])+)\s*\}\}\s*")
_KEY = re.compile(r"\.([A-Za-z0-9_]+)|\['([^']*)'\]")
"""An input that is one value of the payload, and so may be a list or a map."""


def fill(name: str, declared: Mapping[str, Input], context: Context) -> dict[str, Any]:
    """Give every declared input a value of its type. Raises TemplateError."""
    variables: Mapping[str, Any] = {}
    filled: dict[str, Any] = {}
    for key, one in sorted(declared.items()):
        if key in context.inputs:
            variables = variables or context.variables()
            value: Any = _rendered(name, key, context.inputs[key], context, variables)
        elif key in context.values:
            value = context.values[key]
        elif one.required:
            raise TemplateError(f"template '{name}' needs the input '{key}'")
        else:
            filled[key] = one.default
            continue
        try:
            filled[key] = convert(one.type, value)
        except ValueError as error:
            raise TemplateError(f"template '{name}': the input '{key}' {error}") from None
    return filled


def fill_texts(name: str, texts: Mapping[str, str], context: Context) -> dict[str, str]:
    """Render texts of a rule's that read one message or call, each into a text. Raises TemplateError."""
    variables = context.variables()
    return {key: _text(name, key, text, variables) for key, text in texts.items()}


def _rendered(name: str, key: str, text: str, context: Context, variables: Mapping[str, Any]) -> Any:
    if whole := _WHOLE.fullmatch(text):
        value: Any = read_json(context.payload) if context.payload else {}
        for dotted, quoted in _KEY.findall(whole[1]):
            value = value.get(dotted or quoted) if isinstance(value, Mapping) else None
        if isinstance(value, list | tuple | Mapping):
            return value
    return _text(name, key, text, variables)


def _text(name: str, key: str, text: str, variables: Mapping[str, Any]) -> str:
    made = compile_input(text, TEXT, Place(f"{name}: input '{key}'"))
    if not isinstance(made, Program):
        raise TemplateError(str(made[0]))
    return made.render(variables)
