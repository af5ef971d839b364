"""Zoom Mail: one account, all its mailboxes."""

from __future__ import annotations

from engine.flow.ports import RateBudget, TokenCache
from engine.net.client import HttpClient
from engine.providers.zoom_mail.caller import Caller
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.labelling import Labeller
from engine.providers.zoom_mail.labels import LabelBooks
from engine.providers.zoom_mail.oauth import TOKEN_URL, Credentials, Tokens
from engine.providers.zoom_mail.provider import ZoomMail

__all__ = ["ZoomMail", "zoom_mail"]


def zoom_mail(
    *,
    client_id: str,
    client_secret: str,
    account_id: str = "",
    budget: RateBudget,
    tokens: TokenCache,
    url: str | None = None,
    token_url: str | None = None,
    http: HttpClient | None = None,
) -> ZoomMail:
    """Put the provider of one account together; `url` is the root of another service than Zoom's own.

    Without an account id it is the account of one user, and `tokens` has that user's refresh token.
    """
    base = (url or "").rstrip("/")
    asked = token_url or (f"{base}/oauth/token" if base else TOKEN_URL)
    credentials = Credentials(account_id, client_id, client_secret, asked, base)
    http = http or HttpClient()
    client = ZoomMailClient(Caller(http, Tokens(http, credentials, tokens), budget), me=not account_id)
    books = LabelBooks(client)
    return ZoomMail(client, books, Labeller(client, books))
