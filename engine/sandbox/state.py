"""One running sandbox: its store, its subscription, its limits, and what is still to be sent."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from engine.sandbox.config import SandboxConfig
from engine.sandbox.faults import Faults
from engine.sandbox.lag import Lag
from engine.sandbox.limits import Limiter
from engine.sandbox.mailbox import add_mailbox
from engine.sandbox.schema import open_database
from engine.sandbox.sending import dispatch, due_messages
from engine.sandbox.store import Store
from engine.sandbox.unreliable import Ways
from engine.sandbox.webhooks import Webhooks


@dataclass(slots=True)
class Sandbox:
    """What the routes work on."""

    config: SandboxConfig
    store: Store
    webhooks: Webhooks
    limiter: Limiter
    faults: Faults = field(default_factory=Faults)
    calls: Counter[str] = field(default_factory=Counter)
    """Calls by operation, those refused included."""
    rates: Counter[str] = field(default_factory=Counter)
    """Calls by rate class."""
    limited: int = 0
    """Calls refused by the rate limits."""

    def send_at(self, address: str, id_: str, due: int) -> None:
        """Send a scheduled message at `due` (epoch ms): within this transaction if that has passed."""
        wait = due / 1000 - self.store.clock()
        if wait <= 0:
            self._dispatch(address, id_)
        else:
            asyncio.get_running_loop().call_later(wait, self._fire, address, id_)

    def resume_sending(self) -> None:
        """Take up what an earlier process left scheduled."""
        with self.store.transaction():
            for address, id_, due in due_messages(self.store):
                self.send_at(address, id_, due)

    def reset(self) -> None:
        """Begin anew, as configured."""
        with self.store.transaction():
            self.store.clear()
            host_mailboxes(self.store, self.config)
        self.webhooks.pending.clear()
        self.webhooks.ways = Ways()
        self.faults = Faults()
        self.store.lag = Lag()
        self.calls.clear()
        self.rates.clear()
        self.limited = 0
        self.limiter = Limiter(self.config.rates, self.config.limits)

    def _fire(self, address: str, id_: str) -> None:
        with self.store.transaction():
            self._dispatch(address, id_)

    def _dispatch(self, address: str, id_: str) -> None:
        box = self.store.mailbox(address)
        if box is not None:
            dispatch(self.store, box, id_)


def host_mailboxes(store: Store, config: SandboxConfig) -> None:
    """Host the configured mailboxes that are not hosted yet."""
    for address in config.mailboxes:
        if store.mailbox(address) is None:
            add_mailbox(store, address)


def build_sandbox(config: SandboxConfig) -> Sandbox:
    """Open the database and host the configured mailboxes."""
    store = Store(open_database(config.database), history_horizon=config.history_horizon)
    webhooks = Webhooks(config, store)
    store.ring = webhooks.ring
    with store.transaction():
        host_mailboxes(store, config)
    return Sandbox(config, store, webhooks, Limiter(config.rates, config.limits))
