"""`init`, as an admin sees it: at a terminal, from a file, cut off and taken up, and what comes of it."""

import asyncio
import hashlib
import json
import os
import re
import secrets
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import trustme
import yaml
from aiohttp import web
from sqlalchemy import make_url
from yarl import URL

from bot.config import load
from bot.demo.homeserver import Account, Homeserver
from bot.matrix.transport import Transport
from bot.setup.account import Secret
from bot.setup.answers import DRAFT, Answers, Options
from bot.setup.errors import SetupStopped, Wrong
from bot.setup.setting_up import Request, Result, SetUp
from bot.setup.texts import Texts
from tests.desk import free_port
from tests.other_client import Clients, SecretHuman
from tests.people import Crowd, Human
from tests.process import BotProcess
from tests.typist import typist

PASSWORD = "correct horse"


@dataclass
class Site:
    """A homeserver with people and an account for a bot, and an empty folder."""

    homeserver: Homeserver
    bot: Account
    name: str
    people: dict[str, Human]
    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def config(self) -> Path:
        """The config that `init` writes."""
        return self.folder / "config.yaml"

    def local(self, name: str) -> str:
        """A person's name without the server."""
        return self.people[name].user_id[1:].partition(":")[0]

    def alias(self, key: str) -> str:
        """The address of one of this site's rooms."""
        return f"#{key}-{self.name}:localhost"

    def answers(self, **more: Any) -> Path:
        """An answers file for one team, with everything."""
        file = self.folder.parent / "answers.yaml"
        told = {
            "language": "en",
            "matrix": {"homeserver": self.homeserver.url, "user": self.name, "password": PASSWORD},
            "admins": [self.local("anna")],
            "rooms": {"admin": self.alias("admins"), "triage": self.alias("triage")},
            "teams": {"north": {"name": "North", "room": self.alias("north")}},
            "intake": {"port": self.port},
            "init": {"encrypted": False, "members": {"north": [self.local("ben")], "triage": []}},
            **more,
        }
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump(told))
        return file

    def set_up(self, *, terminal: "Silent | None" = None, **how: Any) -> Result | None:
        """A run in this process that asks nothing, up to the greeting."""
        request = Request(self.folder, {}, self.answers(), yes=True, **how)
        with asyncio.Runner() as runner:
            return SetUp(request, terminal or Silent(), Texts("en"), runner).run()

    async def devices(self) -> list[str]:
        """The bot's sessions, without the one by which the account was made."""
        answer = await self.as_bot("GET", "devices")
        return [each["device_id"] for each in answer["devices"] if each["device_id"] != self.bot.device_id]

    async def as_bot(self, method: str, path: str) -> Any:
        """Ask in the bot's name."""
        headers = {"Authorization": f"Bearer {self.bot.access_token}"}
        url = f"{self.homeserver.url}/_matrix/client/v3/{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers) as answer,
        ):
            return await answer.json()

    async def room(self, key: str) -> str:
        """Id of a room by its address."""
        address = self.alias(key).replace("#", "%23")
        return str((await self.as_bot("GET", f"directory/room/{address}"))["room_id"])

    async def state(self, room_id: str) -> dict[tuple[str, str], Any]:
        """A room's state: (type, key) → event."""
        events = await self.as_bot("GET", f"rooms/{room_id}/state")
        return {(each["type"], each["state_key"]): each for each in events}

    async def everything(self) -> str:
        """What must not change: all files and all that happened in the rooms."""
        files = {
            file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
            for file in sorted(self.folder.iterdir())
            if not file.name.startswith("tickettruhe.db")
        }
        rooms = sorted((await self.as_bot("GET", "joined_rooms"))["joined_rooms"])
        last = [(await self.as_bot("GET", f"rooms/{each}/messages?dir=b&limit=1"))["chunk"] for each in rooms]
        return json.dumps([files, rooms, [each[0]["event_id"] for each in last], await self.devices()])


class Silent:
    """Nobody at the terminal."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, line: str, mark: str = "") -> None:
        self.told.append(line)

    def explain(self, text: str) -> None:
        self.told.append(text)

    def screen(self, title: str, *lines: str) -> None:
        raise AssertionError(title)

    def ask(
        self, prompt: str, check: Callable[[str], Any], default: str = "", *, hidden: bool = False
    ) -> Any:
        raise AssertionError(prompt)

    def confirm(self, prompt: str, *, default: bool) -> bool:
        raise AssertionError(prompt)

    def decide(self, prompt: str, highest: int) -> bool | int:
        raise AssertionError(prompt)


async def make_site(homeserver: Homeserver, crowd: Crowd | Clients, folder: Path) -> Site:
    """A site with Anna and Ben."""
    name = f"desk{secrets.token_hex(3)}"
    bot = await homeserver.register(name, PASSWORD, "Tickettruhe")
    people = {each: await crowd(each) for each in ("anna", "ben")}
    return Site(homeserver, bot, name, people, folder / "bot")


@pytest.fixture
async def site(homeserver: Homeserver, people: Crowd, tmp_path: Path) -> Site:
    """With people at clients that do not encrypt."""
    return await make_site(homeserver, people, tmp_path)


def plain_environment() -> Mapping[str, str]:
    """A German's terminal."""
    return {"LANG": "de_DE.UTF-8", "LC_ALL": "", "LC_MESSAGES": "", "COLUMNS": "110"}


async def test_at_a_terminal_from_nothing_to_a_ticket(
    homeserver: Homeserver, secret_people: Clients, tmp_path: Path
) -> None:
    """Ctrl-C in the middle, wrong answers, a wrong password; then it works, in encrypted rooms."""
    site = await make_site(homeserver, secret_people, tmp_path)
    anna, ben = site.local("anna"), site.local("ben")
    command = ("init", "--folder", str(site.folder))
    async with typist(*command, environ=plain_environment(), folder=tmp_path) as person:
        await person.answers("de/en [de]:")
        await person.answers("Homeserver:", "@anna:127.0.0.1:1")
        await person.sees("antwortet nicht")
        await person.answers("Homeserver:", site.homeserver.url)
        await person.answers("Sein Name [tickettruhe]:", site.name)
        await person.answers("1 oder 2 [1]:")
        await person.answers("Passwort (wird nicht angezeigt):", "wrong")
        await person.sees("kennt diesen Namen mit diesem Passwort nicht")
        await person.answers("Passwort (wird nicht angezeigt):", PASSWORD)
        await person.answers("Admins:", f"{anna} nobody-{site.name}")
        await person.sees(f"Auf diesem Homeserver gibt es @nobody-{site.name}:localhost nicht.")
        await person.answers("Admins:", anna)
        await person.sees("Wie heißen eure Teams?")
        person.presses("\x03")
        assert await person.ended() == 1
        assert "Abgebrochen. Was beantwortet und getan ist, bleibt" in person.shown
        assert "wrong" not in person.shown
        assert PASSWORD not in person.shown
    assert not site.config.exists()
    assert oct((site.folder / "matrix-token").stat().st_mode)[-3:] == "600"
    async with typist(*command, environ=plain_environment(), folder=tmp_path) as person:
        await person.answers("Teams:", "Südbaden")
        await person.answers("Regionen [Südbaden]:", "Freiburg, Lörrach")
        await person.answers("Mitglieder:", ben)
        await person.answers("Mitglieder:")
        await person.answers("Themen [Spendenanfrage*, Gerätespende, Sonstiges]:")
        await person.answers("Zeitzone [Europe/Berlin]:", "Europe/Basle")
        await person.sees("Diese Zeitzone gibt es nicht. Meinst du")
        await person.answers("Zeitzone [Europe/Berlin]:")
        await person.answers("Tagesüberblick [08:00]:", "9:00")
        await person.answers("Mit dem Kontaktformular? (j/n) [j]:")
        await person.answers("Port [8080]:", str(site.port))
        await person.answers("Adresse:")
        await person.answers("Die Räume anlegen? (j/n) [j]:")
        await person.answers("Passt das so? (j/n) [j]:", "n")
        await person.answers("admin [#ticket-admins:localhost]:", site.alias("admins"))
        await person.answers("triage [#ticket-triage:localhost]:", site.alias("triage"))
        await person.answers("[#tickets-suedbaden:localhost]:", site.alias("south").partition(":")[0])
        await person.answers("Neue Räume verschlüsseln? (j/n) [j]:")
        await person.answers("(j/n/1–6) [j]:", "4")
        await person.answers("Zeitzone [Europe/Berlin]:")
        await person.answers("Tagesüberblick [08:00]:", "7:30")
        plan = await person.answers("noch einmal beantworten? (j/n/1–6) [j]:")
        assert "Team Südbaden: Freiburg, Lörrach" in plan
        assert "Tagesüberblick: 07:30" in plan
        assert f"Den verschlüsselten Raum Tickets: Südbaden anlegen: {site.alias('south')}" in plan
        told = await person.answers("Dann wird er hier entfernt. (j/n) [n]:", "j")
        assert re.search(r"    Es[A-Za-z0-9]{2}( [A-Za-z0-9]{4}){10,}", told), told
        assert await person.ended() == 0, person.shown
        assert "✓ der Bot funktioniert" in person.shown
        assert f"tickettruhe run --config {site.config}" in person.shown
    assert not (site.folder / DRAFT).exists()
    await check_what_was_made(site)
    await check_that_it_works(site)


async def check_what_was_made(site: Site) -> None:
    """The config reads well, the secret is private, the room is as it should be."""
    config = load(site.config, {})
    assert (config.language, config.digest.schedule) == ("de", "30 7 * * *")
    assert config.team_of_region("loerrach") == "suedbaden"
    text = site.config.read_text()
    assert "# Deleted tickets can be restored for so many days before they may be purged.\n" in text
    assert PASSWORD not in text
    token = site.folder / "matrix-token"
    assert (oct(token.stat().st_mode)[-3:], len(await site.devices())) == ("600", 1)
    state = await site.state(await site.room("south"))
    assert state["m.room.name", ""]["content"] == {"name": "Tickets: Südbaden"}
    assert "hilfe erklärt" in state["m.room.topic", ""]["content"]["topic"]
    assert state["m.room.encryption", ""]["content"] == {"algorithm": "m.megolm.v1.aes-sha2"}
    assert state["m.room.join_rules", ""]["content"]["join_rule"] == "invite"
    assert state["m.room.guest_access", ""]["content"] == {"guest_access": "forbidden"}
    assert state["m.room.history_visibility", ""]["content"] == {"history_visibility": "shared"}
    levels = state["m.room.power_levels", ""]["content"]
    assert levels["users"] == {site.people["anna"].user_id: 100, site.bot.user_id: 50}
    assert {name: levels[name] for name in ("redact", "kick", "ban", "invite", "state_default")} == {
        "redact": 50, "kick": 100, "ban": 100, "invite": 50, "state_default": 100,
    }  # fmt: skip
    for name in ("anna", "ben"):
        member = state["m.room.member", site.people[name].user_id]
        assert member["content"]["membership"] == "invite"


async def check_that_it_works(site: Site) -> None:
    """`run` with that config: a request over the form becomes a card; the greeting stands there once."""
    room = await site.room("south")
    ben = site.people["ben"]
    assert isinstance(ben, SecretHuman)
    process = BotProcess(site.config, site.folder / "bot.log")
    await process.start()
    try:
        await ben.join(room)
        await ben.wait_to_see(room, lambda shown: "👋" in shown.body, description="the greeting")
        form = f"http://127.0.0.1:{site.port}/"
        async with aiohttp.ClientSession() as session, session.get(form) as answer:
            assert "Lörrach" in await answer.text()
        await ben.say(room, "!neu Drucker gesucht")
        await ben.wait_to_see(
            room, lambda shown: "🟢 #1 · Drucker gesucht" in shown.body, description="the card"
        )
        greetings = [each for each in await ben.sees(room) if "👋" in each.body]
        assert [each.sender for each in greetings] == [site.bot.user_id]
    finally:
        assert await process.stop() == 0


NAME, OTHER = "127.0.0.2", "127.0.0.3"
"""Where the homeserver's name leads, and where it is: two addresses of this machine."""


@asynccontextmanager
async def over_https(homeserver: Homeserver, folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """The homeserver behind TLS, and a website that tells where: its name, and whom to trust."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(NAME, OTHER).configure_cert(context)
    authority.cert_pem.write_to_path(str(trusted := folder / "ca.pem"))
    port = free_port()

    async def website(_request: web.Request) -> web.Response:
        return web.json_response({"m.homeserver": {"base_url": f"https://{OTHER}:{port}/"}})

    async def passed_on(request: web.Request) -> web.Response:
        headers = {
            key: each for key, each in request.headers.items() if key in ("Authorization", "Content-Type")
        }
        url = f"{homeserver.url}{request.raw_path}"
        body = await request.read()
        async with client.request(
            request.method, URL(url, encoded=True), data=body, headers=headers
        ) as answer:
            return web.Response(
                status=answer.status, body=await answer.read(), content_type=answer.content_type
            )

    app = web.Application()
    app.router.add_get("/.well-known/matrix/client", website)
    app.router.add_route("*", "/_matrix/{rest:.*}", passed_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    async with aiohttp.ClientSession() as client:
        for host in (NAME, OTHER):
            await web.TCPSite(runner, host, port, ssl_context=context).start()
        try:
            yield f"{NAME}:{port}", trusted
        finally:
            await runner.cleanup()


@contextmanager
def password_needed(url: str) -> Iterator[tuple[str, str]]:
    """The database's address and password for a user who needs one, as over a network."""
    given = make_url(url)
    name, password = f"desk{secrets.token_hex(4)}", secrets.token_hex(12)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'".encode())
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {name}".encode())
        found = connection.execute("SELECT setting FROM pg_settings WHERE name = 'hba_file'").fetchone()
        assert found is not None
        rules = Path(found[0])
        before = rules.read_text()
        rules.write_text(f"local all {name} scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield f"postgresql://{name}@/{given.database}?host={given.query['host']}", password
        finally:
            rules.write_text(before)
            connection.execute("SELECT pg_reload_conf()")


async def test_from_a_file_over_https_with_postgresql_and_again(site: Site, postgres_database: str) -> None:
    """A second run changes nothing, and does not ask back who left. Secrets lie in private files."""
    folder = site.folder.parent
    async with over_https(site.homeserver, folder) as (name, trusted):
        with password_needed(postgres_database) as (database, password):
            matrix = {"homeserver": name, "user": site.bot.user_id, "password": PASSWORD}
            answers = site.answers(matrix=matrix, database=database, database_password="wrong")
            command = ("init", "--answers", str(answers), "--yes", "--folder", str(site.folder))
            code, out = await finished(*command)
            assert (code, "has a certificate that this machine does not trust" in out) == (1, True), out
            code, out = await finished(*command, SSL_CERT_FILE=str(trusted))
            assert (code, f"{database} does not answer. Is PostgreSQL running" in out) == (1, True), out
            assert (await site.as_bot("GET", "joined_rooms"))["joined_rooms"] == []
            site.answers(matrix=matrix, database=database, database_password=password)
            code, out = await finished(*command, SSL_CERT_FILE=str(trusted))
            assert (code, "✓ room team:north" in out) == (0, True), out
            assert PASSWORD not in out
            assert password not in out
            config = load(site.config, {})
            assert config.teams["north"].regions == ("north",)
            assert config.matrix.homeserver == f"https://{OTHER}:{name.partition(':')[2]}"
            assert password not in site.config.read_text()
            kept = site.folder / "database-password"
            assert (oct(kept.stat().st_mode)[-3:], kept.read_text()) == ("600", f"{password}\n")
            ben, room = site.people["ben"], await site.room("north")
            await ben.leave(room)
            before = await site.everything()
            code, out = await finished(*command, SSL_CERT_FILE=str(trusted))
            assert (code, "are as they should be." in out) == (0, True), out
            assert f"{ben.user_id} left or was removed; not invited again" in out
            assert await site.everything() == before
            assert not (site.folder / DRAFT).exists()


async def test_killed_at_any_moment_and_run_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is cut off after each request, when it was done and before its answer was seen."""

    class Cut(BaseException):
        pass

    done = 0
    limit = 1
    asked = Transport.ask

    async def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal done
        answer = await asked(self, *args, **kwargs)
        done += 1
        if done > limit:
            raise Cut
        return answer

    monkeypatch.setattr(Transport, "ask", ask)
    runs = 0
    result = None
    while result is None:
        done, runs = 0, runs + 1
        try:
            result = await asyncio.to_thread(site.set_up)
        except Cut:
            limit += 1
    assert runs > 5
    monkeypatch.undo()
    assert result.to_greet
    assert len(await site.devices()) == 1
    joined = (await site.as_bot("GET", "joined_rooms"))["joined_rooms"]
    assert sorted(joined) == sorted([await site.room(key) for key in ("admins", "triage", "north")])
    for key in ("admins", "triage", "north"):
        room = await site.room(key)
        state = await site.state(room)
        assert state["m.room.power_levels", ""]["content"]["users"][site.bot.user_id] == 50
        assert state["m.room.member", site.people["anna"].user_id]["content"]["membership"] == "invite"
        history = await site.as_bot("GET", f"rooms/{room}/messages?dir=b&limit=100")
        invited = [
            each["state_key"] for each in history["chunk"] if each["content"].get("membership") == "invite"
        ]
        assert len(invited) == len(set(invited)) == (2 if key == "north" else 1)
    before = await site.everything()
    await asyncio.to_thread(site.set_up)
    assert await site.everything() == before


async def test_killed_for_real(site: Site) -> None:
    """Kill -9 while it writes, makes rooms and starts the bot: the next run ends well."""
    command = ("init", "--answers", str(site.answers()), "--yes", "--folder", str(site.folder))
    for moment in ("logged in", f"({site.alias('triage')})", "starts for a moment"):
        await killed(moment, *command)
    code, out = await finished(*command)
    assert (code, len(await site.devices())) == (0, 1), out
    ben, room = site.people["ben"], await site.room("north")
    await ben.join(room)
    greetings = [each for each in await ben.sees(room) if "👋" in each.body]
    assert len(greetings) == 1


async def test_what_is_wrong_is_said(site: Site, tmp_path: Path) -> None:
    def stopped(**how: Any) -> str:
        with pytest.raises(SetupStopped) as caught:
            site.set_up(**how)
        return caught.value.told

    wrong = Secret("wrong", is_token=False)
    assert "does not know this name with this password" in await asyncio.to_thread(stopped, secret=wrong)
    no_token = Secret("syt_wrong", is_token=True)
    assert "does not accept this access token" in await asyncio.to_thread(stopped, secret=no_token)
    anna = site.people["anna"]
    other = Secret(anna.access_token, is_token=True)
    with pytest.raises(Wrong):
        await asyncio.to_thread(
            site.set_up, secret=other, flags=Answers({"matrix": {"user": site.bot.user_id}})
        )
    nobody = Answers({"admins": ["nobody-at-all"]})
    assert "There is no @nobody-at-all:localhost" in await asyncio.to_thread(stopped, flags=nobody)
    assert [each.name for each in site.folder.iterdir() if each.name == "config.yaml"] == []
    # A token that is over is replaced by a new login as the same device.
    (device,) = await site.devices()
    (site.folder / "matrix-token").write_text("syt_over\n")
    result = await asyncio.to_thread(site.set_up, flags=Answers({}, Options(create_rooms=False)))
    assert result is not None
    assert await site.devices() == [device]
    assert load(site.config, {}).matrix.device_id == device
    code, out = await finished("check", "--config", str(site.config))
    assert (code, out.count("does not exist")) == (1, 3), out


async def finished(*words: str, **environ: str) -> tuple[int, str]:
    """``python -m bot …`` to its end, without a terminal."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environ},
    )  # fmt: skip
    async with asyncio.timeout(90):
        out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def killed(moment: str, *words: str) -> None:
    """``python -m bot …``, killed as soon as it says something."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "bot", *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(90):
        async for line in process.stdout:
            if moment in line.decode():
                break
        else:
            raise AssertionError(f"ended before {moment!r}")
    process.kill()
    await process.wait()
