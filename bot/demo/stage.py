"""Sets the demo up: homeserver, accounts, rooms, bot; and takes it down again."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from bot.demo.bot_process import BotProcess
from bot.demo.cards import cards
from bot.demo.cast import BOT, BOT_NAME, PEOPLE, ROOMS, SETTINGS, TEAMS
from bot.demo.folder import Folder, Memory
from bot.demo.homeserver import Account, Homeserver
from bot.demo.person import LONG_POLL, Person
from bot.demo.post import Post
from bot.demo.room_view import Shown
from bot.demo.synapse_config import free_port
from bot.demo.watch import Watch

FORM_PORTS: Final = range(8080, 8100)


@dataclass(frozen=True, slots=True)
class Stage:
    """All that runs."""

    homeserver: Homeserver
    bot: BotProcess
    bot_user: str
    people: dict[str, Person]
    rooms: dict[str, str]
    """Key → id."""
    password: str
    """Of all people."""
    watch: Watch
    post: Post
    kept: bool
    """Whether it goes on with rooms and tickets of an earlier demo."""

    def name_of(self, user_id: str) -> str:
        """What people call somebody."""
        if user_id == self.bot_user:
            return BOT_NAME
        local = user_id[1:].partition(":")[0]
        return PEOPLE.get(local, local)

    def cards(self) -> list[Shown]:
        """The cards in all rooms."""
        return [card for room in self.rooms for card in cards(self.watch.view(room), self.bot_user)]

    def seconds_to_first_card(self, started: float) -> float | None:
        """How long the first new ticket took to its room, from ``started`` on the monotonic clock."""
        began = time.time() - (time.monotonic() - started)
        return min((took for card in self.cards() if (took := card.at.timestamp() - began) > 0), default=None)


@asynccontextmanager
async def set_up(folder: Folder, *, keep: bool, tell: Callable[[str], None]) -> AsyncIterator[Stage]:
    """A stage that is ready to play on; leaving the context ends bot and homeserver.

    :param keep: go on with the folder's rooms and tickets, if there are any.
    :param tell: is told what takes a moment.
    :raises DemoError: something does not start.
    """
    memory = folder.recall() if keep else None
    if memory is None:
        folder.clear()
    tell("Starting a Matrix homeserver (Synapse) …")
    timeout = aiohttp.ClientTimeout(total=LONG_POLL + 25)
    async with (
        Homeserver(folder.homeserver) as homeserver,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        tell("Inviting the people and starting the bot …")
        kept, password = memory is not None, memory.password if memory else secrets.token_hex(4)
        accounts = await _register(homeserver, password)
        people = {key: Person(session, homeserver.url, account) for key, account in accounts.items()}
        if memory is None:
            bot_account = await homeserver.register(BOT, secrets.token_hex(16), BOT_NAME)
            rooms = await _make_rooms(people, bot_account.user_id)
            memory = Memory(password, rooms, bot_account)
            folder.remember(memory)
        bot = BotProcess(folder.bot, _form_port())
        watch = Watch({key: (people[room.people[0]], memory.rooms[key]) for key, room in ROOMS.items()})
        post = Post(folder.mail, watch.look_again)
        async with post.open():
            bot.configure(_config(homeserver.url, memory, bot, post))
            try:
                async with watch.following():
                    await bot.start()
                    bot_user = memory.bot.user_id
                    yield Stage(homeserver, bot, bot_user, people, memory.rooms, password, watch, post, kept)
            finally:
                await bot.stop()


async def _register(homeserver: Homeserver, password: str) -> dict[str, Account]:
    wanted = (homeserver.register(key, password, name) for key, name in PEOPLE.items())
    return dict(zip(PEOPLE, await asyncio.gather(*wanted), strict=True))


async def _make_rooms(people: dict[str, Person], bot_user: str) -> dict[str, str]:
    """Every room with its people in it and the bot invited; key → id."""

    async def make(key: str) -> str:
        host, *guests = (people[person] for person in ROOMS[key].people)
        invited = [bot_user, *(guest.user_id for guest in guests)]
        room = await host.create_room(f"Tickets {ROOMS[key].name}", f"tickets-{key}", invited, bot_user)
        for guest in guests:
            await guest.join(room)
        return room

    return dict(zip(ROOMS, await asyncio.gather(*map(make, ROOMS)), strict=True))


def _form_port() -> int:
    """The first free one from 8080 on."""
    return next((port for port in FORM_PORTS if free_port(port) == port), None) or free_port(0)


def _config(homeserver_url: str, memory: Memory, bot: BotProcess, post: Post) -> dict[str, Any]:
    """The bot's config, as an operator would write it."""
    teams = {key: {**team, "room": memory.rooms[key]} for key, team in TEAMS.items()}
    return {
        **SETTINGS,
        "matrix": {
            "homeserver": homeserver_url,
            "user": memory.bot.user_id,
            "access_token": memory.bot.access_token,
            "device_id": memory.bot.device_id,
        },
        "rooms": {"admin": memory.rooms["admin"], "triage": memory.rooms["triage"]},
        "teams": teams,
        "mail": post.settings(),
        "intake": {
            "port": bot.port,
            "public_url": bot.form_url,
            # The demo files more from one address than any visitor would.
            "form": {"per_address": 1000},
        },
    }
