"""A member silences a ticket for themselves."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.errors import UnknownTicket
from bot.domain.words import Action, Intake
from bot.services import arrivals, mutes, purge, reads
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.views import MessageAlert
from tests.integration.desk_data import ANNA, BEN, BOT, CARLA, DORA, FREIBURG, Desk, desk_on

CHAT = "!anna-and-bot:example.org"


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def mute(desk: Desk, number: int, person: str, room: str | None = None) -> None:
    caller = await desk.caller(person, room)
    await desk.units.run(lambda unit: mutes.mute(unit, number, caller))


async def unmute(desk: Desk, number: int, person: str) -> None:
    caller = await desk.caller(person)
    await desk.units.run(lambda unit: mutes.unmute(unit, number, caller))


async def rung(desk: Desk, number: int) -> list[str]:
    """For whom a message of the requester rings."""
    await desk.units.run(
        lambda unit: arrivals.receive_message(unit, number, NewMessage("Hello?", Intake.HTTP))
    )
    jobs = await desk.deliver()
    (view,) = [job.view for job in jobs if isinstance(job, Send) and isinstance(job.view, MessageAlert)]
    assert isinstance(view, MessageAlert)
    return [person.user_id for person in view.mentions]


async def direct_chat(desk: Desk) -> None:
    await desk.update(CHAT, membership="join", members={ANNA: "Anna", BOT: "Tickettruhe"})


async def test_one_person_no_longer_hears_of_it_and_the_others_do(desk: Desk) -> None:
    number = await desk.open()
    for _twice in range(2):
        await mute(desk, number, BEN)
    assert await rung(desk, number) == [ANNA]
    await mute(desk, number, ANNA)
    assert await rung(desk, number) == []
    for _twice in range(2):
        await unmute(desk, number, BEN)
    assert await rung(desk, number) == [BEN]


async def test_if_the_assignee_muted_it_nobody_is_called_instead(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await mute(desk, number, BEN)
    assert await rung(desk, number) == []


async def test_it_works_in_the_direct_chat_and_is_shown_only_there(desk: Desk) -> None:
    await direct_chat(desk)
    number = await desk.open()
    await mute(desk, number, ANNA, CHAT)
    for person, room, shown in ((ANNA, CHAT, True), (ANNA, FREIBURG, False), (BEN, FREIBURG, False)):
        caller = await desk.caller(person, room)
        view = await desk.units.look(lambda unit, c=caller: reads.ticket_view(unit, number, c))  # type: ignore[misc]
        assert view.muted == shown


async def test_a_foreign_and_an_unknown_ticket_get_the_same_answer(desk: Desk) -> None:
    number = await desk.open()
    for unknown in (number, 4711):
        for act in (mute, unmute):
            with pytest.raises(UnknownTicket):
                await act(desk, unknown, CARLA)
    assert (await desk.rows())["mutes"] == []


async def test_it_is_no_part_of_the_tickets_history(desk: Desk) -> None:
    """So the last change can still be undone, and the card is not touched."""
    number = await desk.open()
    await desk.do(Action.CLOSE, number, ANNA)
    await desk.deliver()
    await mute(desk, number, ANNA)
    assert await desk.deliver() == []
    assert [entry.action for entry in await desk.history(number)] == ["open", "close"]
    await desk.do(Action.UNDO, number, ANNA)


async def test_it_ends_with_the_ticket(desk: Desk) -> None:
    number = await desk.open()
    await mute(desk, number, ANNA)
    await desk.do(Action.DELETE, number, DORA)
    caller = await desk.caller(DORA)
    await desk.units.run(lambda unit: purge.purge(unit, number, caller))
    assert (await desk.rows())["mutes"] == []
