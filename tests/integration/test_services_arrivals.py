"""What arrives from a requester beside plain messages: automatic mail, and others' mail."""

from collections.abc import AsyncIterator

import pytest

from bot.domain.request import MailHead
from bot.domain.words import Action, Intake, MessageKind, Status
from bot.services import alerts, arrivals, mail_ids, reads
from bot.services.arrivals import Arrived, NewMessage
from bot.services.views import MessageAlert
from tests.integration.desk_data import ANNA, DORA, Desk, desk_on


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


AWAY = NewMessage("I am away until Monday.", Intake.EMAIL, automatic=True)


async def receive(desk: Desk, number: int, message: NewMessage) -> Arrived:
    return await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))


@pytest.mark.parametrize(
    "moves",
    [(), (Action.TAKE,), (Action.WAIT,), (Action.CLOSE,), (Action.SPAM,), (Action.CLOSE, Action.ARCHIVE)],
)
async def test_automatic_mail_is_kept_and_moves_and_alerts_nobody(
    desk: Desk, moves: tuple[Action, ...]
) -> None:
    number = await desk.open()
    for action in moves:
        await desk.do(action, number, DORA if action is Action.ARCHIVE else ANNA)
    await desk.deliver()
    before, history = await desk.ticket(number), await desk.history(number)
    assert await receive(desk, number, AWAY) == Arrived(number, team="freiburg")
    after = await desk.ticket(number)
    assert (after.status, after.assignee) == (before.status, before.assignee)
    assert [entry.id for entry in await desk.history(number)] == [entry.id for entry in history]
    told = await desk.alerts("message")
    assert len(told) == (Status(after.status) not in (Status.SPAM, Status.ARCHIVED))
    for row in told:
        view = await desk.units.look(lambda unit, row=row: alerts.load(unit, row))  # type: ignore[misc]
        assert isinstance(view, MessageAlert)
        assert view.mentions == ()
        assert view.message.kind is MessageKind.AUTOMATIC


async def test_what_somebody_did_can_be_undone_although_a_program_wrote(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.CLOSE, number)
    await receive(desk, number, AWAY)
    await desk.do(Action.UNDO, number)
    assert (await desk.ticket(number)).status == Status.OPEN


async def test_who_else_wrote_is_told_and_becomes_a_correspondent(desk: Desk) -> None:
    number = await desk.open(email="kim@example.org")
    mail = MailHead("<two@example.net>", ("<one@example.net>",))
    sender = "Robin Roe <Robin@Example.net>"
    await receive(desk, number, NewMessage("For Kim.", Intake.EMAIL, sender=sender, mail=mail))
    (row,) = await desk.alerts("message")
    view = await desk.units.look(lambda unit: alerts.load(unit, row))
    assert isinstance(view, MessageAlert)
    assert view.message.sender == sender
    known = await desk.units.look(lambda unit: mail_ids.correspondents(unit, number))
    assert known == {"kim@example.org", "robin@example.net"}
    assert await desk.units.look(lambda unit: mail_ids.known_ticket(unit, "<two@example.net>")) == number
    assert await desk.units.look(lambda unit: mail_ids.known_ticket(unit, "<one@example.net>")) is None


async def test_a_programs_message_is_shown_as_such(desk: Desk) -> None:
    number = await desk.open()
    await receive(desk, number, AWAY)
    caller = await desk.caller(ANNA)
    view = await desk.units.look(lambda unit: reads.ticket_view(unit, number, caller))
    assert [message.kind for message in view.messages] == [MessageKind.MESSAGE, MessageKind.AUTOMATIC]
