"""What the sync brings is committed with its token, or not at all."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import StatementError

from bot.domain.words import Actor
from bot.services import people, reception, room_updates
from bot.services.echoes import Echo
from bot.services.jobs import Send
from bot.services.reception import Batch, ReceivedEvent, RoomUpdate
from bot.services.unit import Unit
from storage import inbox
from tests.integration.desk_data import (
    ADMINS,
    ANNA,
    BEN,
    BERLIN,
    BOT,
    CARLA,
    FREIBURG,
    START,
    Desk,
    desk_on,
    first_sync,
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


def event(event_id: str, body: str | None = "!take 1", room: str = FREIBURG) -> ReceivedEvent:
    """A message; ``None``: no command."""
    content = None if body is None else {"msgtype": "m.text", "body": body}
    return ReceivedEvent(event_id, room, ANNA, content, START)


async def receive(desk: Desk, batch: Batch) -> None:
    """Commit a sync."""
    await desk.units.run(lambda unit: reception.receive(unit, batch))


async def token(desk: Desk) -> str | None:
    """Where the next sync goes on."""
    return await desk.units.run(lambda unit: reception.start(unit, BOT, "DEVICE"))


async def waiting(desk: Desk) -> list[str]:
    """Events still to be handled."""
    return [each.event_id for each in await desk.units.look(reception.waiting)]


async def reports(desk: Desk) -> list[tuple[str, list[str]]]:
    """Room and problems, as the admins are told."""
    return [
        ((row.payload or {})["name"], (row.payload or {})["problems"]) for row in await desk.alerts("room")
    ]


async def test_events_and_token_are_committed_together(desk: Desk) -> None:
    await receive(desk, Batch("t1", events=(event("$1"), event("$2"))))
    assert await waiting(desk) == ["$1", "$2"]
    assert await token(desk) == "t1"


async def test_a_fault_in_the_middle_leaves_everything_as_it_was(desk: Desk) -> None:
    await receive(desk, Batch("t1", events=(event("$1"),)))
    before = await desk.rows()
    naive = ReceivedEvent("$3", FREIBURG, ANNA, {"body": "!take 1"}, START.replace(tzinfo=None))
    update = RoomUpdate(FREIBURG, join_rule="public", members={ANNA: None})
    with pytest.raises(StatementError):
        await receive(desk, Batch("t2", rooms=(update,), events=(event("$2"), naive)))
    assert await desk.rows() == before


async def test_an_event_is_kept_once_however_often_it_comes(desk: Desk) -> None:
    await receive(desk, Batch("t1", events=(event("$1"), event("$1"))))
    (incoming,) = await desk.units.look(reception.waiting)
    await receive(desk, Batch("t2", events=(event("$1"), event("$2"))))
    assert await waiting(desk) == ["$1", "$2"]
    assert await desk.units.run(lambda unit: reception.handled(unit, incoming))
    assert not await desk.units.run(lambda unit: reception.handled(unit, incoming))
    await receive(desk, Batch("t3", events=(event("$1"),)))
    assert await waiting(desk) == ["$2"]


async def test_a_flood_of_events_is_taken(desk: Desk) -> None:
    flood = tuple(event(f"${index}") for index in range(1201))
    await receive(desk, Batch("t1", events=flood))
    await receive(desk, Batch("t2", events=flood))
    assert len((await desk.rows())["inbox"]) == 1201


async def test_of_chatter_and_of_handled_commands_only_the_id_is_kept(desk: Desk) -> None:
    await receive(desk, Batch("t1", events=(event("$chat", None), event("$command", "!close 1 secret"))))
    assert await waiting(desk) == ["$command"]
    (incoming,) = await desk.units.look(reception.waiting)
    assert incoming.content["body"] == "!close 1 secret"
    await desk.units.run(lambda unit: reception.handled(unit, incoming))
    assert [(row["event_id"], row["content"]) for row in (await desk.rows())["inbox"]] == [
        ("$chat", None), ("$command", None),
    ]  # fmt: skip


async def test_failed_attempts_are_counted(desk: Desk) -> None:
    await receive(desk, Batch("t1", events=(event("$1"),)))
    (incoming,) = await desk.units.look(reception.waiting)
    counts = [await desk.units.run(lambda unit: reception.tried_in_vain(unit, incoming)) for _ in range(2)]
    assert counts == [1, 2]
    assert await desk.units.look(reception.waiting) == (incoming,)


async def test_only_commands_wake_the_worker(desk: Desk) -> None:
    desk.units.signals.inbox.clear()
    await receive(desk, Batch("t1", events=(event("$chat", None),)))
    assert not desk.units.signals.inbox.is_set()
    await receive(desk, Batch("t2", events=(event("$command"),)))
    assert desk.units.signals.inbox.is_set()


async def test_a_change_of_a_rooms_problems_is_reported_once(desk: Desk) -> None:
    assert await reports(desk) == []
    for _time in range(2):
        await desk.update(FREIBURG, join_rule="public")
    assert await reports(desk) == [("team:freiburg", ["public"])]
    await desk.update(FREIBURG, history_visibility="world_readable")
    await desk.update(FREIBURG, name="Renamed")
    await desk.update(FREIBURG, join_rule="invite", history_visibility="shared")
    assert await reports(desk) == [
        ("team:freiburg", ["public"]),
        ("team:freiburg", ["public", "world_readable"]),
        ("team:freiburg", []),
    ]
    assert {row.room for row in await desk.alerts("room")} == {"admin"}


async def test_a_strangers_room_is_not_reported(desk: Desk) -> None:
    await desk.update("!other:example.org", membership="join", join_rule="public")
    assert await reports(desk) == []


async def test_a_configured_room_that_no_sync_shows_is_reported(desk: Desk) -> None:
    wanted = {"team:berlin": ("#b:example.org", "!unseen:example.org"), "admin": (ADMINS, ADMINS)}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, wanted))
    for _time in range(2):
        await desk.units.run(room_updates.judge_all)
    assert await reports(desk) == [("team:berlin", ["not_joined"])]


async def test_coming_back_forgets_what_was_known_of_the_room(desk: Desk) -> None:
    """Who left while the bot was out must not keep their rights."""
    for away in ("leave", "ban", "invite"):
        await desk.update(FREIBURG, members={ANNA: "Anna"}, join_rule="public")
        await desk.update(FREIBURG, membership=away)
        await desk.update(FREIBURG, membership="join", members={BOT: "", BEN: "Ben"})
        members = await desk.units.look(lambda unit: people.members_of(unit, "freiburg"))
        assert members == {BEN: "Ben"}
        assert (await desk.caller(ANNA, FREIBURG)).actor == Actor(ANNA)


async def test_who_leaves_while_others_join_is_gone(desk: Desk) -> None:
    await desk.update(FREIBURG, members={ANNA: None, CARLA: ""})
    members = await desk.units.look(lambda unit: people.members_of(unit, "freiburg"))
    assert members == {BEN: "Ben", CARLA: CARLA}


async def test_another_device_makes_what_waits_suspect(desk: Desk) -> None:
    await desk.open()
    assert [row.suspect for row in await desk.outbox(state="waiting")] == [False]
    assert await desk.units.run(lambda unit: reception.start(unit, BOT, "OTHER")) == "start"
    assert [row.suspect for row in await desk.outbox(state="waiting")] == [True]
    assert await desk.units.look(lambda unit: reception.device_of(unit, BOT)) == "OTHER"


async def test_another_account_starts_from_nothing(desk: Desk) -> None:
    """What the other account saw of rooms and members gives no rights."""
    other = "@other:example.org"
    assert await desk.units.run(lambda unit: reception.start(unit, other, "DEVICE")) is None
    assert await desk.units.look(reception.joined_rooms) == frozenset()
    assert (await desk.caller(ANNA, FREIBURG)).actor == Actor(ANNA)
    assert await desk.units.look(lambda unit: reception.device_of(unit, BOT)) is None
    await receive(desk, first_sync())
    assert (await desk.caller(ANNA, FREIBURG)).actor == Actor(ANNA, frozenset({"freiburg"}))


async def test_an_echo_in_the_batch_confirms_what_was_sent(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    (row,) = await desk.outbox(kind="card")
    await receive(desk, Batch("t1", echoes=(Echo(row.tx_id, "$card", FREIBURG),)))
    assert [job for job in await desk.claim() if isinstance(job, Send)] == []
    (sent,) = await desk.outbox(kind="card")
    assert (sent.state, sent.event_id) == ("sent", "$card")
    assert job.row_id == row.id
    assert number in {each["number"] for each in (await desk.rows())["cards"]}


async def test_strangers_rooms_are_those_that_are_neither_configured_nor_of_two(desk: Desk) -> None:
    await desk.update("!two:example.org", membership="join", members={BOT: "", ANNA: ""})
    await desk.update("!three:example.org", membership="join", members={BOT: "", ANNA: "", BEN: ""})
    await desk.update("!left:example.org", membership="leave", members={})
    assert await desk.units.look(reception.strangers_rooms) == ("!three:example.org",)
    assert BERLIN in await desk.units.look(reception.joined_rooms)


async def test_the_sync_state_is_made_on_first_use(desk: Desk) -> None:
    def depth(unit: Unit) -> int:
        inbox.sync_state(unit.session)
        return inbox.depth(unit.session)

    assert await desk.units.run(depth) == 0
