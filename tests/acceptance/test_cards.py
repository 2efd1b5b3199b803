"""A ticket's card: one message in the right room, edited in place."""

import asyncio

import pytest

from tests.desk import Desk


async def test_a_new_card_rings_and_shows_the_request(desk: Desk) -> None:
    number = await desk.file("A laptop for school", message="Hello,\nI begin in autumn.")
    card = await desk.card(number)
    lines = card.body.splitlines()
    assert lines[0] == f"🟢 #{number} · A laptop for school"
    assert lines[1].startswith("Open · Donation request · Freiburg · ")
    assert lines[2:] == ["> Hello,", "> I begin in autumn."]
    assert (card.msgtype, card.mentions, card.mentions_room) == ("m.text", frozenset(), False)
    assert "<blockquote>Hello,<br>I begin in autumn.</blockquote>" in (card.formatted_body or "")


@pytest.mark.parametrize(
    ("region", "room"),
    [("freiburg", "freiburg"), ("berlin", "berlin"), ("elsewhere", "triage"), ("", "triage"),
     ("atlantis", "triage")],
)  # fmt: skip
async def test_the_region_decides_the_room(desk: Desk, region: str, room: str) -> None:
    number = await desk.file(region=region)
    await desk.card(number, room=room)
    for other in {"freiburg", "berlin", "triage"} - {room}:
        assert await desk.cards(number, other) == []


async def test_a_long_message_is_cut(desk: Desk) -> None:
    number = await desk.file(message="word " * 200)
    card = await desk.card(number)
    assert card.body.endswith("…")
    assert len(card.body) < 500


async def test_it_is_edited_in_place(desk: Desk) -> None:
    number = await desk.file()
    first = await desk.card(number)
    for line, shows in (("take", "🔵"), ("wait", "⏳"), ("close", "✅"), ("spam", "🚫"), ("reopen", "🟢")):
        await desk.done("anna", f"!{line} {number}")
        card = await desk.card(number, shows)
        assert card.event_id == first.event_id
        assert card.edited
    assert len(await desk.cards(number)) == 1


async def test_many_at_once_have_one_card_each_in_the_end_as_they_are(desk: Desk) -> None:
    numbers = await asyncio.gather(*(desk.file(f"At once {each}") for each in range(12)))
    await asyncio.gather(*(desk.done("anna", f"!take {number}") for number in numbers))
    await asyncio.gather(*(desk.done("ben", f"!close {number}") for number in numbers[::2]))
    for index, number in enumerate(numbers):
        card = await desk.card(number, "✅" if index % 2 == 0 else "🔵")
        assert f"At once {index}\n" in card.body
        assert len(await desk.cards(number)) == 1


async def test_two_take_at_once_and_one_wins(desk: Desk) -> None:
    for _ in range(3):
        number = await desk.file()
        commands = await asyncio.gather(
            desk.say("anna", f"!take {number}"), desk.say("ben", f"!take {number}")
        )
        card = await desk.card(number, "🔵")
        winner, loser = ("anna", "ben") if "Anna" in card.body else ("ben", "anna")
        ids = dict(zip(("anna", "ben"), commands, strict=True))
        refusal = await desk.person(loser).wait_for_notice_reply(desk.rooms["freiburg"], ids[loser])
        assert winner.title() in refusal.body
        await desk.person(winner).wait_for_reaction(
            desk.rooms["freiburg"], ids[winner], "✅", desk.account.user_id
        )
