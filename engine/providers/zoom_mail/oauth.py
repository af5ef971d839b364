"""OAuth, of the account or of one user: one token per account, renewed early, and once when it is refused."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from engine.errors import ConsentGone, RateLimited, Rejected, Unauthorized, Unavailable
from engine.flow.ports import Token, TokenCache
from engine.net.client import HttpClient
from engine.net.failures import Answer, BadAnswer, Call, to_error
from engine.providers.zoom_mail.models import OAuthError, TokenAnswer, read_answer

TOKEN_URL = "https://zoom.us/oauth/token"  # noqa: S105 an address, not a password
API_URL = "https://api.zoom.us"
RENEW_EARLY_S = 300.0
EARLY_WITHIN_S = 5.0
"""While the old token serves, no call stands still for a new one for longer."""
EARLY_EVERY_S = 30.0
"""Nor does every call ask a token endpoint that has just failed."""
REMEMBERED_TOKENS = 8
"""Tokens kept out of texts: the current one and those that calls under way may still carry."""

_ASK = Call("oauth.token")
_CONSENT_GONE = frozenset({4735, 4741})
"""A refresh token that is unknown, and one that was revoked (docs/api/errors)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Zoom gives to an app. A user-managed app has no account id: it asks with a refresh token."""

    account_id: str
    client_id: str
    client_secret: str = field(repr=False)
    token_url: str = TOKEN_URL
    base: str = ""
    """The API's root when it is not Zoom's own, such as the sandbox's; without `/v2`."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What a refusal says."""

    error: str
    code: int
    reason: str
    """All of it, for people, without secrets."""


class Tokens:
    """Hands out the account's access token."""

    def __init__(
        self,
        http: HttpClient,
        credentials: Credentials,
        cache: TokenCache,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http, self._credentials, self._cache = http, credentials, cache
        self._clock = clock
        self._token: Token | None = None
        self._early_again = 0.0
        """When a token that still serves may be renewed again (epoch seconds)."""
        self._hidden: deque[str] = deque()
        secret = credentials.client_secret
        basic = base64.b64encode(f"{credentials.client_id}:{secret}".encode()).decode("ascii")
        http.hide(secret, basic)

    async def current(self) -> Token:
        """Give a token that is good for five minutes at least, asking for one where needed."""
        token = self._token
        if token is None or self._ages(token):
            token = await self._cache.load()
        if token is None or self._ages(token):
            token = await self._renew_early(token)
        return self._keep(token)

    async def renew(self, refused: Token) -> Token:
        """Give another token than the one that the service has refused."""
        return self._keep(await self._cache.renew(self._ask, refused))

    def root(self, token: Token) -> str:
        """Give the API's root to call with a token. Raises Rejected for a foreign host."""
        return api_root(token.url, self._credentials.base)

    async def aclose(self) -> None:
        await self._cache.aclose()

    async def _renew_early(self, old: Token | None) -> Token:
        now = self._clock()
        if old is None or old.expires <= now:
            return await self._cache.renew(self._ask, old)
        if now < self._early_again:
            return old
        self._early_again = now + EARLY_EVERY_S
        try:
            async with asyncio.timeout(EARLY_WITHIN_S):
                return await self._cache.renew(self._ask, old)
        except (Unavailable, RateLimited, TimeoutError):
            # The token endpoint may be down for as long as the old token lasts.
            return old

    def _ages(self, token: Token) -> bool:
        return token.expires - RENEW_EARLY_S <= self._clock()

    def _keep(self, token: Token) -> Token:
        self._hide(token.value)
        self._token = token
        return token

    def _hide(self, secret: str) -> None:
        if secret and secret not in self._hidden:
            self._hidden.append(secret)
            self._http.hide(secret)
        if len(self._hidden) > REMEMBERED_TOKENS:
            self._http.reveal(self._hidden.popleft())

    async def _ask(self, refresh: str) -> Token:
        """Ask Zoom for a token (developers.zoom.us/docs: internal-apps/s2s-oauth, integrations/oauth)."""
        own = self._credentials
        self._hide(refresh)
        form = {"grant_type": "account_credentials", "account_id": own.account_id}
        if refresh:
            form = {"grant_type": "refresh_token", "refresh_token": refresh}
        answer = await self._http.ask(
            "POST", own.token_url, _ASK, form=form, auth=(own.client_id, own.client_secret)
        )
        if answer.status in (400, 401, 403):
            raise self._refusal(answer, bool(refresh))
        if not answer.ok:
            raise to_error(answer, _ASK, self._clock(), detail=self._told(answer).reason)
        return self._read(answer)

    def _refusal(self, answer: Answer, consented: bool) -> Unauthorized:
        told = self._told(answer)
        if consented and (told.error == "invalid_grant" or told.code in _CONSENT_GONE):
            text = "its user must consent again, and the new refresh token becomes refresh_token"
            return ConsentGone(f"the user's consent is gone ({told.reason}): {text}")
        return Unauthorized(f"the token endpoint refuses the credentials: {told.reason}")

    def _read(self, answer: Answer) -> Token:
        trouble: BadAnswer
        try:
            read = read_answer(TokenAnswer, answer.body)
        except BadAnswer as error:
            trouble = error
        else:
            if not read.refresh_token:
                api_root(read.api_url, self._credentials.base)
            # Else what was asked with is spent: the next one is kept, and every call refuses the host.
            self._hide(read.refresh_token)
            expires = self._clock() + read.expires_in
            return Token(read.access_token, expires, read.api_url, read.refresh_token)
        raise to_error(trouble, _ASK, self._clock())

    def _told(self, answer: Answer) -> _Told:
        try:
            read = read_answer(OAuthError, answer.body)
        except BadAnswer:
            return _Told("", 0, f"status {answer.status}")
        words = (str(read.code or ""), read.error, read.reason, read.message)
        return _Told(read.error, read.code, self._http.redacted(" ".join(filter(None, words))))


def api_root(named: str, base: str) -> str:
    """Choose the API's root: the configured one, else the region that the token answer names.

    Raises Rejected when the answer names a host that is not Zoom's: the token goes nowhere else.
    """
    if base or not named:
        return f"{(base or API_URL).rstrip('/')}/v2"
    try:
        parts = urlsplit(named)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    ours = host == "zoom.us" or host.endswith(".zoom.us")
    if parts.scheme != "https" or not ours or port not in (None, 443) or parts.username is not None:
        raise Rejected("the token answer names an API address that is not https on zoom.us")
    return f"https://{host}/v2"
