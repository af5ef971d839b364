"""Calls made up from the OpenAPI file, by schemathesis, against a sandbox that holds one of everything.

Left to itself a generator never names a message that exists. So the file is handed to it with what
exists as the values of each id, and with mail, search lines and times that go a long way; calls that
break the file have any others.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

from engine.sandbox.operations import openapi_text
from engine.sandbox.schema import open_database
from tests.sandbox.contract import hold
from tests.sandbox.driving import ANN, BOB, Driver, drive, encoded, mail

NOW = 1_700_000_000.0
PARTS = (
    b"From: Zoe <zoe@partner.example>\r\nTo: ann@acme.example\r\nSubject: Parts\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n'
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n"
    b"--b--\r\n"
)
BROKEN = (
    b"Subject: =?x?b?\xff?=\r\n\xfe: \r\nDate: -1\r\nContent-Type: multipart/mixed; boundary\r\n\r\n\x00\xff"
)
MAILS = [encoded(raw) for raw in (mail(), mail(to=BOB), PARTS, BROKEN, b"")]
LINES = [
    "from:zoe",
    "{is:unread -label:x}",
    "rfc822msgid:<a@b>",
    "older_than:1d",
    "in:anywhere",
    "(",
    '"',
    "size:-",
]
NUMBERS = ["0", "-1", "1", "500", "501", "9" * 30, "1e3", "٣", "NaN", "1700000100"]
SYSTEM = ["INBOX", "UNREAD", "TRASH", "SPAM", "SENT", "DRAFT", "SCHEDULED", "STARRED", "nothing"]


@dataclass(frozen=True)
class Stocked:
    """A sandbox with one of everything, from which each call starts anew."""

    driver: Driver
    image: sqlite3.Connection
    known: dict[str, list[str]]
    """Values to try, by the name of a parameter or field."""

    def begin_anew(self) -> None:
        self.image.backup(self.driver.sandbox.store.db)

    async def send(self, case: Any) -> httpx.Response:
        """Send a made-up call; its answer is held to the OpenAPI file."""
        kept = {"method", "url", "headers", "params", "data", "json"}
        given = case.as_transport_kwargs(base_url="http://sandbox/v2")
        made: Any = requests.Request(**{key: value for key, value in given.items() if key in kept}).prepare()
        headers = {**made.headers, "Authorization": self.driver.http.headers["Authorization"]}
        transport = httpx.ASGITransport(self.driver.app)
        request = httpx.Request(made.method, made.url, headers=headers, content=made.body or b"")
        response = await transport.handle_async_request(request)
        response.request = request
        await hold(response)
        return response


async def stock() -> Stocked:
    """Fill a sandbox, and keep an image of it."""
    driver = drive(limits=False)
    store = driver.sandbox.store
    store.clock = lambda: NOW
    store.db.execute("UPDATE tokens SET expires = ?", (NOW + 1e6,))
    known = {"messageId": [await driver.deliver(raw) for raw in (mail(), PARTS, BROKEN)]}
    known["messageId"].append(await driver.deliver(mail(), labels="TRASH"))
    known["attachmentId"] = [_attachment(await driver.get(f"/messages/{known['messageId'][1]}"))]
    draft = await driver.post("/drafts", {"message": {"raw": encoded(mail(to=BOB))}})
    later = {"raw": encoded(mail(to=BOB)), "sendTime": str(int(NOW) + 9999)}
    known["messageId"].append((await driver.post("/messages/send", later))["id"])
    orders = (await driver.post("/labels", {"name": "orders", "parentId": ""}))["id"]
    below = (await driver.post("/labels", {"name": "open", "parentId": orders}))["id"]
    action = {"addLabelIds": [below], "removeLabelIds": ["UNREAD"]}
    criteria = {"criteria": {"from": "zoe"}, "action": action}
    known["filterId"] = [(await driver.post("/settings/filters", criteria))["id"]]
    await driver.post("/settings/delegates", {"delegateEmail": BOB})
    known |= {"draftId": [draft["id"]], "id": [draft["id"]], "threadId": known["messageId"]}
    known |= {
        "labelId": [orders, below, "INBOX"],
        "parentId": ["", orders],
        "delegateEmail": [BOB, ANN],
    }
    known |= {"labelIds": [orders, below, *SYSTEM], "forward": [BOB]}
    known |= {"parentld": ["", orders], "name": ["sales", "open", "a b"], "from": ["zoe@partner.example"]}
    movable = [orders, below, "STARRED", "UNREAD"]
    known |= {"addLabelIds": movable, "removeLabelIds": movable}
    known |= {"ids": known["messageId"], "raw": MAILS, "q": LINES, "query": LINES, "negatedQuery": LINES}
    known |= dict.fromkeys(("startHistoryId", "sendTime", "startTime", "endTime", "pageToken"), NUMBERS)
    image = open_database(":memory:")
    store.db.backup(image)
    return Stocked(driver, image, known)


def operations_of(stocked: Stocked) -> dict[str, Any]:
    """Every operation of the OpenAPI file, with what exists among its values, by its id."""
    document = _seasoned(json.loads(openapi_text()), stocked.known)
    document["servers"] = [{"url": "http://sandbox/v2"}]
    schema: Any = schemathesis.openapi.from_dict(document)
    found = (result.ok() for result in schema.get_all_operations())
    return {operation.definition.raw["operationId"]: operation for operation in found}


def calls_of(operation: Any, mailbox: str | None = ANN) -> st.SearchStrategy[Any]:
    """Calls that keep to the file, and calls that break it in one place or another."""
    path = {} if mailbox is None else {"path_parameters": {"email": mailbox}}
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(generation_mode=mode, **path) for mode in modes])


def run(stocked: Stocked, case: Any) -> httpx.Response:
    """Make one call of a sandbox that begins anew."""
    stocked.begin_anew()
    return asyncio.run(stocked.send(case))


def _seasoned(value: Any, known: dict[str, list[str]]) -> Any:
    """The same document, in which every string of a known name has a known value."""
    if isinstance(value, list):
        return [_seasoned(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    seasoned = {key: _seasoned(inner, known) for key, inner in value.items()}
    if value.get("in") in ("path", "query") and value.get("name") in known:
        seasoned["schema"] = _one_of(value["schema"], known[value["name"]])
    for name, schema in dict(_properties(value)).items():
        if name in known:
            seasoned["properties"][name] = _one_of(schema, known[name])
    return seasoned


def _properties(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    found = value.get("properties")
    if isinstance(found, dict):
        yield from ((name, schema) for name, schema in found.items() if isinstance(schema, dict))


def _one_of(schema: dict[str, Any], values: list[str]) -> dict[str, Any]:
    if schema.get("type") == "array":
        return schema | {"items": {"type": "string", "enum": values}}
    return {"type": "string", "enum": values}


def _attachment(message: dict[str, Any]) -> str:
    parts = message["payload"]["parts"]
    return str(next(part["body"]["attachmentId"] for part in parts if part["body"].get("attachmentId")))
