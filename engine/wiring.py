"""Puts the parts together: the one module that knows every class."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from redis.exceptions import RedisError, ResponseError

from engine.errors import SettingsError, StoreError
from engine.flow.execute import Executing
from engine.flow.keeper import Keeper
from engine.flow.poll import Polling
from engine.flow.ports import Provider, RateBudget, TokenCache
from engine.flow.prepare import Draining
from engine.flow.turns import BACKGROUND_SHARE, FairBudget
from engine.providers.zoom_mail import ZoomMail, zoom_mail
from engine.rules.home import Homes
from engine.services.folders import LocalFolders
from engine.services.http import Endpoint, HttpEndpoints
from engine.settings import AccountSettings, Settings
from engine.settings.homes import homes_of
from engine.settings.outside import budgets_of
from engine.sources import check_sources, read_rule_sources
from engine.store.approvals import RedisApprovals
from engine.store.base import Base
from engine.store.blobs import RedisBlobs
from engine.store.board import Board, Box, Snapshot
from engine.store.budget import RedisBudget
from engine.store.budget_left import Limits
from engine.store.clock import ServerClock
from engine.store.connection import check_durability, connect
from engine.store.drafts import RedisDrafts
from engine.store.embedded import embedded
from engine.store.gate import RedisGate
from engine.store.grants import RedisGrant
from engine.store.halt import HaltWatch
from engine.store.journal import RedisJournal
from engine.store.lanes import RedisLanes
from engine.store.layout import claim_layout
from engine.store.mailboxes import RedisMailboxes
from engine.store.presence import process_name
from engine.store.summaries import RedisSummaries
from engine.store.suppression import RedisSuppressions
from engine.store.tokens import RedisTokens
from engine.store.waking import Waking
from engine.web.doorbell import Doorbell
from engine.web.zoom import ZoomHook, ZoomHooks

BUSINESS = {"LIGHT": 80.0, "MEDIUM": 60.0, "HEAVY": 40.0}
"""Calls per second of a Business account (developers.zoom.us/docs/api/rate-limits)."""
BUSINESS_HEAVY_DAILY = 60_000


@dataclass
class Office:
    """Everything that one process works with, over one Redis."""

    settings: Settings
    base: Base
    url: str
    _providers: dict[str, Provider] = field(default_factory=dict)

    @cached_property
    def clock(self) -> ServerClock:
        return ServerClock(self.base.redis)

    @cached_property
    def lanes(self) -> RedisLanes:
        return RedisLanes(self.base)

    @cached_property
    def mailboxes(self) -> RedisMailboxes:
        return RedisMailboxes(self.base)

    @cached_property
    def journal(self) -> RedisJournal:
        return RedisJournal(self.base)

    @cached_property
    def waking(self) -> Waking:
        return Waking(self.base)

    @cached_property
    def keeper(self) -> Keeper:
        return Keeper(
            RedisBlobs(self.base),
            lambda: read_rule_sources(self.settings),
            lambda sources: check_sources(sources, self._homes),
            self.clock,
            self._homes,
        )

    @cached_property
    def _homes(self) -> Homes:
        return homes_of(self.settings)

    @property
    def retention_ms(self) -> int:
        return int(self.settings.retention * 1000)

    @cached_property
    def polling(self) -> Polling:
        return Polling(self.mailboxes, self.retention_ms, self.clock)

    @cached_property
    def draining(self) -> Draining:
        return Draining(
            self.lanes,
            self.mailboxes,
            self.keeper,
            RedisDrafts(self.base),
            self.clock,
            frozenset(self.settings.mailboxes),
            int(self.settings.answer_within * 1000),
        )

    @cached_property
    def endpoints(self) -> HttpEndpoints:
        made = {
            name: Endpoint(
                one.url, one.method, one.secret or "", one.bearer or "", one.headers, one.keyed, one.private
            )
            for name, one in self.settings.endpoints.items()
        }
        return HttpEndpoints(made)

    @cached_property
    def executing(self) -> Executing:
        limits = self.settings.execute
        return Executing(
            self.journal,
            self.mailboxes,
            self.keeper,
            self.provider,
            LocalFolders(self.settings.folders),
            self.endpoints,
            RedisApprovals(self.base),
            RedisDrafts(self.base),
            RedisSummaries(self.base),
            RedisGate(self.base),
            RedisSuppressions(self.base),
            timeout=int(limits.timeout * 1000),
            margin=int(limits.margin * 1000),
            look_gap=int(limits.look_gap * 1000),
            approve_within=int(self.settings.approvals.expire * 1000),
            clock=self.clock,
            budgets=budgets_of(self.settings.mailboxes, self.settings.outbound),
        )

    @property
    def intervals(self) -> Mapping[str, int]:
        """How often each mailbox is polled, in ms; 0 when only its doorbell wakes it."""
        return {name: int(mailbox.poll * 1000) for name, mailbox in self.settings.mailboxes.items()}

    def provider(self, mailbox: str) -> Provider:
        """The provider of a mailbox. Raises SettingsError when it is not configured."""
        if mailbox not in self.settings.mailboxes:
            raise SettingsError(f"there is no mailbox '{mailbox}' in the configuration")
        name = self.settings.mailboxes[mailbox].account
        if name not in self._providers:
            self._providers[name] = self._make_provider(name, self.settings.accounts[name])
        return self._providers[name]

    async def filters(self, mailbox: str) -> list[dict[str, Any]]:
        """The filters in a mailbox's own settings. Raises SettingsError where its provider has none."""
        provider = self.provider(mailbox)
        if not isinstance(provider, ZoomMail):
            raise SettingsError(f"the mailbox '{mailbox}' is not with Zoom Mail")
        return await provider.filters(mailbox)

    def _make_provider(self, name: str, account: AccountSettings) -> Provider:
        return zoom_mail(
            account_id=account.account_id,
            client_id=account.client_id,
            client_secret=account.client_secret,
            budget=self._make_budget(name, account),
            tokens=self._make_tokens(name, account),
            url=account.url,
        )

    def _make_tokens(self, name: str, account: AccountSettings) -> TokenCache:
        if account.refresh_token:
            return RedisGrant(self.base.redis, self.base.key("grant", name), account.refresh_token)
        return RedisTokens(self.base.redis, self.base.key("token", name))

    def _make_budget(self, name: str, account: AccountSettings) -> RateBudget:
        """The account's share of its limits, and of that the share of what can wait."""

        def budget(key: str, share: float) -> RedisBudget:
            limits = limits_of(account, share)
            per_second, daily = (limits.per_second, limits.daily) if limits else (None, None)
            return RedisBudget(self.base.redis, self.base.prefix, key, per_second, daily)

        background = budget(f"{name}:background", account.budget * BACKGROUND_SHARE)
        return FairBudget(budget(name, account.budget), background)

    @cached_property
    def board(self) -> Board:
        settings = self.settings
        boxes = [Box(name, box.account, int(box.poll * 1000)) for name, box in settings.mailboxes.items()]
        hooked = [name for name, account in settings.accounts.items() if account.webhook_secret]
        limits = {name: limits_of(account, account.budget) for name, account in settings.accounts.items()}
        return Board(self.base, boxes, hooked, {name: own for name, own in limits.items() if own})

    async def look(self) -> Snapshot:
        """Everything that is watched, as it is now."""
        return await self.board.read(self.clock())

    def hooks(self) -> ZoomHooks:
        async def ring(traces: Mapping[str, str]) -> None:
            await self.mailboxes.ring(list(traces), self.clock(), traces)

        accounts = {
            name: ZoomHook(account.webhook_secret, account.webhook_max_age, self._addresses(name))
            for name, account in self.settings.accounts.items()
            if account.webhook_secret
        }
        return ZoomHooks(accounts, Doorbell(ring), time.time)

    def _addresses(self, account: str) -> dict[str, str]:
        boxes = self.settings.mailboxes.items()
        return {name.lower(): name for name, mailbox in boxes if mailbox.account == account}

    @cached_property
    def halts(self) -> HaltWatch:
        return HaltWatch(self.base)

    async def begin(self, *, any_layout: bool = False) -> None:
        """See that this Redis can be trusted and is ours, and what time it is there."""
        if problems := await self.problems():
            raise SettingsError("; ".join(problems))
        if not any_layout:
            await claim_layout(self.base)
            await self.halts.look()
        await self.clock.sync()

    async def problems(self) -> list[str]:
        """What keeps this Redis from being trusted."""
        await self.base.redis.ping()
        if self.settings.redis.durability == "external":
            return []
        return await check_durability(self.base.redis)

    async def unready(self) -> list[str]:
        """What keeps a process that takes webhooks from being of use."""
        if problems := await self.problems():
            return problems
        blobs = RedisBlobs(self.base)
        digest = await blobs.last_good()
        if digest and await blobs.get(digest):
            return []
        return ["no rules have been put in force yet: is a worker running, and do the rules load?"]

    async def aclose(self) -> None:
        for provider in self._providers.values():
            await provider.aclose()
        await self.endpoints.aclose()
        await self.base.redis.aclose()


@contextlib.asynccontextmanager
async def open_office(
    settings: Settings, role: str = "command", *, any_layout: bool = False
) -> AsyncIterator[Office]:
    """Connect to the configured Redis, or to our own in the data folder, and put everything together.

    `role` is what others see at work. With `any_layout`, what lies in the database is not looked at.
    Raises SettingsError when Redis does not keep what it acknowledges, and StoreError when it does not answer
    or fails later.
    """
    async with contextlib.AsyncExitStack() as stack:
        url, prefix = settings.redis.url, settings.redis.prefix
        if url is None:
            url = await stack.enter_async_context(embedded(settings.data))
        office = Office(settings, Base(connect(url, process_name(prefix, role)), prefix), url)
        stack.push_async_callback(office.aclose)
        try:
            await office.begin(any_layout=any_layout)
        except ResponseError as error:
            raise StoreError(f"Redis refuses what we ask of it: {error}") from error
        except (RedisError, OSError) as error:
            raise StoreError(f"Redis does not answer ({type(error).__name__}): is it running?") from error
        try:
            yield office
        except RedisError as error:
            raise StoreError(f"Redis failed meanwhile ({type(error).__name__}): {error}") from error


def limits_of(account: AccountSettings, share: float) -> Limits | None:
    """Such a share of the account's rate limits; None where we keep to none."""
    if account.limits == "off":
        return None
    per_second = {rate: calls * share for rate, calls in BUSINESS.items()}
    return Limits(per_second, {"HEAVY": int(BUSINESS_HEAVY_DAILY * share)})
