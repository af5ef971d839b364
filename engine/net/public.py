"""Keep calls out of private networks, whatever a name resolves to at that moment."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, IPv6Network, ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 behind a translator (RFC 6052, section 2.1)."""
PRIVATE = "lies in a private network: write private: true below its endpoint if that is meant"


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the open internet."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _TRANSLATED:
            inner = ip_address(int(ip) & 0xFFFFFFFF)  # type: ignore[assignment]
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def check_host(host: str) -> None:
    """Refuse a host that is a private address; names are judged when they are resolved. Raises InvalidURL."""
    try:
        public = is_public(host.strip("[]"))
    except ValueError:
        return
    if not public:
        raise aiohttp.InvalidURL(host, PRIVATE)


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses one that leads to any private address."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise aiohttp.InvalidURL(host, PRIVATE)
        return found

    async def close(self) -> None:
        await self._inner.close()
