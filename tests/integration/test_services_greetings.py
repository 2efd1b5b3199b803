"""First words: once ever in each room, in the commit that made it usable; and what direct chats are told."""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, insert, text
from sqlmodel import select

from bot.domain.words import Action, RoomKind
from bot.services import greetings, people, reception, room_updates
from bot.services.jobs import Send
from bot.services.reception import Batch, RoomUpdate
from bot.services.unit import Unit
from bot.services.views import Greeting, TalkView
from storage.models import Greeting as Greetings
from storage.models import PostedEvent
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    BERLIN,
    BOT,
    CARLA,
    DORA,
    FREIBURG,
    OLGA,
    ROOMS,
    START,
    TRIAGE,
    Desk,
    bare_database,
    desk_on,
    first_sync,
)

DIRECT = "!direct:example.org"


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url, greeted=False) as desk:
        yield desk


async def greeted(desk: Desk) -> dict[str, Greeting]:
    """Greetings that the courier would send now, by room; then they are sent."""
    found: dict[str, Greeting] = {}
    for job in await desk.claim():
        if isinstance(job, Send) and isinstance(job.view, Greeting):
            assert job.room_id not in found
            found[job.room_id] = job.view
            await desk.finish(job)
    return found


async def meet(desk: Desk, person: str = ANNA, room: str = DIRECT) -> None:
    """The bot joins a direct chat."""
    await desk.update(room, membership="join", members={BOT: "", person: ""})


async def test_each_configured_room_is_greeted_in_its_own_way(desk: Desk) -> None:
    found = await greeted(desk)
    assert {room: (view.kind, view.team) for room, view in found.items()} == {
        FREIBURG: (RoomKind.TEAM, "freiburg"),
        BERLIN: (RoomKind.TEAM, "berlin"),
        TRIAGE: (RoomKind.TRIAGE, None),
        ADMINS: (RoomKind.ADMIN, None),
    }


async def test_nothing_greets_a_room_twice(desk: Desk) -> None:
    assert await greeted(desk)
    await desk.units.run(room_updates.judge_all)
    await desk.update(FREIBURG, membership="leave")
    await desk.update(FREIBURG, membership="join", members={BOT: "", ANNA: ""})
    await desk.update(FREIBURG, join_rule="public")
    await desk.update(FREIBURG, join_rule="invite")
    await desk.units.run(lambda unit: reception.start(unit, BOT, "OTHER"))
    await desk.units.run(lambda unit: reception.receive(unit, first_sync()))
    number = await desk.open()
    await desk.deliver()
    await desk.do(Action.DELETE, number, DORA)
    await desk.units.run(room_updates.judge_all)
    assert await greeted(desk) == {}


async def test_a_room_is_greeted_when_it_becomes_usable_and_not_before(desk: Desk) -> None:
    await greeted(desk)
    rooms = {**{key: (room, room) for key, room in ROOMS.items()}, "team:berlin": ("!new:x", "!new:x")}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, rooms))
    await desk.update("!new:x", membership="join", join_rule="public", members={BOT: "", CARLA: ""})
    assert await greeted(desk) == {}
    await desk.update("!new:x", join_rule="invite")
    assert set(await greeted(desk)) == {"!new:x"}


async def test_an_upgraded_rooms_people_know_the_bot(desk: Desk) -> None:
    await greeted(desk)
    await desk.update(FREIBURG, replaced_by="!newer:x")
    rooms = {**{key: (room, room) for key, room in ROOMS.items()}, "team:freiburg": ("!newer:x", "!newer:x")}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, rooms))
    await desk.update("!newer:x", membership="join", members={BOT: "", ANNA: ""})
    await desk.units.run(room_updates.judge_all)
    assert await greeted(desk) == {}


async def test_a_greeting_and_its_mark_are_one_commit(desk: Desk) -> None:
    await greeted(desk)
    before = await desk.rows()

    def fails(unit: Unit) -> None:
        update = RoomUpdate(DIRECT, membership="join", members={BOT: "", ANNA: ""})
        reception.receive(unit, Batch("t1", rooms=(update,)))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await desk.units.run(fails)
    assert await desk.rows() == before
    await meet(desk)
    assert set(await greeted(desk)) == {DIRECT}


async def test_a_direct_chat_is_greeted_with_the_persons_tickets(desk: Desk) -> None:
    await greeted(desk)
    own, foreign = await desk.open(), await desk.open(region="berlin")
    await desk.do(Action.TAKE, own)
    await desk.do(Action.TAKE, foreign, CARLA)
    await desk.deliver()
    await meet(desk)
    (view,) = (await greeted(desk)).values()
    assert (view.kind, view.team) == (RoomKind.DIRECT, "freiburg")
    assert view.person is not None
    assert view.person.user_id == ANNA
    assert view.numbers == {own}
    rows = await desk.rows()
    messages = {row["event_id"] for row in rows["posted_events"] if row["key"] is None}
    shown = [row["number"] for row in rows["posted_tickets"] if row["event_id"] in messages]
    assert shown.count(own) == 2, "a purge finds the card and the greeting"


@pytest.mark.parametrize(
    "members",
    [{BOT: "", OLGA: ""}, {BOT: "", ANNA: "", BEN: ""}, {BOT: ""}],
    ids=["outsider", "group", "alone"],
)
async def test_strangers_and_groups_are_not_greeted(desk: Desk, members: dict[str, str]) -> None:
    await greeted(desk)
    await desk.update(DIRECT, membership="join", members=members)
    assert await greeted(desk) == {}


@pytest.mark.parametrize("change", [{"members": {BEN: ""}}, {"guest_access": "can_join"}])
async def test_what_is_no_direct_chat_any_more_is_told_nothing(desk: Desk, change: dict[str, Any]) -> None:
    await greeted(desk)
    await meet(desk)
    await desk.update(DIRECT, **change)
    assert await greeted(desk) == {}
    assert await desk.outbox(state="waiting") == []


async def answer(desk: Desk, person: str = ANNA) -> TalkView | None:
    """What plain talk in the direct chat is answered."""

    def talk(unit: Unit) -> TalkView | None:
        return greetings.answer_to_talk(unit, people.caller_of(unit, person, DIRECT))

    return await desk.units.run(talk)


async def test_talk_is_answered_once_in_ten_minutes(desk: Desk) -> None:
    await meet(desk)
    assert await answer(desk) is None, "it has just been greeted"
    desk.clock.advance(minutes=9, seconds=59)
    assert await answer(desk) is None
    desk.clock.advance(seconds=1)
    assert await answer(desk) == TalkView()
    assert await answer(desk) is None
    desk.clock.advance(minutes=10)
    assert await answer(desk) == TalkView()


async def test_who_left_the_team_is_told_so(desk: Desk) -> None:
    await meet(desk)
    await desk.update(FREIBURG, members={ANNA: None})
    desk.clock.advance(hours=1)
    assert await answer(desk) == TalkView(outsider=True)


@pytest.mark.parametrize(
    ("person", "team"), [(ANNA, "freiburg"), (CARLA, "berlin"), (DORA, None)], ids=["one", "another", "admin"]
)
async def test_a_direct_chat_speaks_as_the_persons_team_does(
    desk: Desk, person: str, team: str | None
) -> None:
    await meet(desk, person)
    assert (await desk.caller(person, DIRECT)).place.team == team


async def test_of_several_teams_the_first_speaks(desk: Desk) -> None:
    for room in (BERLIN, TRIAGE):
        await desk.update(room, members={ANNA: "Anna"})
    await meet(desk)
    caller = await desk.caller(ANNA, DIRECT)
    assert caller.actor.teams == {"freiburg", "berlin", None}
    assert caller.place.team == "berlin"


def _before_this_version(connection: Connection) -> None:
    """A database in which the bot has posted, but knows nothing of greetings; then it is migrated."""
    Greetings.__table__.drop(connection)  # type: ignore[attr-defined]
    connection.execute(text("DROP INDEX ix_rooms_replaced_by"))
    for index, room in enumerate((FREIBURG, FREIBURG, DIRECT)):
        values = {"event_id": f"${index}", "room_id": room, "kind": "card", "posted_at": START}
        connection.execute(insert(PostedEvent).values(**values))
    with Operations.context(MigrationContext.configure(connection)):
        import_module("storage.migrations.versions.0004_greetings").upgrade()


async def test_where_the_bot_had_posted_before_nobody_is_greeted(database_url: str) -> None:
    async with bare_database(database_url) as database:
        with database.engine.begin() as connection:
            _before_this_version(connection)
        with database.read() as session:
            marked = {row.room_id: row.at for row in session.exec(select(Greetings)).all()}
        assert marked == {FREIBURG: START, DIRECT: START}


async def test_an_encrypted_room_is_greeted_when_somebody_is_there_to_read_it(desk: Desk) -> None:
    await greeted(desk)
    rooms = {**{key: (room, room) for key, room in ROOMS.items()}, "team:freiburg": ("!new:x", "!new:x")}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, rooms))
    await desk.update("!new:x", membership="join", encrypted=True, members={BOT: ""})
    await desk.units.run(room_updates.judge_all)
    assert await greeted(desk) == {}
    await desk.update("!new:x", members={ANNA: "Anna"})
    assert set(await greeted(desk)) == {"!new:x"}
    await desk.update("!new:x", members={BEN: "Ben"})
    assert await greeted(desk) == {}
