"""The room decides what may be shown, the person what may be done; both as they are at that moment."""

import pytest

from tests.desk import Desk
from tests.people import Crowd


async def test_foreign_and_unknown_numbers_get_the_same_answer(desk: Desk) -> None:
    foreign, unknown = await desk.file(region="berlin"), 1_999_999_999
    await desk.card(foreign, room="berlin")
    for line in (
        "take",
        "show",
        "history",
        "close",
        "message {} hello",
        "assign {} Anna",
        "undo",
        "transfer {} berlin",
    ):
        line = line if "{}" in line else f"{line} {{}}"
        answers = [
            (await desk.told("anna", "!" + line.format(number))).body.replace(str(number), "N")
            for number in (foreign, unknown)
        ]
        assert answers[0] == answers[1]
        assert "I do not know #N here" in answers[0]
    await desk.card(foreign, "🟢", room="berlin")


async def test_a_team_room_shows_only_its_own_tickets_also_to_an_admin(desk: Desk) -> None:
    foreign = await desk.file(region="berlin")
    await desk.card(foreign, room="berlin")
    dora = desk.person("dora")
    await desk.person("anna").invite(desk.rooms["freiburg"], dora)
    await dora.join(desk.rooms["freiburg"])
    told = await desk.told("dora", f"!show {foreign}")
    assert "I do not know" in told.body
    assert f"#{foreign} " not in (await desk.told("dora", "!list")).body
    assert f"#{foreign}" in (await desk.told("dora", f"!show {foreign}", "admin")).body
    refusal = await desk.told("dora", "!status")
    assert "cannot be answered here" in refusal.body
    await dora.leave(desk.rooms["freiburg"])


async def test_an_outsiders_invitations_are_declined(desk: Desk) -> None:
    olga, bot = desk.person("olga"), desk.account.user_id
    direct = await olga.direct_chat_with(bot)
    group = await olga.create_room("Come in", invite=[bot])
    for room in (direct, group):
        await desk.until_left("olga", room)
        assert bot not in await olga.members(room)


async def test_a_room_that_is_not_configured_is_declined_even_to_members(desk: Desk) -> None:
    room = await desk.person("anna").create_room("Private", invite=[desk.account.user_id])
    await desk.until_left("anna", room)


async def test_a_members_direct_chat_knows_their_teams(desk: Desk) -> None:
    own, foreign = await desk.file(), await desk.file(region="berlin")
    await desk.card(foreign, room="berlin")
    direct = await desk.person("ben").direct_chat_with(desk.account.user_id)
    await desk.until_joined("ben", direct)
    await desk.done("ben", f"!take {own}", direct)
    await desk.card(own, "Ben")
    assert f"#{own} " in (await desk.told("ben", "!mine", direct)).body
    assert "I do not know" in (await desk.told("ben", f"!show {foreign}", direct)).body
    assert f"#{foreign} " not in (await desk.told("ben", "!list", direct)).body
    assert "Only admins" in (await desk.told("ben", "!status", direct)).body


async def test_a_direct_chat_that_became_a_group_is_left(desk: Desk) -> None:
    number = await desk.file()
    ben, olga = desk.person("ben"), desk.person("olga")
    direct = await ben.direct_chat_with(desk.account.user_id)
    await desk.until_joined("ben", direct)
    await desk.told("ben", f"!show {number}", direct)
    await ben.invite(direct, olga)
    await olga.join(direct)
    asked = await olga.say(direct, f"!show {number}")
    await ben.say(direct, f"!show {number}")
    await desk.until_left("ben", direct)
    seen = await ben.sees(direct)
    after = [each.event_id for each in seen].index(asked)
    assert [each for each in seen[after:] if each.sender == desk.account.user_id] == []


async def test_who_left_the_team_loses_the_rights_at_once(desk: Desk, crowd: Crowd) -> None:
    number = await desk.file()
    eve = desk.people["eve"] = await crowd("eve")
    anna, room = desk.person("anna"), desk.rooms["freiburg"]
    await anna.invite(room, eve)
    await eve.join(room)
    direct = await eve.direct_chat_with(desk.account.user_id)
    await desk.until_joined("eve", direct)
    await desk.done("eve", f"!take {number}", direct)
    await anna.kick(room, eve)
    told = await desk.told("eve", f"!show {number}", direct)
    assert "Laptop" not in told.body
    assert "Only members of a team may do that." in told.body
    # Without its assignee, a requester's message is for all of the team.
    await desk.post(f"/api/tickets/{number}/messages", {"message": "Where is Eve?"})
    alert = await desk.hears("freiburg", "Where is Eve?")
    assert alert.mentions == {anna.user_id, desk.person("ben").user_id}


OPENINGS = {
    "public": (
        "m.room.join_rules",
        {"join_rule": "public"},
        {"join_rule": "invite"},
        "Strangers can join it",
    ),
    "world readable": (
        "m.room.history_visibility",
        {"history_visibility": "world_readable"},
        {"history_visibility": "shared"},
        "Strangers can read it",
    ),
    "guests": (
        "m.room.guest_access",
        {"guest_access": "can_join"},
        {"guest_access": "forbidden"},
        "Guests may join it",
    ),
}


@pytest.mark.parametrize("opening", OPENINGS)
async def test_a_room_that_was_opened_gets_nothing_until_it_is_closed_again(desk: Desk, opening: str) -> None:
    event_type, opened, closed, reason = OPENINGS[opening]
    tim, room = desk.person("tim"), desk.rooms["triage"]
    before = await desk.file(region="elsewhere")
    await desk.offers(before, "🙋 ⏳ ✅ 🚫", "triage")
    change = await tim.send_state(room, event_type, opened)
    await desk.hears("admin", "I cannot use the room Triage", reason)
    waits = await desk.file("Waits outside", region="elsewhere")
    await tim.say(room, f"!take {before}")
    await desk.post(f"/api/tickets/{before}/messages", {"message": f"Between us: {opening}"})
    told = await desk.told("dora", "!status", "admin")
    assert f"⚠️ Triage: {reason}" in told.body
    await desk.file("Somebody else's comes")
    seen = await tim.timeline(room)
    after = seen[[event.event_id for event in seen].index(change) :]
    assert [event for event in after if event.sender == desk.account.user_id] == []

    await tim.send_state(room, event_type, closed)

    await desk.card(waits, "Waits outside", room="triage")
    await desk.hears("admin", "The room Triage", "can be used again")
    await desk.card(before, "🟢", room="triage")
    await desk.hears("triage", f"Between us: {opening}")
    reports = [each for each in await desk.person("dora").sees(desk.rooms["admin"]) if reason in each.body]
    assert len([each for each in reports if each.reply_to is None]) == 1
