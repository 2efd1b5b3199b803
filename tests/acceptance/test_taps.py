"""One tap: what the cards offer, and what a member sees who taps."""

import re

import pytest

from tests.desk import Desk
from tests.timeline import Shown


async def gone(desk: Desk, name: str, number: int, tap: str, room: str = "freiburg") -> None:
    """Wait until the bot has taken a tap away."""
    await desk.person(name).wait_for(
        desk.room(room),
        lambda event: event.redacts == tap and event.sender == desk.account.user_id,
        description=f"the tap on #{number} taken away",
    )


async def test_taps_are_commands_and_the_card_follows(desk: Desk) -> None:
    number = await desk.file()
    await desk.offers(number, "🙋 ⏳ ✅ 🚫")
    tap = await desk.tap("anna", number, "🙋")
    card = await desk.card(number, "🔵", "In progress", "Anna")
    assert card.mentions == frozenset()
    await gone(desk, "anna", number, tap)
    await desk.offers(number, "⏳ ✅ 🚫")
    await desk.tap("anna", number, "⏳")
    await desk.card(number, "⏳", "On waiting")
    await desk.offers(number, "🙋 ✅ 🚫")
    await desk.tap("ben", number, "🙋🏽‍♀️")
    await desk.card(number, "🔵", "Ben")
    history = await desk.told("anna", f"!history {number}")
    assert history.body.count("took the ticket") == 2


async def test_a_refused_tap_is_answered_in_the_thread_by_name(desk: Desk) -> None:
    number = await desk.file()
    await desk.tap("anna", number, "🙋")
    card = await desk.card(number, "Anna")
    tap = await desk.tap("ben", number, "🙋")
    told = await desk.hears("freiburg", "Ben: Anna has", f"#{number}", thread=card.event_id)
    assert told.msgtype == "m.notice"
    assert told.mentions == {desk.person("ben").user_id}
    assert f"!take --force {number}" in told.body
    await gone(desk, "ben", number, tap)


@pytest.mark.parametrize(("key", "mark"), [("✅", "✅"), ("🚫", "🚫")])
async def test_a_close_or_spam_is_taken_back_by_a_tap_of_the_same_person(
    desk: Desk, key: str, mark: str
) -> None:
    number = await desk.file()
    await desk.tap("anna", number, key)
    await desk.card(number, mark)
    await desk.offers(number, "↩️")
    await desk.tap("ben", number, "↩️")
    await desk.hears("freiburg", "Ben: The last change", f"#{number}", "only they can undo it")
    await desk.tap("anna", number, "↩️")
    await desk.card(number, "🟢")
    await desk.offers(number, "🙋 ⏳ ✅ 🚫")


async def test_two_tap_at_once_and_nobody_is_refused(desk: Desk) -> None:
    number = await desk.file()
    taps = [(name, await desk.tap(name, number, "✅")) for name in ("anna", "ben")]
    for name, tap in taps:
        await gone(desk, name, number, tap)
    await desk.card(number, "✅")
    history = await desk.told("anna", f"!history {number}")
    assert history.body.count("closed the ticket") == 1
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    assert not [each for each in seen if f"#{number} cannot be" in each.body]


async def test_taking_a_tap_back_undoes_nothing(desk: Desk) -> None:
    number = await desk.file()
    room = desk.rooms["freiburg"]
    tap = await desk.tap("anna", number, "🙋")
    await desk.card(number, "🔵")
    await desk.person("anna").redact(room, tap)
    await desk.told("anna", "!help take")
    await desk.card(number, "🔵", "Anna")


async def test_other_reactions_stay(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.offers(number, "🙋 ⏳ ✅ 🚫")
    await desk.tap("anna", number, "❤️")
    await desk.told("anna", "!help take")
    reactions = await desk.person("ben").reactions_on(desk.rooms["freiburg"], card.event_id)
    assert desk.person("anna").user_id in reactions["❤️"]
    await desk.card(number, "🟢")


async def test_taps_work_after_a_restart_and_in_a_transferred_tickets_new_room(desk: Desk) -> None:
    number, moved = await desk.file(), await desk.file()
    await desk.offers(number, "🙋 ⏳ ✅ 🚫")
    await desk.done("anna", f"!transfer {moved} berlin")
    await desk.offers(moved, "🙋 ⏳ ✅ 🚫", "berlin")
    await desk.bot.stop()
    await desk.tap("anna", number, "🙋")
    await desk.tap("carla", moved, "✅", "berlin")
    await desk.bot.start()
    await desk.card(number, "🔵", "Anna")
    await desk.card(moved, "✅", room="berlin")


async def test_closing_many_at_once_asks_first(desk: Desk) -> None:
    numbers = [await desk.file(f"Many {each}") for each in range(6)]
    command = await desk.say("anna", f"!close {' '.join(map(str, numbers))}")
    anna, room = desk.person("anna"), desk.rooms["freiburg"]
    question = await anna.wait_for_notice_reply(room, command)
    assert "Really close all of these at once" in question.body
    assert question.mentions == {anna.user_id}
    for key in ("✅", "❌"):
        await anna.wait_for_reaction(room, question.event_id, key, desk.account.user_id)
    await desk.person("ben").react(room, question.event_id, "✅")
    await desk.hears("freiburg", "Ben: Only Anna, who gave the command")
    await desk.card(numbers[0], "🟢")
    await anna.react(room, question.event_id, "✅")
    for number in numbers:
        await desk.card(number, "✅")
    await anna.wait_for_reaction(room, command, "✅", desk.account.user_id)
    await desk.hears("freiburg", "✅ Anna confirmed it", f"#{numbers[5]}", edited=True)
    await anna.wait_to_see(
        room,
        lambda seen: seen.event_id == question.event_id and not any(seen.reactions.values()),
        description="the question without anything to tap",
    )


async def test_a_no_leaves_everything_as_it_is(desk: Desk) -> None:
    number = await desk.file()
    await desk.done("dora", f"!delete {number}", "admin")
    question = await desk.told("dora", f"!purge {number}", "admin")
    assert "Nothing brings that back" in question.body
    await desk.person("dora").react(desk.rooms["admin"], question.event_id, "❌")
    await desk.hears("admin", "❌ Dora left it", f"#{number}", edited=True)
    await desk.done("dora", f"!restore {number}", "admin")
    await desk.card(number, "🟢")


def pages_of(shown: Shown) -> list[int]:
    """Which of the tickets "Page 0" to "Page 20" a list names; other tests' tickets may stand between."""
    return [int(page) for page in re.findall(r"Page (\d+)", shown.body)]


async def test_a_long_list_goes_on_by_a_tap_or_by_more(desk: Desk) -> None:
    numbers = [await desk.file(f"Page {each}", topicId=11) for each in range(21)]
    ben, room = desk.person("ben"), desk.rooms["freiburg"]
    await desk.done("ben", f"!assign {' '.join(map(str, numbers))} ben")
    first = await desk.told("ben", '!list "Donation offer"')
    assert first.body.count("#") == 10
    assert "▶️ or !more" in first.body
    await ben.wait_for_reaction(room, first.event_id, "▶️", desk.account.user_id)
    await desk.person("anna").react(room, first.event_id, "▶️")
    second = await ben.wait_for_notice_reply(room, first.event_id)
    await ben.wait_to_see(
        room,
        lambda seen: seen.event_id == first.event_id and not seen.reactions.get("▶️"),
        description="the first page without its ▶️",
    )
    pages = [first, second]
    while "!more" in pages[-1].body:
        pages.append(await desk.told("anna", "!more"))
    assert [page for shown in pages for page in pages_of(shown)] == list(range(21))
    assert "▶️" not in pages[-1].body
    over = await desk.told("anna", "!more")
    assert "nothing more to show" in over.body
    await desk.done("ben", f"!release {' '.join(map(str, numbers))}")  # his list is for other tests too


async def test_what_next_shows_is_taken_by_a_tap(desk: Desk) -> None:
    await desk.file("For whoever has time", region="berlin")
    shown = await desk.told("carla", "!next", "berlin")
    carla, room = desk.person("carla"), desk.rooms["berlin"]
    number = int(shown.body.split("#")[1].split(" ")[0])
    await carla.wait_for_reaction(room, shown.event_id, "🙋", desk.account.user_id)
    tap = await carla.react(room, shown.event_id, "🙋")
    await desk.card(number, "🔵", "Carla", room="berlin")
    await gone(desk, "carla", number, tap, "berlin")
