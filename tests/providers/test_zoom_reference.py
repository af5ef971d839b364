"""The client held against the OpenAPI file: every operation, what it asks, and what each answer means."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.responses import Response

from engine.errors import (
    CursorExpired,
    MessageGone,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from engine.providers.zoom_mail import operations
from engine.providers.zoom_mail.operations import NameTaken, Operation
from tests.providers.calls import CALLS
from tests.providers.fakes import BOX, Desk, refusal

REFERENCE = json.loads(files("engine.sandbox").joinpath("zoom-mail.openapi.json").read_text())
ROOT = "/emails/mailboxes/{}/"
TABLE: set[Operation] = {value for value in vars(operations).values() if isinstance(value, Operation)}
IN_ORDER = sorted(TABLE, key=operator.attrgetter("name"))
MISSPELT = {"messageListVisibilitystring", "parentld"}


def name_of(operation: Operation) -> str:
    return operation.name


def told(operation: Operation) -> dict[str, Any]:
    """What the reference says of an operation."""
    paths = {re.sub(r"{\w+}", "{}", path): methods for path, methods in REFERENCE["paths"].items()}
    found: dict[str, Any] = paths[ROOT + operation.path][operation.method.lower()]
    return found


def cases() -> Iterator[Any]:
    """Every status that the reference declares, by operation."""
    for operation in IN_ORDER:
        for status in map(int, told(operation)["responses"]):
            yield pytest.param(operation, status, id=f"{operation.name} {status}")


def test_the_table_has_every_operation_of_the_reference_and_no_other() -> None:
    known = {
        (method.upper(), re.sub(r"{\w+}", "{}", path), operation["x-rate-limit-label"])
        for path, methods in REFERENCE["paths"].items()
        for method, operation in methods.items()
    }
    ours = {(each.method, ROOT + each.path, each.rate) for each in TABLE}
    assert len(TABLE) == 41
    assert ours == known
    assert len({each.name for each in TABLE}) == 41
    assert CALLS.keys() == TABLE


def meaning(operation: Operation, status: int) -> type[ProviderError]:
    subject = operation.name.partition(".")[0]
    gone: type[ProviderError] = Rejected
    if subject == "history":
        gone = CursorExpired
    elif "{}" in operation.path or operation.name == "drafts.send":
        gone = MessageGone if subject in ("messages", "attachments", "drafts", "threads") else Rejected
    means: dict[int, type[ProviderError]] = {
        400: Rejected,
        401: Unauthorized,
        403: Rejected,
        404: gone,
        409: NameTaken if subject == "labels" else Rejected,
        429: RateLimited,
        503: Unavailable if operation.idempotent else OutcomeUnknown,
    }
    return means[status]


def filled(operation: Operation) -> str:
    """The path that the call of the table goes to."""
    ids = {"messages": "m1", "drafts": "d1", "threads": "t1", "labels": "Label_1", "filters": "f1"}
    ids |= {"delegates": "bob@acme.example", "attachments": "a1"}
    parts = operation.path.split("/")
    return "/".join(ids[parts[at - 1]] if part == "{}" else part for at, part in enumerate(parts))


@pytest.mark.parametrize(("operation", "status"), cases())
async def test_each_answer_of_the_reference_means_something(operation: Operation, status: int) -> None:
    desk = Desk()
    what = f"{operation.method} {filled(operation)}"
    if status >= 400:
        desk.script.on(what, refusal(status))
        with pytest.raises(ProviderError) as caught:
            await CALLS[operation](desk.client)
        assert type(caught.value) is meaning(operation, status)
    else:
        desk.script.on(what, Response(b"", 204) if status == 204 else example(operation))
        answer = await CALLS[operation](desk.client)
        assert (answer is None) == (status == 204)
    asked = desk.script.calls(what)
    assert desk.budget.taken == [operation.rate] * len(asked)
    tries = {401: 2, 503: 3 if operation.idempotent else 1}
    assert len(asked) == tries.get(status, 1)


def example(operation: Operation) -> dict[str, Any]:
    found = json.dumps(told(operation)["responses"]["200"]["content"]["application/json"]["example"])
    # One example has this where base64 belongs.
    read: dict[str, Any] = json.loads(found.replace('"X-Example"', '""'))
    return read


@pytest.mark.parametrize("operation", IN_ORDER, ids=name_of)
async def test_each_call_asks_as_the_reference_says(operation: Operation) -> None:
    desk = Desk()
    what = f"{operation.method} {filled(operation)}"
    answers = told(operation)["responses"]
    desk.script.on(what, Response(b"", 204) if "204" in answers else example(operation))
    await CALLS[operation](desk.client)
    [asked] = desk.script.calls(what)
    parameters = {each["name"] for each in told(operation).get("parameters", []) if each["in"] == "query"}
    assert set(asked.query) <= parameters
    content = told(operation).get("requestBody", {}).get("content", {})
    if not content:
        assert asked.body == b""
        return
    schema = content["application/json"]["schema"]
    Draft202012Validator(schema | {"components": REFERENCE["components"]}).validate(asked.json)
    assert set(asked.json) <= resolved(schema)["properties"].keys() | MISSPELT


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = REFERENCE["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return found


async def test_the_examples_of_the_reference_are_read_to_their_end() -> None:
    desk = Desk()
    for operation in TABLE:
        if "204" not in told(operation)["responses"]:
            desk.script.on(f"{operation.method} {filled(operation)}", example(operation))
    client = desk.client
    thread = await client.thread(BOX, "t1")
    assert thread.messages[0].payload
    assert (thread.history, thread.status) == (5153, "normal")
    [label] = await client.labels(BOX)
    assert label.color
    assert (label.parent, label.level, label.color.text[0]) == ("Label_0", 1, "#")
    vacation = await client.vacation(BOX)
    assert (vacation.on, vacation.domain_only, vacation.start) == (False, True, 1_704_268_800_000)
    [found] = await client.filters(BOX)
    assert (found.criteria.sender, found.action.remove) == ("john.doe@example.com", ("SPAM",))
    [delegate] = await client.delegates(BOX)
    assert (delegate.access, delegate.verification) == ("dlgreviewer", "accepted")
