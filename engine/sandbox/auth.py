"""Server-to-Server OAuth: the token endpoint and the check of its tokens."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse

from engine.sandbox.config import SandboxConfig
from engine.sandbox.failure import ApiError
from engine.sandbox.store import Store

LIFE = 3600
"""Seconds that a token lives."""
SCOPE = "mail:read:admin mail:write:admin"


async def answer_token(request: Request, config: SandboxConfig, store: Store) -> JSONResponse:
    """Answer `POST /oauth/token`; refusals have OAuth's shape {"reason", "error"}, as Zoom's have."""
    fields = dict(request.query_params) | dict(parse_qsl((await request.body()).decode("latin-1")))
    given = _basic(request.headers.get("authorization", ""))
    if not _same(given, f"{config.client_id}:{config.client_secret}"):
        return _refusal(401, "Invalid client_id or client_secret", "invalid_client")
    if fields.get("grant_type") != "account_credentials":
        return _refusal(400, "unsupported grant type", "unsupported_grant_type")
    if not _same(fields.get("account_id", ""), config.account_id):
        return _refusal(400, "Bad Request", "invalid_request")
    url = config.api_url or str(request.base_url).rstrip("/")
    return JSONResponse(
        {
            "access_token": issue_token(store),
            "token_type": "bearer",
            "expires_in": LIFE,
            "scope": SCOPE,
            "api_url": url,
        }
    )


def issue_token(store: Store) -> str:
    """Make a token; older ones stay good."""
    token = secrets.token_urlsafe(32)
    with store.transaction():
        store.db.execute("DELETE FROM tokens WHERE expires < ?", (store.clock(),))
        store.db.execute("INSERT INTO tokens VALUES (?, ?)", (token, store.clock() + LIFE))
    return token


def check_token(store: Store, header: str) -> None:
    """Let a living token pass. Raises ApiError 401 with Zoom's code 124."""
    scheme, _, token = header.partition(" ")
    known = store.db.execute(
        "SELECT 1 FROM tokens WHERE value = ? AND expires > ?", (token.strip(), store.clock())
    ).fetchone()
    if scheme.casefold() != "bearer" or known is None:
        raise ApiError(401, "Invalid access token.", code=124)


def revoke_tokens(store: Store) -> None:
    """End every token handed out."""
    store.db.execute("DELETE FROM tokens")


def _basic(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.casefold() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _refusal(status: int, reason: str, error: str) -> JSONResponse:
    return JSONResponse({"reason": reason, "error": error}, status)
