"""Keeps the rules in force: the last good ones, and those that runs are pinned to."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from engine.errors import PostroomError, TemplateError
from engine.flow.clock import Clock, now_ms
from engine.flow.rulebook import Rulebook, Sources, compile_sources
from engine.rules.home import NOWHERE, Homes

log = logging.getLogger("postroom.rules")

LONGEST_REASON = 2_000
KEPT = 8
"""Rulebooks that stay compiled."""


class Blobs(Protocol):
    """Where sources are kept."""

    async def put(self, digest: str, text: str, now: int) -> None: ...

    async def get(self, digest: str) -> str | None: ...

    async def last_good(self) -> str | None: ...


class Keeper:
    """Reads rules and templates again and again; a set that does not hold is not put in force."""

    def __init__(
        self,
        blobs: Blobs,
        read: Callable[[], Sources],
        check: Callable[[Sources], list[str]],
        clock: Clock = now_ms,
        homes: Homes = NOWHERE,
    ) -> None:
        self._blobs, self._read, self._check, self._clock = blobs, read, check, clock
        self._homes = homes
        self._compiled: OrderedDict[str, Rulebook] = OrderedDict()
        self._current: Rulebook | None = None
        self._refused = ""
        """The digest of the files that were refused last, or why they could not be read."""
        self.refused = ""
        """Why the files on disk are not in force, "" when they are."""
        self._lost = ""
        self._seen = ""

    def current(self) -> Rulebook | None:
        return self._current

    async def reload(self) -> None:
        """Put the rules on disk in force if they are good; else keep the last good ones and say why.

        Reading and testing thousands of rules takes seconds: a thread does it, and leases are renewed.
        """
        try:
            sources, _ = await asyncio.to_thread(self._look)
        except (PostroomError, OSError, UnicodeDecodeError) as error:
            self._refuse(str(error), [str(error)])
        else:
            await self._take(sources)
        if self._current is None:
            await self._fall_back()

    def _look(self) -> tuple[Sources, str]:
        """Read and hash; the digest stays with the sources."""
        sources = self._read()
        return sources, sources.digest

    async def _take(self, sources: Sources) -> None:
        """Rules that replace others must be read twice alike: a file may be half written."""
        seen, self._seen = self._seen, sources.digest
        if self._current and sources.digest == self._current.digest:
            self._reverted()
        elif (self._current and sources.digest != seen) or sources.digest == self._refused:
            return
        elif problems := await asyncio.to_thread(self._check, sources):
            self._refuse(sources.digest, problems)
        else:
            await self._put_in_force(sources)

    def _reverted(self) -> None:
        if self.refused:
            log.info("the rules on disk are those in force again")
        self._refused = self.refused = ""

    def _refuse(self, what: str, problems: list[str]) -> None:
        """Say once why rules are not loaded."""
        if what != self._refused:
            log.error("rules not loaded, the last good ones stay in force: %s", "; ".join(problems))
        self._refused, self.refused = what, "; ".join(problems)[:LONGEST_REASON]

    async def _put_in_force(self, sources: Sources) -> None:
        await self._blobs.put(sources.digest, sources.to_json(), self._clock())
        self._current = await self._compile(sources)
        self._refused = self.refused = ""
        log.info("rules %s in force", sources.digest[:12])

    async def _fall_back(self) -> None:
        digest = await self._blobs.last_good()
        if not digest or digest == self._lost:
            return
        try:
            self._current = await self.pinned(digest)
        except TemplateError as error:
            self._lost = digest
            log.error("no rules are in force, and mail waits: %s", error)

    async def pinned(self, digest: str) -> Rulebook:
        if digest in self._compiled:
            self._compiled.move_to_end(digest)
            return self._compiled[digest]
        text = await self._blobs.get(digest)
        if text is None:
            raise TemplateError(f"rules and templates {digest[:12]} are no longer kept")
        try:
            return await self._compile(Sources.from_json(text))
        except PostroomError as error:
            raise TemplateError(f"rules and templates {digest[:12]} no longer load: {error}") from error

    async def _compile(self, sources: Sources) -> Rulebook:
        return self._keep(await asyncio.to_thread(compile_sources, sources, self._homes))

    def _keep(self, book: Rulebook) -> Rulebook:
        self._compiled[book.digest] = book
        while len(self._compiled) > KEPT:
            self._compiled.popitem(last=False)
        return book
