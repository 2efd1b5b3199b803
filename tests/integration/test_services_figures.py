"""What `!status` and Prometheus are told of queues, tickets, rooms and digests, on both databases."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from bot.domain.rooms import RoomProblem
from bot.domain.words import Action, Status
from bot.services import answers, delivery, figures, outcomes, status
from bot.services.answers import Spot
from bot.services.figures import Figures, Queue
from bot.services.reception import Batch, ReceivedEvent, RoomUpdate, receive
from bot.services.status import Program
from bot.services.unit import Unit
from bot.services.views import RoomStatus, SetAside, StatusView
from storage import outbox
from storage.models import DigestMark, QuietNote
from tests.integration.desk_data import ANNA, BERLIN, FREIBURG, POLICY, START, Desk, desk_on, put

CARD = ("matrix", "card")
PROGRAM = Program("1.0", START, "sqlite")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    # Without the reactions on the cards, which wait as well.
    async with desk_on(database_url, replace(POLICY, one_tap=False)) as desk:
        yield desk


async def figures_of(desk: Desk) -> Figures:
    """All figures, those of what is over as well."""

    def work(unit: Unit) -> Figures:
        return figures.figures(unit, figures.over(unit))

    return await desk.units.look(work)


async def status_of(desk: Desk) -> StatusView:
    """What `!status` tells."""
    return await desk.units.look(lambda unit: status.status_view(unit, PROGRAM))


async def claimed(desk: Desk) -> int:
    """Claim the one row that is due; its id."""
    (job,) = (await desk.units.run(lambda unit: delivery.claim(unit, [], 8))).jobs
    return job.row_id


async def make_public(desk: Desk, room_id: str, rule: str = "public") -> None:
    """Somebody sets who may join a room."""
    batch = Batch("next", rooms=(RoomUpdate(room_id, join_rule=rule),))
    await desk.units.run(lambda unit: receive(unit, batch))
    await desk.deliver()


async def test_a_row_waits_from_when_it_is_due(desk: Desk) -> None:
    await desk.open()
    desk.clock.advance(minutes=7)
    assert (await figures_of(desk)).due == {CARD: Queue(1, 420.0)}
    row = await claimed(desk)
    later = timedelta(hours=1)
    await desk.units.run(lambda unit: outcomes.later(unit, row, later, "Unreachable", nothing_arrived=False))
    desk.clock.advance(minutes=1)
    assert (await figures_of(desk)).due == {CARD: Queue(1, 480.0)}, (
        "tried and put off, it has waited all along"
    )
    assert (await status_of(desk)).outbox_oldest == timedelta(minutes=8)
    await desk.units.run(delivery.hurry)
    await desk.deliver()
    assert (await figures_of(desk)).due == {}


async def test_what_is_meant_for_later_does_not_wait(desk: Desk) -> None:
    """Reactions under a question are looked after when it expires: the row is as old as the question."""

    def ask(unit: Unit) -> None:
        outbox.ask_seeds(unit.session, "prompt:7", unit.now, unit.now + timedelta(minutes=10))

    await desk.units.run(ask)
    desk.clock.advance(minutes=9)
    assert (await figures_of(desk)).due == {}
    desk.clock.advance(minutes=1, seconds=2)
    assert (await figures_of(desk)).due == {("matrix", "seed"): Queue(1, 2.0)}


async def test_what_is_held_and_what_is_set_aside(desk: Desk) -> None:
    await make_public(desk, BERLIN)
    await desk.open(region="berlin")
    await desk.deliver()
    other = await desk.open()
    row = await claimed(desk)
    await desk.units.run(lambda unit: outcomes.failed(unit, row, FREIBURG, "M_TOO_LARGE"))
    desk.clock.advance(minutes=5)
    found = await figures_of(desk)
    assert (found.held, found.set_aside) == ({CARD: 1}, {CARD: 1})
    assert {kind for _channel, kind in found.due} == {"report"}
    assert found.rooms == {"admin": True, "team:berlin": False, "team:freiburg": True, "triage": True}
    view = await status_of(desk)
    assert (view.outbox_held, view.outbox_failed) == (1, 1)
    assert view.set_aside == (SetAside("card", other, "team:freiburg", "M_TOO_LARGE", START),)
    assert RoomStatus("team:berlin", ("public",)) in view.rooms
    sound = await desk.units.look(status.soundness)
    assert sound.rooms["team:berlin"] == (RoomProblem.PUBLIC,)


async def test_a_card_that_came_after_all_is_no_longer_set_aside(desk: Desk) -> None:
    number = await desk.open()
    row = await claimed(desk)
    await desk.units.run(lambda unit: outcomes.failed(unit, row, FREIBURG, "M_TOO_LARGE"))
    await desk.deliver()
    assert (await status_of(desk)).outbox_failed == 1
    await desk.do(Action.TAKE, number, ANNA)
    await desk.deliver()
    assert len(desk.homeserver.cards(number)) == 1
    assert (await status_of(desk)).outbox_failed == 0


async def test_what_was_set_aside_is_forgotten_after_two_weeks(desk: Desk) -> None:
    spot = Spot(FREIBURG, "$command")
    await desk.units.run(lambda unit: answers.answer(unit, spot, {"body": "!"}, (), person=ANNA))
    row = await claimed(desk)
    await desk.units.run(lambda unit: outcomes.failed(unit, row, FREIBURG, "M_TOO_LARGE"))
    desk.clock.advance(days=13)
    await desk.units.run(outcomes.tidy)
    (aside,) = (await status_of(desk)).set_aside
    assert (aside.kind, aside.number, aside.room) == ("answer", None, "team:freiburg")
    desk.clock.advance(days=2)
    await desk.units.run(outcomes.tidy)
    assert (await status_of(desk)).outbox_failed == 0


async def test_commands_that_wait(desk: Desk) -> None:
    events = [ReceivedEvent(f"${index}", FREIBURG, ANNA, {"body": "!list"}, START) for index in range(3)]
    await desk.units.run(lambda unit: receive(unit, Batch("next", events=tuple(events))))
    desk.clock.advance(seconds=90)
    assert (await figures_of(desk)).inbox == Queue(3, 90.0)
    assert (await status_of(desk)).inbox_waiting == 2, "the command that asks is one of them"


async def test_tickets_by_team_and_status(desk: Desk) -> None:
    for region in ("freiburg", "freiburg", "berlin", "elsewhere"):
        await desk.open(region=region)
    await desk.do(Action.TAKE, 1, ANNA)
    await desk.do(Action.CLOSE, 2, ANNA)
    found = await figures_of(desk)
    assert found.teams == ("freiburg", "berlin", None)
    assert found.tickets == {
        ("freiburg", Status.IN_PROGRESS): 1,
        ("freiburg", Status.CLOSED): 1,
        ("berlin", Status.OPEN): 1,
        (None, Status.OPEN): 1,
    }


async def test_the_last_digest_and_what_is_to_be_reminded_of(desk: Desk) -> None:
    number = await desk.open()
    days = [date(2026, 11, day) for day in (20, 21, 22)]
    at = {day: datetime(day.year, day.month, day.day, 7, tzinfo=UTC) for day in days}
    await put(
        desk.database,
        DigestMark(key="team:freiburg", day=days[0], sent=True, at=at[days[0]]),
        DigestMark(key="team:freiburg", day=days[1], sent=True, at=at[days[1]]),
        DigestMark(key="team:freiburg", day=days[2], sent=False, at=at[days[2]]),
        DigestMark(key="triage", day=days[0], sent=True, at=at[days[0]]),
        QuietNote(tx_id="tx", room="team:freiburg", number=number, what="card", people=[], at=START),
    )
    found = await figures_of(desk)
    assert found.digests == {"team:freiburg": at[days[1]], "triage": at[days[0]]}
    view = await status_of(desk)
    assert (view.digest_at, view.reminders) == (at[days[1]], 1)


async def test_the_schema(desk: Desk) -> None:
    with desk.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'other'"))
    assert (await figures_of(desk)).schema == "other"
    assert (await desk.units.look(partial(status.soundness))).schema == "other"
