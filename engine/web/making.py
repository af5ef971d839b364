"""Put the endpoints for calls together: hooks and API share what writes calls down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

from engine.flow.calls import Call, Taken
from engine.flow.clock import Clock
from engine.flow.rulebook import Sources
from engine.settings import Settings, mailbox_of
from engine.settings.hooks import compile_schema
from engine.store.approvals import RedisApprovals
from engine.store.base import Base
from engine.store.blobs import RedisBlobs
from engine.store.calls import RedisCalls
from engine.store.journal import RedisJournal
from engine.store.shown import tell
from engine.templating.library import Library, load_templates
from engine.web.api import Api
from engine.web.approvals import ApprovalApi
from engine.web.brake import BrakeApi
from engine.web.calls import Calls, Hook, sizes
from engine.web.together import Together

FRESH_S = 1.0


class InForce:
    """The templates in force, looked for now and then."""

    def __init__(self, base: Base) -> None:
        self._blobs = RedisBlobs(base)
        self._digest: str | None = None
        self._library: Library | None = None
        self._looked = 0.0

    async def templates(self) -> Library | None:
        """Give them; None before there are any."""
        if self._library is None or time.monotonic() - self._looked > FRESH_S:
            self._looked = time.monotonic()
            await self._look()
        return self._library

    async def _look(self) -> None:
        digest = await self._blobs.last_good()
        text = await self._blobs.get(digest) if digest and digest != self._digest else None
        if text is not None:
            sources = Sources.from_json(text).templates
            self._library = await asyncio.to_thread(load_templates, sources)
            self._digest = digest


def make_endpoints(settings: Settings, base: Base, clock: Clock) -> tuple[Calls, Api]:
    """Make both over one Redis."""
    calls = RedisCalls(base, int(settings.retention * 1000))

    async def write(some: Sequence[Call]) -> Sequence[Taken]:
        return await calls.take(some, clock())

    intake = Together(write, sizes)
    hooks = {
        name: Hook(
            own.verify,
            own.secret,
            mailbox_of(settings, name, own),
            compile_schema(own.schema_) if own.schema_ else None,
            own.attachments,
        )
        for name, own in settings.hooks.items()
    }
    journal = RedisJournal(base)
    api = Api(
        settings.web.api_token,
        intake,
        calls.salt,
        InForce(base).templates,
        partial(tell, journal, calls),
        tuple(settings.mailboxes),
        settings.web.attachments,
        ApprovalApi(settings.web.api_token, RedisApprovals(base), journal, clock),
        BrakeApi(settings.web.api_token, base, clock),
    )
    return Calls(hooks, intake, calls.salt), api
