"""Tokens at rest: access and refresh tokens, and the codes that a consent gives."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from engine.sandbox.store import Store

LIFE = 3600
"""Seconds that an access token lives."""
CODE_LIFE = 300
REFRESH_LIFE = 90 * 86_400
"""Seconds that a refresh token may lie idle."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that has not expired."""

    value: str
    mailbox: str
    """Whose it is; "" for the account's own."""
    redirect: str
    """Where a code was sent, "" when it went nowhere."""
    revoked: bool


def issue_token(store: Store, mailbox: str = "") -> str:
    """Make an access token; older ones stay good."""
    return _issue(store, "access", mailbox, LIFE)


def issue_code(store: Store, mailbox: str, redirect: str = "") -> str:
    return _issue(store, "code", mailbox, CODE_LIFE, redirect)


def issue_refresh_token(store: Store, mailbox: str) -> str:
    return _issue(store, "refresh", mailbox, REFRESH_LIFE)


def find_token(store: Store, value: str, *kinds: str) -> Token | None:
    """Find a token of these kinds, None when it is unknown, spent or expired."""
    row = store.db.execute(
        "SELECT kind, mailbox, redirect, revoked FROM tokens WHERE value = ? AND expires > ?",
        (value, store.clock()),
    ).fetchone()
    if row is None or row["kind"] not in kinds:
        return None
    return Token(value, row["mailbox"], row["redirect"], bool(row["revoked"]))


def spend(store: Store, token: Token) -> None:
    """End one token, as if it had never been."""
    store.db.execute("DELETE FROM tokens WHERE value = ?", (token.value,))


def end_tokens(store: Store, mailbox: str) -> None:
    """Revoke whatever a user's consents gave."""
    store.db.execute("UPDATE tokens SET revoked = 1 WHERE mailbox = ?", (mailbox,))


def revoke_tokens(store: Store) -> None:
    """Revoke every token handed out."""
    store.db.execute("UPDATE tokens SET revoked = 1")


def _issue(store: Store, kind: str, mailbox: str, life: float, redirect: str = "") -> str:
    value = secrets.token_urlsafe(32)
    store.db.execute("DELETE FROM tokens WHERE expires < ?", (store.clock(),))
    store.db.execute(
        "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, 0)",
        (value, kind, mailbox, redirect, store.clock() + life),
    )
    return value
