from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, WithJsonSchema

from engine.rules.effects import CallHttp, Effect
from engine.rules.filling import check_json, uses_message
from engine.rules.given_message import Payload
from engine.rules.limited import Limited
from engine.rules.strict import Words
from engine.rules.text import Captures

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
TAKEN = frozenset({"outcome", "undo", "why", "how", "status"})


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or text in TAKEN:
        raise ValueError(f"'{text}' is no name for it: use lower case letters, digits and _")
    return text


NAME_SCHEMA: Mapping[str, Any] = {
    "type": "string",
    "pattern": f"^{_NAME.pattern}$",
    "not": {"enum": sorted(TAKEN)},
}
Name = Annotated[Words, AfterValidator(_name)]


class Http(Limited):
    """Call another system that the configuration names; later steps may use what it answers."""

    key = "http"
    bare: ClassVar[str] = "endpoint"
    hints: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("url", "uri", "host", "method"), "it stands in postroom.yaml, below 'endpoints'"),
        **dict.fromkeys(
            ("headers", "header", "secret", "token"), "it stands in postroom.yaml, below 'endpoints'"
        ),
        **dict.fromkeys(("body", "data", "payload", "with"), "write 'json'"),
    }
    examples = (
        "http: {endpoint: orders, json: {order: '48211', subject: '{{ message.subject }}'}}",
        "http: {endpoint: tickets, json: '{\"priority\": 2}', as: ticket, keep: {number: ticket.id}}",
    )

    endpoint: Words = Field(description="A name below `endpoints` in the configuration.")
    json_: Annotated[Payload, AfterValidator(check_json)] = Field(
        "{}",
        alias="json",
        description="What is sent, as YAML, where every value is a text, or as JSON text; in its texts "
        "`captures.NAME`, `message.key subject sender domain date message_id text`, `steps.NAME.FIELD`, "
        "`payload.PATH`, `mailbox`, `rule` and `run` may stand.",
    )
    as_: Annotated[Name, WithJsonSchema({**NAME_SCHEMA})] = Field(
        "http", alias="as", description="What later steps call it: `{{ steps.NAME.status }}`."
    )
    keep: dict[Name, Words] = Field(
        default={},
        description="What to keep of a JSON answer, by name: a path such as `ticket.id`.",
        json_schema_extra={"propertyNames": {**NAME_SCHEMA}},
    )

    @property
    def of_message(self) -> bool:
        return bool(uses_message(self.json_))

    def effects(self, captures: Captures) -> tuple[Effect, ...]:
        return (
            CallHttp(
                endpoint=self.endpoint,
                body=self.json_,
                name=self.as_,
                keep=dict(self.keep),
                throttle=self.limit(captures),
            ),
        )

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        yield ("json",), self.json_
        yield from super().texts()

    def reaches(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        yield ("endpoint",), "endpoint", self.endpoint

    def shown(self, captures: Captures) -> Any:
        return self.dumped
