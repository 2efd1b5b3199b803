"""Links to the requester's page: signed, good for a time, and void once the ticket is deleted."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from bot.domain.words import Action, Status
from bot.services import secrets
from bot.services.unit import Unit
from storage import tickets
from storage.models import Ticket

PATH: Final = "request"
"""Of the page, below the address of the web server."""
_KEY: Final = "status_link"
_MAC_BYTES: Final = 16
"""Half of the hash, the least that RFC 2104, 5 allows: a link that mail programs do not break is short."""
_SHAPE: Final = re.compile(
    r"(?P<proof>[fm])(?P<number>[1-9][0-9]{0,11})-(?P<issued>[0-9a-f]{1,9})-(?P<mac>[a-z2-7]{26})", re.ASCII
)


class Proof(StrEnum):
    """What a link proves of who has it."""

    FORM = "f"
    """They sent the form: the address that they entered may be anybody's."""
    MAIL = "m"
    """They read the requester's mail."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is good. ``expires_at``: until when."""

    number: int
    proof: Proof
    issued_at: datetime
    expires_at: datetime


def ensure_key(unit: Unit) -> None:
    """Make the key that signs links, if there is none: reading them writes nothing."""
    secrets.ensure(unit, _KEY)


def status_link(unit: Unit, number: int, proof: Proof = Proof.MAIL) -> str | None:
    """Address of the page for whoever has that ``proof``, good from now on.

    ``None``: there is no page, it has no address that can be told, or the ticket is deleted or unknown.
    """
    page = unit.policy.page
    if page is None or page.address is None:
        return None
    token = issue(unit, number, proof)
    return None if token is None else f"{page.address}/{PATH}/{token}"


def issue(unit: Unit, number: int, proof: Proof) -> str | None:
    """The last part of a new link's address; ``None``: there is no page, or no such ticket."""
    ticket = tickets.get(unit.session, number)
    if unit.policy.page is None or ticket is None or ticket.status == Status.DELETED.value:
        return None
    issued = f"{int(unit.now.timestamp()):x}"
    return f"{proof}{number}-{issued}-{_mac(unit, ticket, proof, issued)}"


def read(unit: Unit, text: str) -> Link | None:
    """The link, if it is good.

    ``None`` for all others alike: forged, expired, of a ticket that is gone, or older than its deletion.
    """
    page, found = unit.policy.page, _SHAPE.fullmatch(text)
    if page is None or found is None:
        return None
    number, proof = int(found["number"]), Proof(found["proof"])
    ticket = tickets.get(unit.session, number)
    if ticket is None or not hmac.compare_digest(_mac(unit, ticket, proof, found["issued"]), found["mac"]):
        return None
    issued_at = datetime.fromtimestamp(int(found["issued"], 16), UTC)
    expires_at = issued_at + page.lifetime
    if unit.now >= expires_at or revoked(unit, ticket, issued_at):
        return None
    return Link(number, proof, issued_at, expires_at)


def revoked(unit: Unit, ticket: Ticket, issued_at: datetime) -> bool:
    """Whether the ticket was deleted since, also if it was restored: that may have been the reason."""
    if ticket.status == Status.DELETED.value:
        return True
    deleted = tickets.last_change(unit.session, ticket.number or 0, (Action.DELETE,))
    return deleted is not None and deleted.at >= issued_at


def _mac(unit: Unit, ticket: Ticket, proof: Proof, issued: str) -> str:
    # The moment tells the ticket from one that got its number after a backup was restored.
    signed = f"{proof}|{ticket.number}|{issued}|{ticket.opened_at.isoformat()}"
    mac = hmac.digest(secrets.ensure(unit, _KEY), signed.encode(), hashlib.sha256)[:_MAC_BYTES]
    return base64.b32encode(mac).rstrip(b"=").decode().lower()
