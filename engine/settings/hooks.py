"""What the configuration says of hooks that other systems call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from engine.rules.quantities import read_size
from engine.rules.strict import Strict
from engine.settings.values import Secret

if TYPE_CHECKING:
    from jsonschema_rs import Validator

MAX_ATTACHMENTS = 20_000_000
"""Bytes that one mail may carry."""
Verify = Literal["hmac", "bearer", "github", "stripe", "alertmanager"]


def _attachments(value: Any) -> int:
    """Read how many bytes of files one call may bring along."""
    if value in ("off", "no", "none", "0", 0):
        return 0
    if isinstance(value, int):
        return value
    size = read_size(str(value))
    if size.value > MAX_ATTACHMENTS:
        raise ValueError(f"'{value}' is more than a mail may carry: write at most 20MB")
    return int(size.value)


Attachments = Annotated[int, BeforeValidator(_attachments)]


def _schema(value: Any, info: ValidationInfo) -> str | None:
    """Read the file of a JSON Schema, counted from the configuration's folder; gives its text."""
    if value in (None, "null", "~"):
        return None
    path = Path((info.context or {}).get("folder", ".")) / str(value)
    try:
        text = path.read_text(encoding="utf-8")
        compile_schema(text)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{path} is no JSON Schema: {str(error).splitlines()[0]}") from None
    return text


def compile_schema(text: str) -> Validator:
    """Make a validator: patterns in linear time, nothing fetched. Raises ValueError."""
    import jsonschema_rs  # noqa: PLC0415 - most commands have no use for it, and it takes its time

    linear = jsonschema_rs.RegexOptions()
    return jsonschema_rs.validator_for(json.loads(text), retriever=_refuse, pattern_options=linear)


def _refuse(uri: str) -> Any:
    raise ValueError("a schema refers to itself alone, and nothing is fetched")


class HookSettings(Strict):
    """One hook that other systems call, `POST /hooks/in/NAME`."""

    secret: Secret
    verify: Verify = "hmac"
    mailbox: str = ""
    """The mailbox that mail because of it leaves from; the only one unless given."""
    schema_: Annotated[str | None, BeforeValidator(_schema)] = Field(None, alias="schema", repr=False)
    """The text of the JSON Schema that bodies must fit."""
    attachments: Attachments = 0
    """Bytes of files that a body may bring along."""
