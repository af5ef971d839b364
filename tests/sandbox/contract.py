"""Holds every answer of the sandbox to the OpenAPI file."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from engine.sandbox.operations import openapi_text

UNDECLARED = {400, 403, 404, 409, 500}
"""Statuses that any operation may show, declared or not: a wrong parameter, a mailbox that is not in use,
unknown mailboxes and ids, a name that is taken, and what a fault asks for."""

UNNAMED = {("get_email_thread", "$.nextPageToken")}
"""Fields that no schema names: a thread is read in pages, and the token must come from somewhere."""

LACKING = {
    r"\S+ nextPageToken": "nothing follows the last page",
    r"\S+ (labels\.)?color": "a label that was given no colours",
    r"list_labels\S+:(basic|minimal) labels\.(messages|threads)(Total|Unread)": "not asked for",
    r"list_labels\S+:minimal labels\.(labelLevel|\w+Visibility)": "not asked for",
    r"\w+_email_filters?:full (filter\.)?(criteria|action)\.\w+": "a filter that was made without it",
    r"\w+_vacation_\S+ (start|end)Time(ISO)?": "a responder that was given no such time",
    r"list_mailbox_history\S+ history\.(?!id$)\w+": "something else happened",
    r"list_mailbox_history\S+ history\.settingsUpdated\.id": "there is but one vacation responder",
    r"get_\w+:(full|minimal|metadata) (message\.)?raw": "not asked for",
    r"get_\w+:(minimal|raw) (messages?\.)?payload": "not asked for",
    r"get_\w+:metadata (messages?\.)?payload\.(filename|body|parts)": "not asked for",
    r"get_\w+:full (messages?\.)?payload\.(parts\.)*parts": "a part that holds no others",
    r"get_\w+:full (messages?\.)?payload\.(parts\.)*body\.(data|attachmentId)": "each part has one of them",
    r"get_email\S+ (messages\.)?lastMoved": "a message that was never moved",
    r"get_email\S+ (messages\.)?(sendTime|userScheduled)": "a message that is not to be sent",
    r"get_email\S+ (messages\.)?(expiration|manifest|originalMime)": "nothing expires or is encrypted here",
}
"""Fields of the examples that an answer may lack, as `operation:format field`, and what lacks them."""


async def hold(response: httpx.Response) -> None:
    """Check one answer: status declared, schema kept, no field that it does not name, all of its example."""
    await response.aread()
    found = find_operation(response.request.method, response.request.url.path)
    if found is None:
        return
    assert response.headers["x-zm-trackingid"]
    if response.status_code == 204:
        assert "204" in found["responses"]
        assert response.content == b""
        return
    declared = found["responses"].get(str(response.status_code))
    if declared is None:
        assert response.status_code in UNDECLARED, (found["operationId"], response.text)
        schema = {"$ref": "#/components/schemas/Error"}
    else:
        schema = declared["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": document()["components"]}).validate(response.json())
    strange = unknown_fields(response.json(), schema)
    assert [where for where in strange if (found["operationId"], where) not in UNNAMED] == []
    if response.is_success:
        asked = f"{found['operationId']}:{response.request.url.params.get('format') or 'full'}"
        example = found["responses"]["200"]["content"]["application/json"]["example"]
        lacking = {f"{asked} {field}" for field in missing_fields(response.json(), example)}
        assert [one for one in lacking if not any(re.fullmatch(known, one) for known in LACKING)] == []


def find_operation(method: str, path: str) -> dict[str, Any] | None:
    """The operation that a request calls; fixed paths win over those with parameters."""
    for template in sorted(document()["paths"]):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(f"/v2{template}"))
        if re.fullmatch(pattern, path):
            operation: dict[str, Any] | None = document()["paths"][template].get(method.lower())
            return operation
    return None


def unknown_fields(value: Any, schema: dict[str, Any], where: str = "$") -> list[str]:
    """Fields that no schema names."""
    if "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(value, list):
        return [found for item in value for found in unknown_fields(item, schema.get("items", {}), where)]
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    named = schema["properties"]
    strange = [f"{where}.{key}" for key in value if key not in named]
    return strange + [
        found
        for key, inner in value.items()
        if key in named
        for found in unknown_fields(inner, named[key], f"{where}.{key}")
    ]


def missing_fields(value: Any, example: Any, where: str = "") -> list[str]:
    """Fields that an example has and an answer has not; items of a list are held to the example's first."""
    if isinstance(value, list):
        return [found for item in value for found in missing_fields(item, (example or [{}])[0], where)]
    if not isinstance(value, dict):
        return []
    missing = [f"{where}{key}" for key in example if key not in value]
    return missing + [
        found
        for key, inner in value.items()
        if key in example
        for found in missing_fields(inner, example[key], f"{where}{key}.")
    ]


@cache
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(openapi_text())
    return loaded
