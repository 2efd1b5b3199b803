"""Tells people, once, that what they write cannot be read, and what to do about it."""

from collections.abc import Callable
from functools import partial

from bot.commands.executor import Speaker
from bot.domain.words import RoomKind
from bot.services import answers, people, sealed
from bot.services.sealed import SealedEvent
from bot.services.unit import Unit, Units
from bot.services.views import Unreadable

Distrusted = Callable[[str, str], bool]
"""Whether the sender's app said that it does not trust the bot; of a room's session."""


async def tell(units: Units, speaker: Speaker, distrusted: Distrusted) -> None:
    """Answer what has been waiting for its key for a while.

    :raises DatabaseUnavailable: the rest is told the next time.
    """
    for event in await units.look(sealed.to_tell):
        await units.run(partial(_tell_one, event=event, speaker=speaker, distrusted=distrusted))


def _tell_one(unit: Unit, event: SealedEvent, speaker: Speaker, distrusted: Distrusted) -> None:
    incoming = sealed.told(unit, event)
    if incoming is None:
        return
    place = people.caller_of(unit, event.sender, event.room_id).place
    if place.kind is RoomKind.FOREIGN:
        return
    view = Unreadable(distrusted(event.room_id, event.session_id))
    content = speaker.answer(view, place.team)
    answers.answer(unit, answers.spot_of(incoming), content, (), person=event.sender)
