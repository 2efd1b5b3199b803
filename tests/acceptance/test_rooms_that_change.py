"""Rooms that are upgraded, closed to the bot or cleared by others, while tickets and commands go on."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd, Human
from tests.timeline import Shown


@pytest.fixture(scope="module")
async def own(
    homeserver: Homeserver, crowd: Crowd, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """A desk of these tests' own, in German: they turn its rooms inside out."""
    folder = tmp_path_factory.mktemp("rooms")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with running_desk(homeserver, crowd, folder, database, language="de") as desk:
        yield desk


async def levels(person: Human, room: str, **changes: Any) -> None:
    """Change what a room's power levels ask for."""
    now = await person.call("GET", "rooms", room, "state", "m.room.power_levels", "")
    await person.send_state(room, "m.room.power_levels", {**now, **changes})


def has_head(head: str, shown: Shown) -> bool:
    """Whether a message begins like that."""
    return shown.body.startswith(head)


async def cards_in(desk: Desk, room: str, name: str, number: int) -> list[Shown]:
    """All cards of a ticket that stand in a room, loud or not."""
    seen = await desk.people[name].sees(room)
    return [each for each in seen if desk.is_from_bot(each) and f" #{number} · " in each.body[:12]]


async def test_a_card_that_was_removed_comes_back_with_the_next_change(own: Desk) -> None:
    number, other = await own.file(), await own.file()
    anna, room = own.person("anna"), own.rooms["freiburg"]
    first = await own.offers(number, "🙋 ⏳ ✅ 🚫")
    await anna.redact(room, first.event_id)
    await own.done("anna", f"!take {other}")  # so the bot has seen what came before it
    await own.post(f"/api/tickets/{number}/messages", {"message": "Any news?"})
    second = await own.card(number, "🟢")
    assert second.event_id != first.event_id
    alert = await own.hears("freiburg", "Any news?")
    assert alert.thread == second.event_id
    await own.done("anna", f"!take {number}")
    await own.card(number, "🔵")
    assert [each.event_id for each in await own.cards(number)] == [second.event_id]
    assert (await anna.reactions_on(room, first.event_id)) == {}


async def test_a_card_that_is_removed_while_its_ticket_changes_comes_back(own: Desk) -> None:
    """Whether the bot sees first that the card is gone or that the requester wrote."""
    number, anna, room = await own.file(), own.person("anna"), own.rooms["freiburg"]
    first = await own.offers(number, "🙋 ⏳ ✅ 🚫")
    await anna.redact(room, first.event_id)
    await own.post(f"/api/tickets/{number}/messages", {"message": "Any news?"})
    second = await own.card(number, "🟢")
    assert second.event_id != first.event_id
    await own.hears("freiburg", "Any news?")
    await own.done("anna", f"!take {number}")
    await own.card(number, "🔵")
    assert [each.event_id for each in await own.cards(number)] == [second.event_id]


async def test_what_a_removed_edit_had_told_is_told_again(own: Desk) -> None:
    number, anna, room = await own.file(), own.person("anna"), own.rooms["freiburg"]
    card = await own.card(number)
    await own.done("anna", f"!take {number}")
    await own.card(number, "🔵")
    (edit,) = [
        event
        for event in await anna.timeline(room)
        if event.related == card.event_id and event.relation["rel_type"] == "m.replace"
    ]
    await anna.redact(room, edit.event_id)
    shown = await own.card(number, "🔵", "Anna")
    assert (shown.event_id, shown.edited) == (card.event_id, True)


async def test_while_the_bot_is_out_what_is_for_the_room_waits(own: Desk) -> None:
    anna, ben, room = own.person("anna"), own.person("ben"), own.rooms["freiburg"]
    old = await own.file()
    card = await own.card(old)
    await anna.kick(room, own.account.user_id)
    await own.hears("admin", "den Raum Freiburg", "nicht benutzen", "Ladet mich ein")
    new = await own.file()
    await own.post(f"/api/tickets/{old}/messages", {"message": "Still there?"})
    unheard = await ben.say(room, f"!close {old}")
    await ben.invite(room, own.account.user_id)
    await own.card(new)
    alert = await own.hears("freiburg", "Still there?")
    await own.done("ben", f"!take {old}")
    await own.card(old, "🔵", "Ben")
    assert alert.thread == card.event_id
    assert await anna.reactions_on(room, unheard) == {}
    for number in (old, new):
        assert len(await own.cards(number)) == 1
    reports = [
        seen.body for seen in await own.person("dora").sees(own.rooms["admin"]) if "Freiburg" in seen.body
    ]
    assert len(reports) == 2


async def test_a_ticket_whose_room_forbids_posting_goes_to_triage(own: Desk) -> None:
    anna, tim, dora = own.person("anna"), own.person("tim"), own.person("dora")
    room, triage, admins = own.rooms["freiburg"], own.rooms["triage"], own.rooms["admin"]
    known = await own.file()
    await own.offers(known, "🙋 ⏳ ✅ 🚫")
    await levels(anna, room, events_default=75)

    new = await own.file("Please help")
    card = await own.card(new, "Es ist für Freiburg", f"!übergeben {new} freiburg", room="triage")
    assert card.msgtype == "m.text"
    await own.hears("admin", "Im Raum Freiburg", "Neue Tickets gehen in die Triage")
    await own.post(f"/api/tickets/{known}/messages", {"message": "It is urgent"})
    taken = await own.say("anna", f"!take {known}")

    await levels(tim, triage, events_default=75)
    await own.hears("admin", "Im Raum Triage")
    nowhere = await own.file("Nobody hears me")
    await own.hears("admin", f"#{nowhere} ist neu und steht in keinem Raum", "Freiburg")
    status = await own.told("dora", "!status", "admin")
    assert "⚠️ Freiburg: Ich darf dort nicht schreiben" in status.body
    assert "Räume, die ich nicht benutzen kann. Ich sende sie, sobald" in status.body
    assert f"#{nowhere}" in (await own.told("dora", f"!show {nowhere}", "admin")).body

    await levels(tim, triage, events_default=0)
    await own.card(nowhere, "Es ist für Freiburg", room="triage")
    await levels(anna, room, events_default=0)
    await anna.wait_for_reaction(room, taken, "✅", own.account.user_id)
    await own.hears("freiburg", "It is urgent")
    await own.card(known, "🔵", "Anna")
    later = await own.file()
    await own.card(later)
    await own.done("tim", f"!transfer {new} freiburg", "triage")
    back = await own.card(new, "Please help")
    assert "Es ist für" not in back.body
    for number, where in ((known, "freiburg"), (later, "freiburg"), (new, "freiburg"), (nowhere, "triage")):
        assert len(await own.cards(number, where)) == 1
    told = [
        seen.body for seen in await dora.sees(admins) if "nicht schreiben" in seen.body and not seen.reply_to
    ]
    assert len([body for body in told if body.startswith("⚠️ Im Raum")]) == 2


async def test_an_upgraded_room_is_moved_into_once_an_admin_says_so(own: Desk) -> None:
    carla, dora, bot = own.person("carla"), own.person("dora"), own.account.user_id
    old, admins = own.rooms["berlin"], own.rooms["admin"]
    number, closed = await own.file(region="berlin"), await own.file(region="berlin")
    before = await own.card(number, room="berlin")
    await own.done("carla", f"!close {closed}", "berlin")

    lie = await carla.create_room("Not it", invite=[bot])
    await own.until_left("carla", lie)
    await carla.send_state(old, "m.room.tombstone", {"body": "moved", "replacement_room": lie})
    await own.hears("admin", "Berlin", "durch einen neuen ersetzt")
    await carla.invite(lie, bot)
    await own.hears("admin", lie, "der neue Raum sagt das nicht")
    await own.until_left("carla", lie)

    new = (await carla.call("POST", "rooms", old, "upgrade", body={"new_version": "11"}))["replacement_room"]
    waiting = await own.file(region="berlin")
    await carla.invite(new, bot)
    question = await own.hears("admin", "Soll ich dorthin umziehen", new)
    await own.bot.stop()
    await own.bot.start()
    assert bot not in await carla.members(new)
    await dora.wait_for_reaction(admins, question.event_id, "✅", bot)
    await dora.react(admins, question.event_id, "✅")
    await own.hears("admin", "Ich bin umgezogen: Berlin", new, f"teams.berlin.room: {new}")

    own.rooms["berlin"] = new
    for each in (number, waiting):
        await carla.wait_to_see(new, partial(has_head, f"🟢 #{each} · "))
    await own.done("carla", f"!take {number}", "berlin")
    unheard = await carla.say(old, f"!close {number}")
    await own.bot.stop()
    await own.bot.start()
    await own.done("carla", f"!release {number}", "berlin")
    await own.done("carla", f"!reopen {closed}", "berlin")
    await carla.wait_to_see(new, partial(has_head, f"🟢 #{closed} "))
    for each in (number, waiting, closed):
        assert len(await cards_in(own, new, "carla", each)) == 1
    (stays,) = [seen for seen in await carla.sees(old) if seen.event_id == before.event_id]
    assert stays.body == before.body
    assert await carla.reactions_on(old, unheard) == {}
    assert len(await cards_in(own, old, "carla", waiting)) == 0
    assert await dora.transcript(admins)
