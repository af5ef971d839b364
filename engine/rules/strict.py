"""The base of everything that is read from YAML: frozen, closed, with errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from inspect import cleandoc
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from engine.rules.findings import unknown

UNKNOWN_KEY = "unknown_key"
"""The one type of error that speaks of a key; all others speak of the value in that place."""

UNSEEN = "[rule]"
"""A step in a location that stands for nothing in the file."""

RESTATED = "restated"
"""The type of an error that already stands in plain words."""


class Strict(BaseModel):
    """A map with known keys. Keys that begin with `x-` are ignored.

    `bare` names the field that takes a value written without a map; with `only_bare`, the value is
    always that field's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    bare: ClassVar[str] = ""
    only_bare: ClassVar[bool] = False
    shorthand: ClassVar[Mapping[str, Any]] = {}
    """The schema of a shorthand that `spread` knows beside `bare`."""
    map_schema: ClassVar[Mapping[str, Any]] = {}
    """What the schema says of the map beyond its keys."""
    hints: ClassVar[Mapping[str, str]] = {}
    """What to write instead of keys that people expect here."""
    empty_is_unset: ClassVar[bool] = False
    """Whether a key without a value passes for one that is not written."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Keys that may stand in the place of this map: they are meant by what is spelt like them."""

    @model_validator(mode="before")
    @classmethod
    def _spread(cls, data: Any) -> Any:
        return cls.spread(data)

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        empty = cls._empty(data)
        try:
            read = handler(data)
        except ValidationError as error:
            lost = "" if isinstance(data, dict) and not cls.only_bare else cls.bare
            details = [_restate(cls, dict(each), lost) for each in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, empty + details) from None
        if empty:
            raise ValidationError.from_exception_data(cls.__name__, empty)
        return read

    @classmethod
    def _empty(cls, data: Any) -> list[InitErrorDetails]:
        """Find keys without a value that would pass for not written: a scope of nothing is not all."""
        lenient = cls.only_bare or cls.empty_is_unset
        if lenient or not isinstance(data, dict) or None not in data.values():
            return []
        fields = {field.alias or name: field for name, field in cls.model_fields.items()}
        return [
            InitErrorDetails(type=PydanticCustomError(RESTATED, EMPTY), loc=(key,), input=None)
            for key, value in data.items()
            if value is None and key in fields and fields[key].default is None
        ]

    @classmethod
    def spread(cls, data: Any) -> Any:
        """Write a shorthand out as a map."""
        if cls.only_bare or (cls.bare and not isinstance(data, dict)):
            return {cls.bare: data}
        if isinstance(data, dict) and any(key.startswith("x-") for key in data):
            return {key: value for key, value in data.items() if not key.startswith("x-")}
        return data

    @classmethod
    def keys(cls) -> list[str]:
        """List the keys that a map may have."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    def dump(self) -> Any:
        """Give the value back as its author wrote it, shorthands written out."""
        value = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return value[self.bare] if self.only_bare else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        for told in ("title", "description"):
            schema.pop(told, None)
        properties = {key: _written(field) for key, field in schema.get("properties", {}).items()}
        alone = set(schema.get("required", ())) <= {cls.bare}
        bare = properties.get(cls.bare) if alone else None
        whole = {**schema, "properties": properties, "patternProperties": {"^x-": {}}, **cls.map_schema}
        if whole.get("minProperties"):
            telling = properties.keys() - {*schema.get("required", ())}
            whole["anyOf"] = [{"required": [key]} for key in properties if key in telling]
        others = sorted(properties.keys() - {*schema.get("required", ()), "exists"})
        if "exists" in properties and others:
            whole["allOf"] = [without("exists", False, others)]
        short = bare or dict(cls.shorthand)
        schema.clear()
        schema.update(short if cls.only_bare else {"anyOf": [short, whole]} if short else whole)
        if cls.__doc__:
            schema["description"] = cleandoc(cls.__doc__)
        return schema


def _written(field: JsonSchemaValue) -> JsonSchemaValue:
    """Take off what is true of a field in memory alone: that it may be None."""
    schema = {key: value for key, value in field.items() if key != "title"}
    if isinstance(schema.get("default"), dict | list):
        del schema["default"]
    if schema.get("default", NOTHING) is None:
        del schema["default"]
        choices = [choice for choice in schema.pop("anyOf", []) if choice != {"type": "null"}]
        schema |= choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}
    return schema


def _restate(model: type[Strict], error: dict[str, Any], lost: str) -> InitErrorDetails:
    location = error["loc"]
    if error["type"] == "extra_forbidden" and len(location) == 1:
        kind, message = (
            UNKNOWN_KEY,
            unknown("key", str(location[0]), [*model.keys(), *model.beside], model.hints),
        )
    else:
        kind = UNKNOWN_KEY if error["type"] == UNKNOWN_KEY else RESTATED
        message = error["msg"] if error["type"] in (UNKNOWN_KEY, RESTATED) else _plainly(error, model)
    if error["type"] == "missing":
        location = location[:-1]
    if lost and location[:1] == (lost,):
        location = location[1:]
    return InitErrorDetails(type=PydanticCustomError(kind, message), loc=location, input=None)


NOTHING = object()
EMPTY = "is empty; write a value, or take the key out"

WORDS: Mapping[str, str] = {
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a map",
}


def _plainly(error: dict[str, Any], model: type[Strict]) -> str:
    kind, value = error["type"], error["input"]
    said = _SAID.get(kind)
    if said:
        return said(error)
    if kind == "model_type":
        return _no_map(value, model)
    if kind in WORDS:
        return WORDS[kind] + (" and is empty" if value is None else _instead(kind, value))
    return str(error["msg"])


def _no_word(error: dict[str, Any]) -> str:
    choices = error["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
    value = error["input"]
    return unknown("value", value, choices) if isinstance(value, str) else f"must be {_one_of(choices)}"


_SAID: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda error: f"'{error['loc'][-1]}' is missing",
    "value_error": lambda error: str(error["ctx"]["error"]),
    "too_short": lambda _: "must not be empty",
    "literal_error": _no_word,
    "enum": _no_word,
}


def _no_map(value: Any, model: type[Strict]) -> str:
    """Say what a map holds where something else stands."""
    either = "true or false, or " if model.shorthand.get("type") == "boolean" else ""
    instead = ", not a list" if isinstance(value, list) else " and is empty" if value is None else ""
    return f"must be {either}a map{instead}; it takes: {', '.join(model.keys())}"


def _instead(kind: str, value: Any) -> str:
    """Say how to write what is due, where something else stands."""
    if kind in ("tuple_type", "list_type"):
        return "; put '- ' before each item"
    if kind == "dict_type":
        return f"{', not a list' if isinstance(value, list) else ''}; write NAME: VALUE below it"
    if kind == "string_type":
        return ", not a map" if isinstance(value, dict) else ", not a list"
    return ""


def _one_of(choices: list[str]) -> str:
    return ", ".join(choices[:-1]) + f" or {choices[-1]}"


def listed(value: Any) -> Any:
    """Take one value for a list of one."""
    return [value] if isinstance(value, str) else value


def not_empty(value: Any) -> Any:
    """Refuse an empty list, before its members are looked at. Raises ValueError."""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("must not be empty")
    return value


def some(value: Any) -> Any:
    """Take one value for a list of one, and no empty list. Raises ValueError."""
    return listed(not_empty(value))


def _flag(value: Any) -> bool:
    if isinstance(value, str) and value in ("true", "True", "TRUE"):
        return True
    if isinstance(value, str) and value in ("false", "False", "FALSE"):
        return False
    if isinstance(value, bool):
        return value
    if value is None:
        raise ValueError("must be true or false and is empty")
    said = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
    meant = said.get(value.lower()) if isinstance(value, str) else None
    raise ValueError("must be true or false" + (f"; write {meant} for '{value}'" if meant else ""))


_WHOLE = re.compile(r"[-+]?(0|[1-9]\d{0,8})", re.ASCII)


def _whole(value: Any) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    bare = value.lstrip("+-") if isinstance(value, str) else ""
    if bare.isdigit() and bare.startswith("0"):
        raise ValueError(f"must be a whole number; write {int(bare)} for '{value}'")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    shown = f"; '{value}' is none" if isinstance(value, str) else " and is empty" if value is None else ""
    raise ValueError(f"must be a whole number of at most nine digits{shown}")


Whole = Annotated[int, PlainValidator(_whole), WithJsonSchema({"type": "integer"})]
"""A whole number as YAML 1.2 writes it: 010 was eight to some and ten to others, so it is refused."""


def without(key: str, value: Any, others: Iterable[str]) -> dict[str, Any]:
    """Make the schema of a map in which one value leaves no room for some other keys."""
    given = {"properties": {key: {"const": value}}, "required": [key]}
    return {"if": given, "then": {"not": {"anyOf": [{"required": [other]} for other in others]}}}


NOT_EMPTY: Mapping[str, Any] = {"minProperties": 1}
"""The `map_schema` of a map that must say something, beside its `x-` keys and those it always has."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""`true` or `false`; YAML 1.2 knows no `yes`."""

TEXT_SCHEMA = {"type": ["string", "number", "boolean"]}

Words = Annotated[str, WithJsonSchema(TEXT_SCHEMA)]
"""A text field: a plain scalar is its source text, so `0123` and `no` stay what they are."""

ManyWords = Annotated[
    tuple[Words, ...],
    BeforeValidator(some),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA, "minItems": 1}]}),
]
"""One text, or a list of them."""

AnyWords = Annotated[
    tuple[Words, ...],
    BeforeValidator(listed),
    WithJsonSchema({"anyOf": [TEXT_SCHEMA, {"type": "array", "items": TEXT_SCHEMA}]}),
]
"""One text, or a list that may be empty."""
