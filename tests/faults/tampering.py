"""Ways to lose something or do it twice, so that the oracle can be seen to tell. The bot is not running.

Each gives the name of the check that must see it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import Session, col, delete, select

from storage.models import HistoryEntry, InboxEvent, Ticket, TicketMessage
from tests.faults.log import Request, Said
from tests.faults.stage import Stage
from tests.people import Crowd, Human
from tests.timeline import Event, Shown

Tampering = Callable[[Stage], Awaitable[str]]
_ROOM: Final = "freiburg"
_SUBJECT: Final = "To be tampered with"
_TOKEN: Final = "kept-once"


async def something_to_tamper_with(stage: Stage) -> None:
    """A ticket with a card and a note, all as it should be. The bot is running."""
    anna = stage.desk.person("anna")
    number = await stage.desk.file(_SUBJECT)
    stage.log.requests.append(Request(_SUBJECT, None, _ROOM, number))
    said = f"!note {number} {_TOKEN}"
    event_id = await anna.say(_room(stage), said)
    stage.log.commands[event_id] = Said(event_id, _ROOM, anna.user_id, "note", said, (number,), _TOKEN)
    await stage.settled()


async def a_ticket_is_lost(stage: Stage) -> str:
    """Its row goes, though it had been accepted."""
    with Session(stage.engine) as session:
        if stage.engine.dialect.name == "postgresql":
            session.exec(text("SET LOCAL session_replication_role = replica"))  # type: ignore[call-overload]
        session.exec(delete(Ticket).where(col(Ticket.subject) == _SUBJECT))
        session.commit()
    return "tickets"


async def a_card_stands_twice(stage: Stage) -> str:
    """Sent under two transactions."""
    card = await _a_card(stage)
    content = next(each.content for each in await _events(stage) if each.event_id == card.event_id)
    await _bot(stage).send(_room(stage), "m.room.message", _without_tx(content))
    return "cards"


async def a_card_lies(stage: Stage) -> str:
    """It shows what its ticket was."""
    card = await _a_card(stage)
    await _bot(stage).edit(_room(stage), card.event_id, card.body.replace("Freiburg", "Hamburg"))
    return "cards"


async def an_offer_is_missing(stage: Stage) -> str:
    """A seeded reaction was taken away."""
    card, bot = await _a_card(stage), _bot(stage)
    seeds = (each for each in await _events(stage) if each.type == "m.reaction" and not each.redacted)
    seed = next(each for each in seeds if each.sender == bot.user_id and each.related == card.event_id)
    await bot.redact(_room(stage), seed.event_id)
    return "offers"


async def a_command_is_lost(stage: Stage) -> str:
    """Its event counts as handled, and nothing was done."""
    card, anna = await _a_card(stage), stage.desk.person("anna")
    said = f"!note {_number(card)} lost"
    event_id = await anna.say(_room(stage), said)
    stage.log.commands[event_id] = Said(event_id, _ROOM, anna.user_id, "note", said, (_number(card),), "lost")
    await _swallowed(stage, anna, event_id, "message")
    return "outcomes"


async def a_tap_is_lost(stage: Stage) -> str:
    """Its event counts as handled, and nothing was done."""
    card, ben = await _a_card(stage), stage.desk.person("ben")
    event_id = await ben.react(_room(stage), card.event_id, "🙈")
    stage.log.taps[event_id] = _number(card)
    await _swallowed(stage, ben, event_id, "reaction")
    return "taps"


async def _swallowed(stage: Stage, person: Human, event_id: str, kind: str) -> None:
    now = stage.clock.now
    with Session(stage.engine) as session:
        session.add(
            InboxEvent(
                event_id=event_id, room_id=_room(stage), sender=person.user_id, kind=kind, sent_at=now,
                received_at=now, handled_at=now,
            )
        )  # fmt: skip
        session.commit()
    await stage.start()
    await stage.settled()
    await stage.bot.stop()


async def a_command_is_answered_twice(stage: Stage) -> str:
    """Another answer to one that has its own."""
    await _bot(stage).say(_room(stage), "Once more", reply_to=_the_note(stage).event_id)
    return "outcomes"


async def what_was_acknowledged_is_not_done(stage: Stage) -> str:
    """The entry of a command in its ticket's history goes."""
    with Session(stage.engine) as session:
        caused = select(HistoryEntry).where(HistoryEntry.cause == _the_note(stage).event_id)
        session.delete(session.exec(caused).one())
        session.commit()
    return "deeds"


async def a_note_is_kept_twice(stage: Stage) -> str:
    """As if its command had been done again."""
    with Session(stage.engine) as session:
        found = session.exec(select(TicketMessage).where(TicketMessage.text == _TOKEN)).one()
        session.add(TicketMessage(**found.model_dump(exclude={"id"})))
        session.commit()
    return "words_kept"


async def a_digest_comes_twice(stage: Stage) -> str:
    """On one day."""
    await _bot(stage).say(_room(stage), "☀️ Freiburg, 1 January", msgtype="m.notice")
    return "digests"


TAMPERINGS: Final[tuple[Tampering, ...]] = (
    a_card_stands_twice,
    a_card_lies,
    an_offer_is_missing,
    a_command_is_lost,
    a_tap_is_lost,
    a_command_is_answered_twice,
    a_note_is_kept_twice,
    what_was_acknowledged_is_not_done,
    a_digest_comes_twice,
    a_ticket_is_lost,
)


def _bot(stage: Stage) -> Human:
    assert isinstance(stage.desk.crowd, Crowd)
    return stage.desk.crowd.known(stage.desk.account)


def _room(stage: Stage) -> str:
    return stage.desk.rooms[_ROOM]


async def _events(stage: Stage) -> list[Event]:
    return await stage.desk.viewer(_ROOM).timeline(_room(stage))


async def _a_card(stage: Stage) -> Shown:
    """The ticket's."""
    seen = await stage.desk.viewer(_ROOM).sees(_room(stage))
    return next(each for each in seen if stage.desk.is_card(each, _the_note(stage).numbers[0]))


def _the_note(stage: Stage) -> Said:
    return next(said for said in stage.log.commands.values() if said.token == _TOKEN)


def _number(card: Shown) -> int:
    return int(card.body.split()[1].removeprefix("#"))


def _without_tx(content: Any) -> dict[str, Any]:
    return {
        key: value for key, value in content.items() if key.startswith(("m.", "msgtype", "body", "format"))
    }
