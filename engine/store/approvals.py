"""Messages that wait for a person, in Redis: one hash for each run, and an index by when it expires."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict

from engine.flow.approvals import MAX_WAITING, WAITS, About, Answer, Decision, Letter, Standing
from engine.flow.rewriting import about_of, rewritten
from engine.flow.stores import Claim
from engine.store.base import JOB_TTL_MS, Base
from engine.store.batch import dump
from engine.store.calls import CONTENT_MS

SHOWN = (
    "step",
    "about",
    "asked",
    "expires",
    "edition",
    "edited_by",
    "standing",
    "by",
    "at",
    "reason",
    "draft",
)
"""Every field but the bytes themselves."""
NO_LIMIT = 1_000_000_000


class RedisApprovals:
    """The Approvals port on Redis, and what commands and API ask of it."""

    def __init__(self, base: Base) -> None:
        self._base, self._redis, self._key = base, base.redis, base.key

    async def ask(self, claim: Claim, letter: Letter) -> bool:
        run, expires = claim.run.id, letter.expires
        keys = [self._key("run", run), self._key("due"), self._key("approval", run), self._key("approvals")]
        # A draft holds its text itself, and was left already: one is never too many.
        limit = MAX_WAITING if not letter.draft else NO_LIMIT
        head: list[str | int] = [run, f"{claim.nonce} {claim.deadline}", expires, limit]
        head += [expires - letter.asked + CONTENT_MS, WAITS, letter.step]
        head += [claim.run.mailbox, letter.draft, letter.asked]
        return bool(await self._base.scripts("ask", keys, [*head, *_fields(letter)]) != -1)

    async def get(self, run: str) -> Letter | None:
        """Give it with its bytes."""
        fields = await self._redis.hgetall(self._key("approval", run))
        return _letter(run, fields) if fields else None

    async def waiting(self) -> list[Letter]:
        """Give all that wait, without their bytes; what expires first comes first."""
        runs = await self._redis.zrange(self._key("approvals"), 0, -1)
        async with self._redis.pipeline(transaction=False) as pipe:
            for run in runs:
                pipe.hmget(self._key("approval", run), SHOWN)
            found = await pipe.execute()
        return [
            _letter(run, {name: value or "" for name, value in zip(SHOWN, values, strict=True)})
            for run, values in zip(runs, found, strict=True)
            if values[0] is not None
        ]

    async def decide(self, run: str, decision: Decision, now: int) -> Answer:
        parts = (self._key("approval", run), self._key("approvals"), self._key("run", run), self._key("due"))
        job = self._base.execute_job(run)
        args: list[str | int] = [run, decision.standing.value, decision.by, now, secrets.token_hex(8)]
        args += [decision.edition, decision.reason, job.id, job.payload, JOB_TTL_MS]
        return Answer(await self._base.scripts("decide", [*parts, self._base.queue], args))

    async def edit(self, letter: Letter, subject: str | None, text: str | None, by: str, now: int) -> Answer:
        """Give this very edition another subject or text. Raises UnsendableError."""
        raw = rewritten(letter.raw, subject, text)
        about = about_of(letter.about.mailbox, letter.about.rule, raw)
        args: list[str | int] = [letter.edition, now, secrets.token_hex(8), by]
        args += [raw.decode("ascii"), dump(asdict(about))]
        return Answer(await self._base.scripts("edit", [self._key("approval", letter.run)], args))


def _fields(letter: Letter) -> list[str | int]:
    said = {"asked": letter.asked, "expires": letter.expires, "edition": letter.edition}
    texts = {"standing": letter.standing.value, "raw": letter.raw.decode("ascii")}
    fields: dict[str, str | int] = {**said, **texts, "about": dump(asdict(letter.about))}
    return [word for pair in fields.items() for word in pair]


def _letter(run: str, fields: Mapping[str, str]) -> Letter:
    about = json.loads(fields["about"])
    return Letter(
        run=run,
        step=int(fields["step"]),
        about=About(about["mailbox"], about["rule"], tuple(about["to"]), about["subject"]),
        asked=int(fields["asked"]),
        expires=int(fields["expires"]),
        raw=fields.get("raw", "").encode("ascii"),
        edition=int(fields["edition"]),
        edited_by=fields.get("edited_by", ""),
        standing=Standing(fields["standing"]),
        by=fields.get("by", ""),
        at=int(fields.get("at") or 0),
        reason=fields.get("reason", ""),
        draft=fields.get("draft", ""),
    )
