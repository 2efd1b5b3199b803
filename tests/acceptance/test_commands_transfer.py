"""A ticket leaves its team: gone from the old room, with a card and a summary in the new one."""

from tests.desk import Desk


async def test_transfer_clears_the_old_room_and_arrives_in_the_new(desk: Desk) -> None:
    number = await desk.file("Transferred laptop", message="Only for the next team to read")
    old = await desk.card(number)
    await desk.done("ben", f"!take {number}")
    await desk.card(number, "In progress")
    status, _ = await desk.post(f"/api/tickets/{number}/messages", {"message": "A second secret line"})
    assert status == 201
    await desk.hears("freiburg", "A second secret line", thread=old.event_id)

    await desk.done("anna", f"!transfer {number} berlin")

    card = await desk.card(number, "🟢", "Open", "Berlin", room="berlin")
    assert "Ben" not in card.body
    summary = await desk.hears("berlin", f"#{number}", "from Freiburg", "took the ticket")
    assert (summary.msgtype, summary.thread) == ("m.notice", card.event_id)
    line = await desk.hears("freiburg", f"#{number} is now with Berlin", "Anna")
    assert (line.msgtype, line.thread) == ("m.notice", None)
    lost = await desk.hears("freiburg", f"#{number} is no longer yours", "transferred it to another team")
    assert lost.mentions == {desk.person("ben").user_id}
    assert lost.thread is None
    await _nothing_left(desk, old.event_id, "Transferred laptop", "for the next team", "second secret")


async def _nothing_left(desk: Desk, card: str, *words: str) -> None:
    """The old card, its edits and the bot's posts in its thread have lost their content."""
    events = await desk.person("anna").timeline(desk.rooms["freiburg"])
    own = [event for event in events if event.sender == desk.account.user_id]
    assert next(event for event in own if event.event_id == card).redacted
    assert not [
        event for event in own if event.relation.get("event_id") == card and event.type == "m.room.message"
    ]
    for word in words:
        assert word not in str([dict(event.content) for event in own])


async def test_the_old_room_knows_it_no_more(desk: Desk) -> None:
    number = await desk.file()
    await desk.card(number)
    await desk.done("anna", f"!transfer {number} berlin")
    await desk.card(number, room="berlin")
    refusal = await desk.told("anna", f"!show {number}")
    assert f"I do not know #{number} here" in refusal.body
    await desk.done("carla", f"!take {number}", "berlin")


async def test_there_and_back_gives_a_new_card(desk: Desk) -> None:
    number = await desk.file()
    first = await desk.card(number)
    await desk.done("anna", f"!transfer {number} Berlin")
    there = await desk.card(number, room="berlin")
    await desk.hears("freiburg", f"#{number} is now with Berlin")
    await desk.done("carla", f"!transfer {number} freiburg", "berlin")
    back = await desk.card(number)
    assert back.event_id != first.event_id
    await desk.hears("berlin", f"#{number} is now with Freiburg")
    seen = await desk.person("carla").sees(desk.rooms["berlin"])
    assert next(each for each in seen if each.event_id == there.event_id).redacted
    assert await desk.cards(number, "berlin") == []


async def test_undo_takes_a_transfer_back(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!take {number}")
    await desk.done("anna", f"!transfer {number} berlin")
    await desk.card(number, room="berlin")
    await desk.done("anna", f"!undo {number}")
    await desk.card(number, "🔵", "Anna")
    await desk.hears("berlin", f"#{number} is now with Freiburg")
    assert await desk.cards(number, "berlin") == []


async def test_none_leads_to_triage(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("anna", f"!transfer {number} none")
    await desk.card(number, "Triage", room="triage")
    await desk.hears("freiburg", f"#{number} is now with Triage")
    await desk.done("tim", f"!transfer {number} freiburg", "triage")
    await desk.card(number, "Freiburg")


async def test_an_unknown_team_is_refused_with_the_known(desk: Desk) -> None:
    number = await desk.file()
    refusal = await desk.told("anna", f"!transfer {number} freiberg")
    assert "There is no team “freiberg”" in refusal.body
    assert "Did you mean Freiburg?" in refusal.body
    await desk.card(number)
