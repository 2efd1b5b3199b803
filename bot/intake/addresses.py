"""Who is asking: the address that a request really came from."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from bot.intake.settings import Network

Address = IPv4Address | IPv6Address

_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")
_IPV6_PREFIX: Final = 64


def client_address(peer: str | None, forwarded: Iterable[str], trusted: Iterable[Network]) -> Address | None:
    """The client's address; ``None`` if the connection has none (Unix socket).

    ``forwarded`` are the ``X-Forwarded-For`` headers. They are read from the right, each entry written by
    the proxy after it: only what a trusted proxy wrote counts. Behind an entry that is no address the whole
    header is worth nothing, and the peer is taken.
    """
    known = tuple(trusted)
    origin = address = parse_address(peer or "")
    entries = [entry for header in forwarded for entry in header.split(",")]
    while address is not None and entries and _is_trusted(address, known):
        address = parse_address(entries.pop())
    return origin if address is None else address


def parse_address(text: str) -> Address | None:
    """An address, perhaps with a port as some proxies write it; IPv4 in IPv6 becomes IPv4."""
    text = text.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found["six"] or found["four"]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def household(address: Address | None) -> str:
    """What one customer of a network provider has: an IPv4 address, or the /64 of an IPv6 one."""
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)


def _is_trusted(address: Address, trusted: tuple[Network, ...]) -> bool:
    return any(address in network for network in trusted)
