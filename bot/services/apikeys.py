"""Keys for the HTTP intake: made, listed, revoked and checked. Only their hashes are kept."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from bot.domain.errors import InputProblem, InvalidInput, TickettruheError
from bot.services.unit import Unit
from storage import rows
from storage.models import ApiKey

PREFIX: Final = "tt_"
"""Tells people and secret scanners what a found key belongs to."""

_BYTES: Final = 32
_NAME: Final = re.compile(r"[\w][\w .@-]{0,63}")
Address = IPv4Address | IPv6Address


class KeyNameTaken(TickettruheError):
    """There is a key of this name already, perhaps a revoked one."""


class UnknownKey(TickettruheError):
    """There is no key of this name."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as it may be shown: everything but the key."""

    name: str
    addresses: tuple[str, ...]
    """Networks that may use it (CIDR); none: everyone."""
    created_at: datetime
    revoked_at: datetime | None


def create(unit: Unit, name: str, addresses: Sequence[str] = ()) -> str:
    """Make a key, to be shown this once. ``addresses`` are addresses or networks that may use it.

    :raises InvalidInput: ``name`` or ``addresses`` is malformed.
    :raises KeyNameTaken: the name is in use.
    """
    if not _NAME.fullmatch(name) or name != name.strip():
        raise InvalidInput("name", InputProblem.MALFORMED)
    if _named(unit, name) is not None:
        raise KeyNameTaken
    networks = [_network(address) for address in addresses]
    key = PREFIX + secrets.token_urlsafe(_BYTES)
    unit.session.add(ApiKey(name=name, digest=digest(key), addresses=networks or None, created_at=unit.now))
    return key


def list_keys(unit: Unit) -> tuple[KeyView, ...]:
    """All keys, the revoked ones too, by name."""
    found = unit.session.exec(select(ApiKey).order_by(col(ApiKey.name)))
    return tuple(
        KeyView(row.name, tuple(row.addresses or ()), row.created_at, row.revoked_at) for row in found.all()
    )


def revoke(unit: Unit, name: str) -> None:
    """Make a key useless for ever; one that is so already stays as it is.

    :raises UnknownKey: there is none of this name.
    """
    row = _named(unit, name)
    if row is None:
        raise UnknownKey
    row.revoked_at = row.revoked_at or unit.now
    unit.session.add(row)


_VALID: Final = select(col(ApiKey.id), col(ApiKey.digest), col(ApiKey.addresses)).where(
    ApiKey.digest == bindparam("digest"), col(ApiKey.revoked_at).is_(None)
)


def check(unit: Unit, presented: str, address: Address | None) -> int | None:
    """Id of the key that was presented, if it is valid and may be used from this address.

    ``address`` is ``None`` where there is none, as on a Unix socket: a bound key is not valid there.
    """
    sought = digest(presented)
    row = rows.run(unit.session, _VALID, digest=sought).first()
    # The index finds by hash: how long it takes tells nothing about a key. Compared again all the same,
    # so that no collation of a database decides.
    if row is None or not hmac.compare_digest(row.digest, sought):
        return None
    if row.addresses and not _within(address, row.addresses):
        return None
    found: int = row.id
    return found


def digest(key: str) -> str:
    """The hash by which a key is known."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as error:
        raise InvalidInput("addresses", InputProblem.NOT_AN_ADDRESS) from error


def _within(address: Address | None, networks: Sequence[str]) -> bool:
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    return address is not None and any(address in ip_network(network) for network in networks)


def _named(unit: Unit, name: str) -> ApiKey | None:
    return unit.session.exec(select(ApiKey).where(ApiKey.name == name)).first()
