"""Rights and what a room shows, from membership as it is now."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.words import EVERYTHING, NOTHING, Actor, RoomKind, Scope
from bot.services import people, reception
from bot.services.people import Place
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
    TIM,
    TRIAGE,
    Desk,
    desk_on,
)

DIRECT = "!direct:example.org"
UNUSABLE: tuple[dict[str, Any], ...] = (
    {"join_rule": "public"},
    {"history_visibility": "world_readable"},
    {"guest_access": "can_join"},
    {"replaced_by": "!new:example.org"},
    {"membership": "leave"},
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def actor(desk: Desk, person: str) -> Actor:
    """The person with the rights of now."""
    return await desk.units.look(lambda unit: people.actor_of(unit, person))


async def place(desk: Desk, person: str, room: str) -> Place:
    """The room as it is to the person."""
    return (await desk.caller(person, room)).place


async def test_rights_come_from_the_rooms(desk: Desk) -> None:
    assert await actor(desk, ANNA) == Actor(ANNA, frozenset({"freiburg"}))
    assert await actor(desk, TIM) == Actor(TIM, frozenset({None}))
    assert await actor(desk, DORA) == Actor(DORA, admin=True)
    assert await actor(desk, OLGA) == Actor(OLGA)
    await desk.update(BERLIN, members={ANNA: "Anna"})
    assert await actor(desk, ANNA) == Actor(ANNA, frozenset({"freiburg", "berlin"}))
    await desk.update(FREIBURG, members={ANNA: None})
    assert await actor(desk, ANNA) == Actor(ANNA, frozenset({"berlin"}))


@pytest.mark.parametrize("flaw", UNUSABLE, ids=lambda flaw: next(iter(flaw)))
async def test_a_room_that_cannot_be_used_gives_no_rights_and_shows_nothing(
    sqlite_database: str, flaw: dict[str, Any]
) -> None:
    async with desk_on(sqlite_database) as desk:
        for room, person in ((FREIBURG, ANNA), (TRIAGE, TIM), (ADMINS, DORA)):
            await desk.update(room, **flaw)
            assert await actor(desk, person) == Actor(person)
            assert await place(desk, person, room) == Place(room, RoomKind.FOREIGN, NOTHING)
        assert await desk.units.look(lambda unit: people.members_of(unit, "freiburg")) == {}


async def test_who_the_config_names_is_admin_without_a_room(database_url: str) -> None:
    async with desk_on(database_url) as desk:
        object.__setattr__(desk.units.policy, "admins", frozenset({OLGA}))
        try:
            assert await actor(desk, OLGA) == Actor(OLGA, admin=True)
        finally:
            object.__setattr__(desk.units.policy, "admins", frozenset())


async def test_each_room_shows_what_it_should(desk: Desk) -> None:
    team = Scope(frozenset({"freiburg"}))
    assert await place(desk, ANNA, FREIBURG) == Place(FREIBURG, RoomKind.TEAM, team, "freiburg")
    assert await place(desk, DORA, FREIBURG) == Place(FREIBURG, RoomKind.TEAM, team, "freiburg")
    assert await place(desk, TIM, TRIAGE) == Place(TRIAGE, RoomKind.TRIAGE, Scope(frozenset({None})))
    assert await place(desk, DORA, ADMINS) == Place(ADMINS, RoomKind.ADMIN, EVERYTHING)
    assert await place(desk, ANNA, "!never:example.org") == Place(
        "!never:example.org", RoomKind.FOREIGN, NOTHING
    )


async def test_a_direct_chat_is_of_exactly_two(desk: Desk) -> None:
    await desk.update(DIRECT, membership="join", members={BOT: "", ANNA: "Anna"})
    shown = Place(DIRECT, RoomKind.DIRECT, Scope(frozenset({"freiburg"})), "freiburg")
    assert await place(desk, ANNA, DIRECT) == shown
    await desk.update(DIRECT, members={CARLA: ""})
    assert (await place(desk, ANNA, DIRECT)).kind is RoomKind.FOREIGN
    await desk.update(DIRECT, members={CARLA: None})
    assert await place(desk, ANNA, DIRECT) == shown
    assert (await place(desk, BEN, DIRECT)).kind is RoomKind.FOREIGN
    await desk.update(DIRECT, join_rule="public")
    assert (await place(desk, ANNA, DIRECT)).kind is RoomKind.FOREIGN


async def test_an_admins_direct_chat_shows_all(desk: Desk) -> None:
    await desk.update(DIRECT, membership="join", members={BOT: "", DORA: ""})
    assert await place(desk, DORA, DIRECT) == Place(DIRECT, RoomKind.DIRECT, EVERYTHING)


async def test_a_room_taken_out_of_the_config_is_foreign(desk: Desk) -> None:
    wanted: dict[str, tuple[str, str | None]] = {"team:berlin": (BERLIN, BERLIN)}
    await desk.units.run(lambda unit: reception.configure_rooms(unit, wanted))
    assert (await place(desk, ANNA, FREIBURG)).kind is RoomKind.FOREIGN
    assert await actor(desk, ANNA) == Actor(ANNA)
    assert (await place(desk, CARLA, BERLIN)).kind is RoomKind.TEAM


async def test_an_alias_that_cannot_be_resolved_now_keeps_its_room(desk: Desk) -> None:
    async def configure(address: str, room_id: str | None) -> None:
        wanted = {"team:freiburg": (address, room_id)}
        await desk.units.run(lambda unit: reception.configure_rooms(unit, wanted))

    await configure("#freiburg:example.org", FREIBURG)
    await configure("#freiburg:example.org", None)
    assert (await place(desk, ANNA, FREIBURG)).team == "freiburg"
    await configure("#another:example.org", None)
    assert (await place(desk, ANNA, FREIBURG)).kind is RoomKind.FOREIGN


async def test_people_are_called_as_their_room_calls_them(desk: Desk) -> None:
    await desk.update(BERLIN, members={ANNA: "Anna from Freiburg"})
    names = [
        (await desk.units.look(lambda unit, team=team: people.person(unit, ANNA, team))).name  # type: ignore[misc]
        for team in ("freiburg", "berlin")
    ]
    assert names == ["Anna", "Anna from Freiburg"]
    assert (await desk.units.look(lambda unit: people.person(unit, OLGA))).name == OLGA
    assert (await desk.units.look(lambda unit: people.members_of(unit, "berlin"))) == {
        ANNA: "Anna from Freiburg", CARLA: "Carla",
    }  # fmt: skip
