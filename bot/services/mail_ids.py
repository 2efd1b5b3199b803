"""Which ticket a mail is about, by the Message-IDs that it names."""

import re
from typing import Final

from bot.domain.mail import KEY_NAME, keyed_hash, signed_number
from bot.domain.merging import address_key
from bot.services import secrets
from bot.services.unit import Unit
from storage import letters

_ADDRESS: Final = re.compile(r"[^\s<>]+@[^\s<>]+")


def key_of(unit: Unit) -> bytes:
    """By which Message-IDs are signed, and addresses hashed."""
    return secrets.ensure(unit, KEY_NAME)


def signed_ticket(unit: Unit, message_id: str) -> int | None:
    """The ticket of a Message-ID that this bot signed; ``None`` for all others, forged ones included."""
    return signed_number(key_of(unit), message_id)


def is_own(unit: Unit, message_id: str) -> bool:
    """Whether a mail with this Message-ID was sent by this bot."""
    return signed_ticket(unit, message_id) is not None


def known_ticket(unit: Unit, message_id: str) -> int | None:
    """The ticket that a mail with this Message-ID came to or went out from."""
    message = letters.message_of(unit.session, message_id)
    return message.number if message is not None else None


def loop_mark(unit: Unit) -> str:
    """What this bot writes into :data:`~bot.domain.mail.LOOP_HEADER`."""
    return keyed_hash(key_of(unit), "loop", "")


def correspondents(unit: Unit, number: int) -> frozenset[str]:
    """Addresses, as they are compared, of the ticket's requester and of everybody who wrote on it by mail."""
    requester, others = letters.senders(unit.session, number)
    found = [requester, *(address for sender in others for address in _ADDRESS.findall(sender))]
    return frozenset(key for address in found if (key := address_key(address)))
