"""A whole help desk for the tests: rooms and people on the real homeserver, the bot as a real process."""

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from bot.demo.homeserver import Account, Homeserver
from tests.people import Crowd, Human, Shown

START_TIMEOUT: Final = 30.0
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


class BotProcess:
    """``python -m bot run`` as an operator starts it."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, *, until_ready: bool = True) -> None:
        """Start; wait until the first sync is done."""
        with self._log.open("ab") as log:
            mark = self._log.stat().st_size
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--config", str(self._config),
                stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        if until_ready:
            await self.wait_for_log('"event": "ready"', mark)

    async def wait_for_log(self, text: str, mark: int = 0, timeout: float = START_TIMEOUT) -> None:  # noqa: ASYNC109
        """Wait until the log says something; fails with the log if the process ends first."""
        async with asyncio.timeout(timeout):
            while text not in self._log.read_text()[mark:]:
                if self._process is None or self._process.returncode is not None:
                    raise AssertionError(f"the bot ended:\n{self.log[-4000:]}")
                await asyncio.sleep(0.02)

    @property
    def log(self) -> str:
        """All that it has logged, over all starts."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the return code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), 10)

    async def kill(self) -> None:
        """Kill -9."""
        await self.stop(signal.SIGKILL)


@dataclass
class Desk:
    """The charity's rooms: teams Freiburg and Berlin, triage, admins. Freiburg's Anna and Ben, Berlin's Carla,
    Tim in triage, Dora in the admin room, and Olga who belongs to nobody."""

    homeserver: Homeserver
    crowd: Crowd
    account: Account
    folder: Path
    database_url: str
    port: int
    key: str = ""
    people: dict[str, Human] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def bot(self) -> BotProcess:
        """The bot's process; made on first use."""
        if not hasattr(self, "_bot"):
            self._bot = BotProcess(self.folder / "config.yaml", self.folder / "bot.log")
        return self._bot

    def person(self, name: str) -> Human:
        """One of the people."""
        return self.people[name]

    @property
    def url(self) -> str:
        """Of the HTTP intake."""
        return f"http://127.0.0.1:{self.port}"

    def write_config(self) -> Path:
        """The config file, private as it holds the token."""
        config: dict[str, Any] = {
            "language": "en",
            "timezone": "Europe/Berlin",
            "database": self.database_url.replace("+aiosqlite", "").replace("+psycopg", ""),
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

    async def file(self, subject: str = "Laptop wanted", region: str = "freiburg", **fields: Any) -> int:  # noqa: ANN401
        """File a request over the API; its number."""
        body = {"name": "Kim Doe", "email": "kim@example.org", "subject": subject, "message": "Hello!"}
        status, text = await self.post("/api/tickets.json", {**body, "region": region, **fields})
        assert status == 201, (status, text)
        return int(text)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, str]:  # noqa: ANN401
        """POST to the intake with the key; status and text."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=data, headers={"X-API-Key": self.key, **headers}) as answer,
        ):
            return answer.status, await answer.text()

    async def card(self, number: int, room: str = "freiburg", viewer: str | None = None) -> Shown:
        """The ticket's card as a member of the room sees it, waiting for it to come."""
        who = self.people[viewer or {"freiburg": "anna", "berlin": "carla", "triage": "tim"}[room]]
        return await who.wait_to_see(self.rooms[room], lambda shown: self.is_card(shown, number))

    def is_card(self, shown: Shown, number: int) -> bool:
        """Whether a message is the card of that ticket."""
        first = shown.body.partition("\n")[0]
        return shown.sender == self.account.user_id and f" #{number} " in f"{first} " and " · " in first


async def make_desk(
    homeserver: Homeserver, crowd: Crowd, folder: Path, database_url: str, **extra: Any  # noqa: ANN401
) -> Desk:
    """Make accounts and rooms and write the config; the bot is not started yet."""
    name = f"bot-{secrets.token_hex(4)}"
    account = await homeserver.register(name, secrets.token_hex(8), "Tickettruhe")
    desk = Desk(homeserver, crowd, account, folder, database_url, free_port(), extra=extra)
    for person in ("anna", "ben", "carla", "tim", "dora", "olga"):
        desk.people[person] = await crowd(person, display_name=person.title())
    members = {
        "freiburg": ("anna", "ben"), "berlin": ("carla",), "triage": ("tim",), "admin": ("dora",),
    }  # fmt: skip
    for room, (owner, *others) in members.items():
        host = desk.people[owner]
        invited = [account.user_id, *(desk.people[other].user_id for other in others)]
        desk.rooms[room] = await host.create_room(f"{room} tickets", invite=invited)
        for other in others:
            await desk.people[other].join(desk.rooms[room])
    desk.write_config()
    desk.key = await _api_key(desk)
    return desk


async def _api_key(desk: Desk) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "apikey", "create", "tests", "--config",
        str(desk.folder / "config.yaml"), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), START_TIMEOUT)
    assert process.returncode == 0
    return out.decode().strip()


@asynccontextmanager
async def running_desk(
    homeserver: Homeserver, crowd: Crowd, folder: Path, database_url: str, **extra: Any  # noqa: ANN401
) -> AsyncIterator[Desk]:
    """A desk with its bot running."""
    desk = await make_desk(homeserver, crowd, folder, database_url, **extra)
    await desk.bot.start()
    try:
        yield desk
    finally:
        await desk.bot.stop()
