"""A member's own wish not to hear of a ticket: no part of its history, and nobody else's matter."""

from bot.services import reads
from bot.services.people import Caller
from bot.services.unit import Unit
from storage import mutes
from storage.models import Mute


def mute(unit: Unit, number: int, caller: Caller) -> None:
    """Leave the person out when messages on the ticket ring; muted twice is success.

    It ends with ``unmute``, when the ticket becomes theirs, and when it is purged.

    :raises UnknownTicket: see :func:`bot.services.reads.visible`.
    """
    reads.visible(unit, number, caller)
    if unit.session.get(Mute, (number, caller.actor.user_id)) is None:
        unit.session.add(Mute(number=number, user_id=caller.actor.user_id, at=unit.now))


def unmute(unit: Unit, number: int, caller: Caller) -> None:
    """Ring for the person again; success also if it did all the time.

    :raises UnknownTicket: see :func:`bot.services.reads.visible`.
    """
    reads.visible(unit, number, caller)
    mutes.end(unit.session, number, caller.actor.user_id)
