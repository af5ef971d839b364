"""OAuth: the endpoints that give and end tokens, and the check of every call.

A Server-to-Server token belongs to the account and names no mailbox. A user's tokens belong to one
mailbox; a refresh ends the refresh token it was asked with, and a new consent ends whatever the
user's earlier ones gave (github.com/zoom/skills, oauth/concepts/token-lifecycle.md).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from engine.sandbox.config import SandboxConfig
from engine.sandbox.failure import ApiError, invalid
from engine.sandbox.store import Store
from engine.sandbox.tokens import (
    LIFE,
    end_tokens,
    find_token,
    issue_code,
    issue_refresh_token,
    issue_token,
    spend,
)

SCOPE = "mail:read:admin mail:write:admin"
USER_SCOPE = "mail:read mail:write"


async def answer_token(request: Request, config: SandboxConfig, store: Store) -> JSONResponse:
    """Answer `POST /oauth/token`; refusals have OAuth's shape {"reason", "error"}, as Zoom's have."""
    fields = await _fields(request)
    if not _is_client(request, config):
        return _refusal(401, "Invalid client_id or client_secret", "invalid_client")
    given = {"api_url": config.api_url or str(request.base_url).rstrip("/")}
    match fields.get("grant_type"):
        case "account_credentials":
            return _for_account(fields, config, store, given)
        case "authorization_code":
            return _for_code(fields, store, given)
        case "refresh_token":
            return _for_refresh(fields, store, given)
        case _:
            return _refusal(400, "unsupported grant type", "unsupported_grant_type")


async def answer_revoke(request: Request, config: SandboxConfig, store: Store) -> JSONResponse:
    """Answer `POST /oauth/revoke`: end a user's tokens, or the one token of the account."""
    if not _is_client(request, config):
        return _refusal(401, "Invalid client_id or client_secret", "invalid_client")
    token = find_token(store, (await _fields(request)).get("token", ""), "access", "refresh")
    if token is None or token.revoked:
        return _refusal(400, "Invalid Token!", "invalid_request")
    with store.transaction():
        end_tokens(store, token.mailbox) if token.mailbox else spend(store, token)
    return JSONResponse({"status": "success"})


def authorize(request: Request, config: SandboxConfig, store: Store) -> Response:
    """Answer `GET /oauth/authorize`: consent is given at once, by `mailbox` or the first one hosted."""
    asked = request.query_params
    if asked.get("response_type") != "code" or asked.get("client_id") != config.client_id:
        raise ApiError(400, "Invalid client_id or response_type.", code=4702)
    target = asked.get("redirect_uri", "")
    if urlsplit(target).scheme not in ("http", "https"):
        raise ApiError(400, "Invalid redirect.", code=4700)
    named = asked.get("mailbox") or next((box.address for box in store.mailboxes()), "")
    box = store.mailbox(named)
    if box is None:
        raise invalid("mailbox", "mailbox is an address hosted here.")
    with store.transaction():
        answer = {"code": issue_code(store, box.address, target)}
    if "state" in asked:
        answer["state"] = asked["state"]
    return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{urlencode(answer)}", 302)


def check_token(store: Store, header: str) -> str:
    """Let a living token pass; returns its user's mailbox, "" for the account's.

    Raises ApiError 401 with Zoom's code 124.
    """
    scheme, _, value = header.partition(" ")
    token = find_token(store, value.strip(), "access")
    if scheme.casefold() != "bearer" or token is None or token.revoked:
        raise ApiError(401, "Invalid access token.", code=124)
    return token.mailbox


def _for_account(
    fields: Mapping[str, str], config: SandboxConfig, store: Store, given: dict[str, str]
) -> JSONResponse:
    if not _same(fields.get("account_id", ""), config.account_id):
        return _refusal(400, "Bad Request", "invalid_request")
    with store.transaction():
        token = issue_token(store)
    return JSONResponse({**_granted(token, SCOPE), **given})


def _for_code(fields: Mapping[str, str], store: Store, given: dict[str, str]) -> JSONResponse:
    code = find_token(store, fields.get("code", ""), "code")
    if code is None or code.revoked:
        return _refusal(400, "Invalid authorization code", "invalid_grant", 4733)
    if code.redirect and code.redirect != fields.get("redirect_uri"):
        return _refusal(400, "Redirect URI mismatch.", "invalid_request", 4709)
    with store.transaction():
        spend(store, code)
        end_tokens(store, code.mailbox)
        return _for_user(store, code.mailbox, given)


def _for_refresh(fields: Mapping[str, str], store: Store, given: dict[str, str]) -> JSONResponse:
    token = find_token(store, fields.get("refresh_token", ""), "refresh")
    if token is None or token.revoked:
        return _refusal(400, "Invalid Token!", "invalid_grant", 4741 if token else 4735)
    with store.transaction():
        spend(store, token)
        return _for_user(store, token.mailbox, given)


def _for_user(store: Store, mailbox: str, given: dict[str, str]) -> JSONResponse:
    tokens = _granted(issue_token(store, mailbox), USER_SCOPE)
    return JSONResponse({**tokens, "refresh_token": issue_refresh_token(store, mailbox), **given})


def _granted(token: str, scope: str) -> dict[str, object]:
    return {"access_token": token, "token_type": "bearer", "expires_in": LIFE, "scope": scope}


async def _fields(request: Request) -> dict[str, str]:
    """What was asked, in the form or in the query."""
    return dict(request.query_params) | dict(parse_qsl((await request.body()).decode("latin-1")))


def _is_client(request: Request, config: SandboxConfig) -> bool:
    given = _basic(request.headers.get("authorization", ""))
    return _same(given, f"{config.client_id}:{config.client_secret}")


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


def _refusal(status: int, reason: str, error: str, code: int = 0) -> JSONResponse:
    """A refusal; the codes are those of Zoom's list, its recorded answers show reason and error."""
    body: dict[str, object] = {"reason": reason, "error": error}
    return JSONResponse(body | {"code": code} if code else body, status)
