"""A mail's bytes become what they are about, in one commit; or are kept aside whole."""

import asyncio
from typing import Final

import structlog

from bot.domain.errors import Conflict
from bot.intake.email.reading import Limits, Unreadable, read_mail
from bot.logs import place_of
from bot.services import mail_in
from bot.services.mail_in import Box, Received
from bot.services.unit import DatabaseUnavailable, Units

_LOG: Final = structlog.get_logger(__name__)


async def receive(units: Units, data: bytes, box: Box, limits: Limits) -> Received:
    """Receive one mail. It is in the database when this returns, as a message or kept aside.

    :raises DatabaseUnavailable: not now; nothing was done.
    """
    received = await _receive(units, data, box, limits)
    units.meters.mail(received.fate.value)
    return received


async def _receive(units: Units, data: bytes, box: Box, limits: Limits) -> Received:
    try:
        # In a thread: large ones take seconds, and everything else goes on meanwhile.
        mail = await asyncio.to_thread(read_mail, data, limits)
        return await units.run(lambda unit: mail_in.receive_mail(unit, mail, box))
    except Unreadable:
        return await _aside(units, data, box, "unreadable")
    except (DatabaseUnavailable, Conflict):
        raise
    except Exception as error:  # noqa: BLE001 - a mail that nobody foresaw must not stop those behind it
        _LOG.error("mail_fault", mailbox=box.name, error=type(error).__name__, place=place_of(error))
        return await _aside(units, data, box, "fault")


async def _aside(units: Units, data: bytes, box: Box, reason: str) -> Received:
    return await units.run(lambda unit: mail_in.keep_aside(unit, box.name, reason, len(data), data, data))


async def refuse_large(units: Units, identity: bytes, size: int, box: Box) -> Received:
    """Tell the admins of a mail that is too large to be fetched."""
    return await units.run(
        lambda unit: mail_in.keep_aside(unit, box.name, mail_in.TOO_LARGE, size, None, identity)
    )
