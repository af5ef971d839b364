"""A mail service that answers from prepared bytes, so that what is measured is never the service.

Run as `python -m bench.mock PORT SIZE`. It speaks the calls that a worker makes and nothing else: no
authorisation, no limits, no bodies checked, and its history holds arrivals alone.
"""

from __future__ import annotations

import asyncio
import json
import sys
from base64 import urlsafe_b64encode
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qs

import httptools
import uvloop

PAGE = 500
KINDS = 1000
"""How many different messages there are; message n is of kind n modulo KINDS."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class Box:
    """One mailbox: message and history ids are 1 and up, in order of arrival."""

    arrived: int = 0
    changed: int = 0
    """How many messages had their labels changed."""
    labels: dict[str, str] = field(default_factory=dict)


class Service:
    """Every answer is bytes; what is asked is counted."""

    def __init__(self, size: int = 1500) -> None:
        self.boxes: defaultdict[str, Box] = defaultdict(Box)
        self.calls: Counter[str] = Counter()
        self.called: Callable[[], None] = lambda: None
        """Called with every change of labels."""
        self._kinds = [_parts(kind, size) for kind in range(KINDS)]

    def answer(self, method: bytes, target: bytes, body: bytes) -> bytes:
        path, _, query = target.partition(b"?")
        parts = path.split(b"/")
        if len(parts) < 6 or parts[3] != b"mailboxes":
            return self._apart(path, body)
        box = self.boxes[parts[4].decode().replace("%40", "@")]
        got = method == b"GET" and len(parts) == 7 and parts[5] == b"messages"
        operation = b"get" if got else parts[-1]
        self.calls[operation.decode()] += 1
        if operation == b"get":
            return self._message(parts[6], query)
        if operation == b"history":
            return _ok(_history(box, query))
        return _ok(self._rest(box, operation, method, body))

    def _apart(self, path: bytes, body: bytes) -> bytes:
        if path == b"/oauth/token":
            return _ok({"access_token": "token", "expires_in": 36000})
        if path == b"/_mock/deliver":
            for mailbox, count in json.loads(body).items():
                self.boxes[mailbox].arrived += count
            return _ok({})
        if path == b"/_mock/state":
            boxes = {name: [box.arrived, box.changed] for name, box in self.boxes.items()}
            return _ok({"boxes": boxes, "calls": self.calls})
        if path == b"/plain":
            self.calls["plain"] += 1
            self.called()
            return _ok({})
        return _GONE

    def _message(self, key: bytes, query: bytes) -> bytes:
        head, text = self._kinds[int(key) % KINDS]
        known = b'{"id":"%b","threadId":"t%b","labelIds":["INBOX","UNREAD"],' % (key, key)
        whole = known + head + (text if b"format=full" in query else b"}}")
        return _HEAD % (len(whole), whole)

    def _rest(self, box: Box, operation: bytes, method: bytes, body: bytes) -> object:
        if operation == b"profile":
            return {"status": "active", "historyId": str(box.arrived)}
        if operation in (b"batchModify", b"modify"):
            box.changed += len(json.loads(body)["ids"]) if operation == b"batchModify" else 1
            self.called()
            return {"id": "1"}
        if operation == b"labels" and method == b"POST":
            name = json.loads(body)["name"]
            box.labels[f"L{len(box.labels)}"] = name
            return {"id": f"L{len(box.labels) - 1}", "name": name, "type": "user"}
        if operation == b"labels":
            return {"labels": [{"id": key, "name": name} for key, name in box.labels.items()]}
        return {"id": "1"}


class Connection(asyncio.Protocol):
    """One client, request by request."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._parser = httptools.HttpRequestParser(self)
        self._target, self._body = b"", bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._target, self._body = url, bytearray()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method = self._parser.get_method()
        self._transport.write(self._service.answer(method, self._target, bytes(self._body)))


async def serve(service: Service, port: int) -> asyncio.Server:
    """Listen on the loopback interface."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(service), "127.0.0.1", port)


def subject(kind: int) -> str:
    return f"About order number-{kind:04} and what became of it"


def sender(kind: int) -> str:
    return f"person{kind:04}@partner{kind % 50}.example"


def _history(box: Box, query: bytes) -> object:
    asked = parse_qs(query)
    start = int(asked[b"startHistoryId"][0])
    last = min(box.arrived, start + PAGE)
    records = [
        {
            "id": str(number),
            "messagesAdded": [
                {"message": {"id": f"{number}", "threadId": f"t{number}", "labelIds": ["INBOX", "UNREAD"]}}
            ],
        }
        for number in range(start + 1, last + 1)
    ]
    page = {"history": records, "historyId": str(box.arrived)}
    return page | {"nextPageToken": str(last)} if last < box.arrived else page


def _parts(kind: int, size: int) -> tuple[bytes, bytes]:
    """A message's answer behind its ids: without its text, and what its text adds."""
    headers = {
        "Received": "from mx.partner.example by mx.ours.example with ESMTPS; Thu, 1 Jan 2026 10:00:00 +0000",
        "Return-Path": f"<{sender(kind)}>",
        "From": f"Person {kind} <{sender(kind)}>",
        "To": "Us <box@ours.example>",
        "Subject": subject(kind),
        "Date": "Thu, 1 Jan 2026 10:00:00 +0000",
        "Message-ID": f"<{kind}.{size}@partner.example>",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="utf-8"',
    }
    pairs = [{"name": name, "value": value} for name, value in headers.items()]
    dates = f'"internalDate":"1767261600000","sizeEstimate":{size + 600},"historyId":"1",'
    head = (
        dates + f'"payload":{{"partId":"","mimeType":"text/plain","filename":"","headers":{json.dumps(pairs)}'
    )
    text = (b"A line of plain text, as people write it.\r\n" * (size // 43 + 1))[:size]
    data = urlsafe_b64encode(text).decode()
    return head.encode(), f',"body":{{"size":{size},"data":"{data}"}}}}}}'.encode()


def _ok(value: object) -> bytes:
    body = json.dumps(value).encode()
    return _HEAD % (len(body), body)


async def _main(port: int, size: int) -> None:
    server = await serve(Service(size), port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2])))
