"""Who is in a team's room, though they never said a word: the sync of a homeserver leaves them out."""

from collections.abc import Sequence

from bot.services import people, reception
from tests.integration.test_matrix_edge import Bot, bot
from tests.people import Crowd, Human

__all__ = ["bot"]


async def a_room(crowd: Crowd, bot: Bot, alias: str | None = None) -> tuple[str, Sequence[Human]]:
    """A room with people who said nothing, and talk of one of them that fills the bot's first look."""
    anna, *silent = [await crowd(f"person{n}") for n in range(6)]
    room = await anna.create_room("Freiburg", alias=alias, invite=[*silent, bot.client.user_id])
    for each in silent:
        await each.join(room)
    for n in range(25):
        await anna.say(room, f"words {n}")
    return room, [anna, *silent]


async def knows(bot: Bot, members: Sequence[Human]) -> bool:
    """Whether each of them may work on Freiburg's tickets."""
    actors = [
        await bot.units.look(lambda unit, who=each: people.actor_of(unit, who.user_id))  # type: ignore[misc]
        for each in members
    ]
    return all(actor.teams == {"freiburg"} for actor in actors)


async def test_silent_members_are_known_from_the_first_sync_on(bot: Bot, people: Crowd) -> None:
    """The bot is in the room already; the config names it by its alias."""
    room, members = await a_room(people, bot, f"freiburg-{bot.client.user_id[5:13]}")
    await bot.client.join(room)
    doorkeeper = bot.doorkeeper(**{"team:freiburg": f"#freiburg-{bot.client.user_id[5:13]}:localhost"})
    await doorkeeper.settle()
    assert await bot.units.look(lambda unit: reception.is_configured(unit, room))
    await bot.sync_until(lambda: knows(bot, members))


async def test_silent_members_of_a_room_that_the_bot_enters_later_are_known(bot: Bot, people: Crowd) -> None:
    """And those who come after it; the config names the room by its id."""
    room, members = await a_room(people, bot)
    doorkeeper = bot.doorkeeper(**{"team:freiburg": room})
    await bot.units.run(lambda unit: reception.configure_rooms(unit, {"team:freiburg": (room, room)}))

    async def invited() -> bool:
        return await bot.pending() == [room]

    await bot.sync_until(invited)
    await doorkeeper.answer_invitations()
    await bot.sync_until(lambda: knows(bot, members))
    late = await people("late")
    await members[0].invite(room, late)
    await late.join(room)
    await bot.sync_until(lambda: knows(bot, [*members, late]))
