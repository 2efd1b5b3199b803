"""How the bot introduces itself and explains itself, in the language of each room, and how it chats alone."""

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd
from tests.timeline import Shown


async def said(desk: Desk, name: str, room: str) -> list[Shown]:
    """What the bot has said in a room of its own accord, as somebody sees it."""
    seen = await desk.person(name).sees(desk.room(room))
    return [each for each in seen if desk.is_from_bot(each) and each.reply_to is None]


async def alone(desk: Desk, name: str) -> tuple[str, Shown]:
    """A direct chat of one of the people with the bot, and its greeting."""
    person = desk.person(name)
    room = await person.direct_chat_with(desk.account.user_id)
    greeting = await person.wait_to_see(
        room, lambda seen: desk.is_from_bot(seen) and "👋" in seen.body, timeout=20, description="a greeting"
    )
    return room, greeting


@pytest.mark.parametrize(
    ("room", "words"),
    [
        ("freiburg", ("New requests to Freiburg", "!take 42: you work on it now", "!close 42")),
        ("triage", ("belong to no team", "!transfer 42 <team>")),
        ("admin", ("I report problems here", "!status: is all well?")),
    ],
)
async def test_each_room_is_greeted_once_in_its_own_words(
    desk: Desk, room: str, words: tuple[str, ...]
) -> None:
    greeting = await desk.hears(room, "👋 Hello, I am Tickettruhe.", "!help tells the rest.", *words)
    assert (greeting.msgtype, greeting.mentions) == ("m.notice", frozenset())
    assert len([each for each in await said(desk, desk_viewer(desk, room), room) if "👋" in each.body]) == 1


def desk_viewer(desk: Desk, room: str) -> str:
    """The name of somebody who is in the room."""
    viewer = desk.viewer(room)
    return next(name for name, person in desk.people.items() if person is viewer)


async def test_a_direct_chat_greets_with_ones_tickets_and_needs_no_prefix(desk: Desk) -> None:
    taken, other = await desk.file("Taken before the chat"), await desk.file("Still free")
    await desk.done("ben", f"!take {taken}")
    room, greeting = await alone(desk, "ben")
    assert "👋 Hello Ben, I am Tickettruhe." in greeting.body
    assert f"🔵 #{taken} · Taken before the chat" in greeting.body
    assert (greeting.msgtype, greeting.mentions) == ("m.notice", frozenset())

    await desk.done("ben", f"Take {other}", room)
    await desk.card(other, "In progress", "Ben")
    assert "Your tickets" in (await desk.told("ben", "mine", room)).body
    await desk.done("ben", f"{other} schließen", room)
    await desk.card(other, "Closed")
    assert "Did you mean !take" in (await desk.told("ben", f"taek {taken}", room)).body
    assert "leave out the “!”" in (await desk.told("ben", "help", room)).body

    talk = await desk.say("ben", "Thank you!", room)
    await desk.told("ben", "list", room)
    seen = await desk.person("ben").sees(room)
    assert not [each for each in seen if each.reply_to == talk], "it has introduced itself a moment ago"


async def test_new_in_a_direct_chat_is_for_ones_own_team(desk: Desk) -> None:
    room, _ = await alone(desk, "carla")
    told = await desk.told("carla", "new A printer", room)
    assert "room of Berlin" in told.body


async def test_new_in_a_direct_chat_asks_who_is_in_several_teams(desk: Desk, crowd: Crowd) -> None:
    uma = desk.people["uma"] = await crowd("uma")
    for key in ("freiburg", "berlin"):
        await desk.viewer(key).invite(desk.rooms[key], uma)
        await uma.join(desk.rooms[key])
    room, _ = await alone(desk, "uma")
    asked = await desk.told("uma", "new A printer", room)
    assert "For which team is it?" in asked.body
    assert "!new --team <team> <text>" in asked.body
    assert "room of Freiburg" in (await desk.told("uma", "new --team Freiburg A printer", room)).body
    assert "room of Berlin" in (await desk.told("uma", "new --region berlin A printer", room)).body
    for key in ("freiburg", "berlin"):
        await uma.leave(desk.rooms[key])
    outside = await desk.told("uma", "list", room)
    assert "Only members of a team may do that." in outside.body


async def test_a_german_desk_speaks_german(
    homeserver: Homeserver, people: Crowd, tmp_path_factory: pytest.TempPathFactory, sqlite_database: str
) -> None:
    """The whole of it: greeting, help, did-you-mean, direct chat; and no second greeting after a restart."""
    folder = tmp_path_factory.mktemp("german")
    async with running_desk(homeserver, people, folder, sqlite_database, language="de") as own:
        greeting = await own.hears("freiburg", "👋 Hallo, ich bin Tickettruhe.", "!nehmen 42")
        assert "Neue Anfragen an Freiburg" in greeting.body
        overview = (await own.told("anna", "!hilfe")).body
        assert overview.startswith("Das Wichtigste\n• !nehmen: ")
        details = (await own.told("anna", "!nehmen --hilfe")).body
        assert details.startswith("!nehmen [Nummer …] [--force]\n")
        assert "!nehmen 41 42: beide Tickets auf einmal" in details
        assert "⏳ Warteliste: " in (await own.told("anna", "!help ablauf")).body
        assert "Meintest du !schließen?" in (await own.told("anna", "!schliesen 42")).body
        number = await own.file("Ein Laptop")
        await own.done("anna", f"!nehmen {number}")

        room, hello = await alone(own, "anna")
        assert "auch ohne „!“" in hello.body
        assert f"🔵 #{number} · Ein Laptop" in hello.body
        assert f"#{number} · Ein Laptop" in (await own.told("anna", "meine", room)).body

        await own.bot.stop()
        await own.bot.start()
        await own.told("anna", "liste", room)
        for where in ("freiburg", room):
            greetings = [each for each in await said(own, "anna", where) if "👋" in each.body]
            assert len(greetings) == 1
