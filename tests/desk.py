"""A whole help desk for the tests: rooms and people on the real homeserver, the bot as a real process."""

import json
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from bot import wiring
from bot.config import Config, load
from bot.demo.homeserver import Account, Homeserver
from bot.services import apikeys
from bot.services.unit import Units
from storage import schema
from storage.database import Database
from tests.other_client import Clients
from tests.people import Crowd, Human
from tests.process import BotProcess
from tests.timeline import Shown

_CARD: Final = re.compile(r"(?:🟢|🔵|⏳|✅|🚫|📦) #(?P<number>\d+) · ")
TOPICS: Final = {
    "donation_request": {
        "name": {"de": "Spendenanfrage", "en": "Donation request"},
        "waitlist": True,
        "topic_id": 10,
    },
    "donation_offer": {"name": {"de": "Gerätespende", "en": "Donation offer"}, "topic_id": 11},
    "other": {"name": {"de": "Sonstiges", "en": "Other"}},
}


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Desk:
    """The charity's rooms: teams Freiburg and Berlin, triage, admins.

    Freiburg's Anna and Ben, Berlin's Carla, Tim in triage, Dora in the admin room, and Olga who belongs to
    nobody.
    """

    homeserver: Homeserver
    crowd: Crowd | Clients
    account: Account
    folder: Path
    database_url: str
    port: int
    key: str = ""
    password: str = ""
    """Of the bot's account, for a new login."""
    people: dict[str, Human] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    filed: set[str] = field(default_factory=set)
    """Requesters' words that were filed: none of them may be in the log."""
    program: Callable[[Path, Path], BotProcess] = BotProcess
    """Makes the bot's process from config and log."""

    @cached_property
    def bot(self) -> BotProcess:
        """The bot's process; made on first use."""
        return self.program(self.folder / "config.yaml", self.folder / "bot.log")

    def person(self, name: str) -> Human:
        """One of the people."""
        return self.people[name]

    @property
    def url(self) -> str:
        """Of the HTTP intake."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def config(self) -> Config:
        """The config as the bot reads it."""
        return load(self.folder / "config.yaml", {})

    def write_config(self) -> Path:
        """The config file, private as it holds the token."""
        config: dict[str, Any] = {
            "language": "en",
            "timezone": "Europe/Berlin",
            "database": self.database_url.replace("+psycopg", ""),
            "matrix": {
                "homeserver": self.homeserver.url,
                "user": self.account.user_id,
                "access_token": self.account.access_token,
            },
            "rooms": {"admin": self.rooms["admin"], "triage": self.rooms["triage"]},
            "teams": {
                "freiburg": {"name": "Freiburg", "room": self.rooms["freiburg"], "regions": ["freiburg"]},
                "berlin": {"name": "Berlin", "room": self.rooms["berlin"], "regions": ["berlin"]},
            },
            "regions": {"freiburg": "Freiburg", "berlin": "Berlin", "elsewhere": "Elsewhere"},
            "topics": TOPICS,
            "default_topic": "donation_request",
            "digest": {"schedule": "59 23 * * *"},
            "intake": {"listen": "127.0.0.1", "port": self.port, "form": {"per_address": 1000}},
        }
        for name, value in self.extra.items():
            known = config.get(name)
            config[name] = {**known, **value} if isinstance(known, dict) else value
        path = self.folder / "config.yaml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config, allow_unicode=True))
        return path

    async def file(self, subject: str = "Laptop wanted", region: str = "freiburg", **fields: Any) -> int:
        """File a request over the API, from somebody new unless said otherwise; its number."""
        email = f"kim-{secrets.token_hex(4)}@example.org"
        body = {"name": "Kim Doe", "email": email, "subject": subject, "message": "Hello!"}
        wanted = {**body, "region": region, **fields}
        self.filed |= {str(wanted[name]) for name in ("name", "email", "subject", "message")}
        status, text = await self.post("/api/tickets.json", wanted)
        assert status == 201, (status, text)
        return int(text)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, str]:
        """POST to the intake with the key; status and text."""
        data = BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=data, headers={"X-API-Key": self.key, **headers}) as answer,
        ):
            return answer.status, await answer.text()

    # Commands and what comes of them

    async def say(self, name: str, text: str, room: str = "freiburg", **how: Any) -> str:
        """One of the people says something in a room (its key or id); the event's id."""
        return await self.people[name].say(self.room(room), text, **how)

    async def done(self, name: str, text: str, room: str = "freiburg", **how: Any) -> str:
        """Give a command and wait for its ✅; the command's event id."""
        event_id = await self.say(name, text, room, **how)
        await self.people[name].wait_for_reaction(self.room(room), event_id, "✅", self.account.user_id)
        return event_id

    async def confirmed(self, name: str, text: str, room: str = "freiburg") -> Shown:
        """Give a command that asks first, tap ✅ on the question, wait for the ✅; the question."""
        event_id = await self.say(name, text, room)
        person, where = self.people[name], self.room(room)
        question = await person.wait_for_notice_reply(where, event_id)
        await person.react(where, question.event_id, "✅")
        await person.wait_for_reaction(where, event_id, "✅", self.account.user_id)
        return question

    async def tap(self, name: str, number: int, key: str, room: str = "freiburg") -> str:
        """Tap a reaction on a ticket's card; the tap's event id."""
        card = await self.card(number, room=room)
        return await self.people[name].react(self.rooms[room], card.event_id, key)

    async def offers(
        self,
        number: int,
        keys: str,
        room: str = "freiburg",
        timeout: float = 10,  # noqa: ASYNC109 - a test says how long it waits
    ) -> Shown:
        """The ticket's card, once it offers exactly these reactions of the bot."""
        return await self.viewer(room).wait_to_see(
            self.rooms[room],
            lambda shown: (
                self.is_card(shown, number)
                and {key for key, who in shown.reactions.items() if self.account.user_id in who}
                == set(keys.split())
            ),
            timeout=timeout,
            description=f"the card of #{number} offering {keys}",
        )

    async def told(self, name: str, text: str, room: str = "freiburg", **how: Any) -> Shown:
        """Give a command and wait for the notice that answers it."""
        event_id = await self.say(name, text, room, **how)
        return await self.people[name].wait_for_notice_reply(self.room(room), event_id)

    async def until_joined(self, name: str, room: str) -> None:
        """Wait until the bot has joined a room that one of the people is in."""
        await self._until_membership(name, room, "join")

    async def until_left(self, name: str, room: str) -> None:
        """Wait until the bot has left a room, or declined its invitation."""
        await self._until_membership(name, room, "leave")

    async def _until_membership(self, name: str, room: str, wanted: str) -> None:
        await self.people[name].wait_for(
            self.room(room),
            lambda event: (
                event.type == "m.room.member"
                and event.state_key == self.account.user_id
                and event.content.get("membership") == wanted
            ),
            timeout=20,
            description=f"{wanted} of the bot",
        )

    # Looking

    def room(self, name: str) -> str:
        """A room's id by its key; an id stays as it is."""
        return self.rooms.get(name, name)

    def viewer(self, room: str) -> Human:
        """Somebody who can look into a configured room."""
        return self.people[{"freiburg": "anna", "berlin": "carla", "triage": "tim", "admin": "dora"}[room]]

    async def card(
        self,
        number: int,
        *words: str,
        room: str = "freiburg",
        timeout: float = 10,  # noqa: ASYNC109 - a test says how long it waits
    ) -> Shown:
        """The ticket's card as a member of the room sees it, once it is there and says all of the words."""
        return await self.viewer(room).wait_to_see(
            self.rooms[room],
            lambda shown: self.is_card(shown, number) and all(word in shown.body for word in words),
            timeout=timeout,
            description=f"the card of #{number} with {words}",
        )

    async def cards(self, number: int, room: str = "freiburg") -> list[Shown]:
        """All cards of the ticket that stand in the room now."""
        return [seen for seen in await self.viewer(room).sees(self.rooms[room]) if self.is_card(seen, number)]

    async def hears(self, room: str, *words: str, **wanted: Any) -> Shown:
        """What the bot says in a room of its own accord with these words, once it is there."""
        return await self.viewer(room).wait_to_see(
            self.rooms[room],
            lambda seen: (
                self.is_from_bot(seen)
                and all(word in seen.body for word in words)
                and all(getattr(seen, name) == value for name, value in wanted.items())
            ),
            description=f"the bot saying {words} {wanted or ''}",
        )

    def is_from_bot(self, shown: Shown) -> bool:
        """Whether the bot said it."""
        return shown.sender == self.account.user_id

    def is_card(self, shown: Shown, number: int | None = None) -> bool:
        """Whether a message is the card of that, or of any, ticket that is not hidden."""
        head = _CARD.match(shown.body) if self.is_from_bot(shown) and shown.msgtype == "m.text" else None
        return head is not None and number in (None, int(head["number"]))


async def make_desk(
    homeserver: Homeserver, crowd: Crowd | Clients, folder: Path, database_url: str, **extra: Any
) -> Desk:
    """Make accounts and rooms and write the config; the bot is not started yet.

    With clients that can encrypt all rooms are encrypted.
    """
    name = f"bot-{secrets.token_hex(4)}"
    password = secrets.token_hex(8)
    account = await homeserver.register(name, password, "Tickettruhe")
    desk = Desk(homeserver, crowd, account, folder, database_url, free_port(), password=password, extra=extra)
    for person in ("anna", "ben", "carla", "tim", "dora", "olga"):
        desk.people[person] = await crowd(person, display_name=person.title())
    members = {
        "freiburg": ("anna", "ben"), "berlin": ("carla",), "triage": ("tim",), "admin": ("dora",),
    }  # fmt: skip
    for room, (owner, *others) in members.items():
        host = desk.people[owner]
        invited = [account.user_id, *(desk.people[other].user_id for other in others)]
        users = {account.user_id: 50}
        desk.rooms[room] = await host.create_room(
            f"{room} tickets",
            invite=invited,
            power_level_content_override={"users": users},
            encrypted=isinstance(crowd, Clients),
        )
        for other in others:
            await desk.people[other].join(desk.rooms[room])
    desk.write_config()
    desk.key = await api_key(desk)
    return desk


async def api_key(desk: Desk) -> str:
    """As ``apikey create`` makes one, but in this process: a test that wants many desks starts sooner."""
    database = Database(desk.database_url)
    try:
        await schema.ensure(database)
        units = Units(database, wiring.policy(desk.config))
        return await units.run(lambda unit: apikeys.create(unit, "tests", ()))
    finally:
        await database.close()


@asynccontextmanager
async def running_desk(
    homeserver: Homeserver, crowd: Crowd | Clients, folder: Path, database_url: str, **extra: Any
) -> AsyncIterator[Desk]:
    """A desk with its bot running."""
    desk = await make_desk(homeserver, crowd, folder, database_url, **extra)
    try:
        await desk.bot.start()
        yield desk
    finally:
        await desk.bot.stop()
