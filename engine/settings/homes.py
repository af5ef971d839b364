"""What the configuration tells the rules of each mailbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from engine.rules.home import NOWHERE, Home, Homes
from engine.rules.strict import Strict
from engine.rules.text import fold
from engine.rules.yaml import Map, Node
from engine.settings import find_file, mailbox_of, read_file
from engine.settings.model import Settings
from engine.settings.outside import OutboundSettings, reach_of
from engine.settings.values import ServerNames, Zone


class _OneHome(Strict):
    timezone: Zone | None = None
    authserv_id: ServerNames = ()


class _AllHomes(Strict):
    timezone: Zone = "UTC"
    mailboxes: dict[str, _OneHome] = {}
    outbound: OutboundSettings = OutboundSettings()
    endpoints: dict[str, Any] = {}
    folders: dict[str, Any] = {}


def homes_of(settings: Settings) -> Homes:
    """Give each mailbox its own time zone, else the global one, its server's names, and whether it sends."""
    homes, senders = _homes(settings), frozenset(map(fold, _senders(settings)))
    each = {name: replace(home, sends=name in senders) for name, home in homes.each.items()}
    return replace(homes, each=each)


def _senders(settings: Settings) -> Iterable[str]:
    """The mailboxes that mail leaves from because other systems ask for it."""
    if settings.web.api_token:
        return settings.mailboxes
    return [mailbox_of(settings, hook, own) for hook, own in settings.hooks.items()]


def load_homes(path: str | None = None) -> Homes:
    """Read them alone, so that judging offline needs no secret. Raises SettingsError."""
    name = find_file(path)
    return NOWHERE if name is None else _homes(read_file(name, _AllHomes, _homes_alone))


def _homes(said: Settings | _AllHomes) -> Homes:
    each = {
        fold(name): Home(
            ZoneInfo(own.timezone or said.timezone),
            frozenset(server.lower() for server in own.authserv_id),
        )
        for name, own in said.mailboxes.items()
    }
    reach = reach_of(said.mailboxes, said.outbound, said.endpoints, said.folders)
    return Homes(each, Home(ZoneInfo(said.timezone)), reach)


def _homes_alone(root: Node) -> Node:
    """Leave out all else that the configuration says."""
    root = _only(root, _AllHomes)
    if not isinstance(root, Map) or "mailboxes" not in root.items:
        return root
    key, mailboxes = root.items["mailboxes"]
    if isinstance(mailboxes, Map):
        each = {name: (at, _only(own, _OneHome)) for name, (at, own) in mailboxes.items.items()}
        mailboxes = mailboxes._replace(items=each)
    return root._replace(items=root.items | {"mailboxes": (key, mailboxes)})


def _only(node: Node, model: type[Strict]) -> Node:
    if not isinstance(node, Map):
        return node
    return node._replace(items={key: pair for key, pair in node.items.items() if key in model.model_fields})
