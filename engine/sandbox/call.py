"""One call of an operation, its parameters read and checked."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request

from engine.mail.address import parse_address
from engine.mail.compose import is_sendable
from engine.sandbox.failure import ApiError, invalid
from engine.sandbox.state import Sandbox
from engine.sandbox.store import Mailbox, Store

PAGE = 50
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class Call:
    """What an operation works on. Every reader raises ApiError 400 naming the field that is wrong."""

    sandbox: Sandbox
    box: Mailbox
    path: Mapping[str, str]
    query: QueryParams
    body: Mapping[str, Any]

    @property
    def store(self) -> Store:
        return self.sandbox.store

    def page_size(self) -> int:
        value = self.query.get("maxResults", str(PAGE))
        if not (value.isascii() and value.isdigit() and len(value) < 6 and 1 <= int(value) <= LARGEST_PAGE):
            raise invalid("maxResults", f"maxResults lies between 1 and {LARGEST_PAGE}.")
        return int(value)

    def page_token(self) -> str:
        return self.query.get("pageToken", "")

    def flag(self, name: str) -> bool:
        value = self.query.get(name, "false")
        if value.lower() not in ("true", "false"):
            raise invalid(name, f"{name} is true or false.")
        return value.lower() == "true"

    def choice(self, name: str, allowed: Collection[str], default: str) -> str:
        value = self.query.get(name, default)
        if value not in allowed:
            raise invalid(name, f"{name} is one of {', '.join(sorted(allowed))}.")
        return value

    def several(self, name: str) -> list[str]:
        """Values of a list parameter: the key repeated, or joined by commas; both are taken."""
        return [value for text in self.query.getlist(name) for value in text.split(",") if value]

    def within(self, name: str) -> Call:
        """The same call with an object of its body as the body."""
        value = self.body.get(name)
        if not isinstance(value, dict):
            raise invalid(name, f"{name} is an object.")
        return replace(self, body=value)

    def truth(self, name: str) -> bool:
        """A boolean in the body, false when absent."""
        value = self.body.get(name, False)
        if not isinstance(value, bool):
            raise invalid(name, f"{name} is true or false.")
        return value

    def strings(self, name: str) -> list[str]:
        """A list of strings in the body, empty when absent."""
        value = self.body.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise invalid(name, f"{name} is a list of strings.")
        return list(dict.fromkeys(value))

    def text(self, name: str, default: str | None = None) -> str:
        """A string in the body; without a default it must be there."""
        value = self.body.get(name, default)
        if not isinstance(value, str):
            raise invalid(name, f"{name} is a string.")
        return value


def address_of(text: str, where: str) -> str:
    """Read one bare address; the domain in lower case. Raises ApiError 400."""
    found = parse_address(text)
    if found.address != text or not is_sendable(found):
        raise invalid(where, f"{where} is an address.")
    return found.normal


def decoded(value: object) -> bytes:
    """Read base64url as leniently as Zoom's own examples need: blanks, padding, either alphabet."""
    if not isinstance(value, str):
        raise invalid("raw", "raw is a base64url string.")
    text = "".join(value.split()).replace("+", "-").replace("/", "_").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("raw", "raw is not base64url.") from error


async def read_body(request: Request) -> dict[str, Any]:
    """The JSON object of a request, {} for none. Raises ApiError 400."""
    content = await request.body()
    if not content:
        return {}
    try:
        body = json.loads(content.decode())
        if b"\\u" in content:  # an escape may make half a character, which nothing can store
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "The body is not JSON.", code=300) from error
    if not isinstance(body, dict):
        raise ApiError(400, "The body is not a JSON object.", code=300)
    return body
