"""The bot as an operator runs it: start, stop, faults of the homeserver and the database, `check`."""

import asyncio
import os
import signal
import socket
import sqlite3
import stat
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk, running_desk
from tests.people import Crowd
from tests.process import BotProcess, command_line

MISSED = 150
"""More commands than one answer to a sync brings."""


@pytest.fixture(scope="module")
async def own_homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Homeserver]:
    """A homeserver that may be stopped."""
    async with Homeserver(tmp_path_factory.mktemp("own-homeserver")) as server:
        yield server


@pytest.fixture
async def idle_desk(homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str) -> Desk:
    """A desk whose bot was never started."""
    return await make_desk(homeserver, people, tmp_path, sqlite_database)


async def test_sigterm_ends_it_within_five_seconds_while_requests_come_in(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str
) -> None:
    """Every request that was accepted before is a card after the next start, and none is twice."""
    async with running_desk(homeserver, people, tmp_path, sqlite_database) as own:
        accepted: list[int] = []
        enough = asyncio.Event()
        senders = [asyncio.create_task(_pour(own, accepted, enough)) for _ in range(3)]
        await enough.wait()
        began = time.monotonic()
        assert await own.bot.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < 5
        await asyncio.gather(*senders)
        assert '"event": "stopped"' in own.bot.log
        assert "Traceback" not in own.bot.log
        await own.bot.start()
        for number in accepted:
            await own.card(number)
        seen = await own.person("anna").sees(own.rooms["freiburg"])
        cards = [each.body.split()[1] for each in seen if own.is_card(each)]
        assert sorted(cards) == sorted(f"#{number}" for number in accepted)


async def _pour(desk: Desk, accepted: list[int], enough: asyncio.Event) -> None:
    """File requests until nobody listens any more."""
    with suppress(aiohttp.ClientError):
        while True:
            accepted.append(await desk.file())
            if len(accepted) >= 10:
                enough.set()


async def test_a_second_bot_on_the_same_database_refuses(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, database_url: str
) -> None:
    async with running_desk(homeserver, people, tmp_path, database_url) as own:
        config = yaml.safe_load((tmp_path / "config.yaml").read_text())
        config["intake"]["port"] = 0
        second = tmp_path / "second.yaml"
        second.touch(mode=0o600)
        second.write_text(yaml.safe_dump(config))
        code, out = await command_line(second, "run")
        assert code == 1
        who = f"pid {own.bot.pid} on {socket.gethostname()} since {datetime.now(UTC):%Y-%m-%d} "
        assert f"Another process runs on this database: {who}" in out
        assert "Traceback" not in out
        number = await own.file()
        await own.card(number)
        await own.bot.kill()
        another = BotProcess(second, tmp_path / "second.log")
        async with asyncio.timeout(15):
            await another.start()
        assert await another.stop() == 0


async def test_a_wrong_token_ends_it_with_a_clear_message(idle_desk: Desk) -> None:
    path = idle_desk.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["matrix"]["access_token"] = "syt_wrong"
    path.write_text(yaml.safe_dump(config))
    for code, out in await asyncio.gather(command_line(path, "run"), command_line(path, "check")):
        assert code == 1
        assert "refuses the login (M_UNKNOWN_TOKEN)" in out
        assert "matrix.user" in out
        assert "Traceback" not in out
        assert "syt_wrong" not in out


async def test_a_port_that_is_taken_is_told(idle_desk: Desk) -> None:
    """Also that of the metrics: whoever set it wants them."""
    path = idle_desk.folder / "config.yaml"
    settings = yaml.safe_load(path.read_text())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        path.write_text(yaml.safe_dump({**settings, "metrics": {"port": port}}))
        code, out = await command_line(path, "run")
    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in out
    assert "metrics.port" in out
    assert "Traceback" not in out


async def test_a_token_that_is_revoked_meanwhile_ends_it(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str
) -> None:
    async with running_desk(homeserver, people, tmp_path, sqlite_database) as own:
        headers = {"Authorization": f"Bearer {own.account.access_token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            answer = await session.post(f"{homeserver.url}/_matrix/client/v3/logout")
            assert answer.status == 200
        assert await own.bot.ended() == 1
        assert "refuses the login (M_UNKNOWN_TOKEN)" in own.bot.log
        assert "Traceback" not in own.bot.log


async def test_a_newer_schema_is_refused(idle_desk: Desk) -> None:
    path = idle_desk.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    code, out = await command_line(idle_desk.folder / "config.yaml", "run")
    assert code == 1
    assert "newer version (schema 9999)" in out
    assert "Traceback" not in out


async def test_the_intakes_port_is_taken(idle_desk: Desk) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", idle_desk.port)
    async with server:
        code, out = await command_line(idle_desk.folder / "config.yaml", "run")
    assert code == 1
    assert str(idle_desk.port) in out
    assert "Traceback" not in out


async def test_check_finds_what_is_wrong_and_says_what_to_do(idle_desk: Desk) -> None:
    config = idle_desk.folder / "config.yaml"
    await idle_desk.bot.start()
    await idle_desk.bot.stop()
    code, out = await command_line(config, "check")
    assert (code, out.count("✓"), out.count("✗")) == (0, 9, 0), out
    await idle_desk.person("carla").send_state(
        idle_desk.rooms["berlin"], "m.room.guest_access", {"guest_access": "can_join"}
    )
    await idle_desk.person("tim").kick(idle_desk.rooms["triage"], idle_desk.account.user_id)
    settings = yaml.safe_load(config.read_text())
    settings["rooms"]["admin"] = "#nowhere:localhost"
    config.write_text(yaml.safe_dump(settings))
    code, out = await command_line(config, "check")
    assert code == 1
    assert "✗ room admin (#nowhere:localhost): does not exist" in out
    assert (
        f"✗ room team:berlin ({idle_desk.rooms['berlin']}): guests can join\n  → Room settings, security"
        in out
    )
    assert f"✗ room triage ({idle_desk.rooms['triage']}): the bot is not in it\n  → Invite the bot" in out
    assert f"✓ room team:freiburg ({idle_desk.rooms['freiburg']})" in out


async def test_what_it_makes_is_its_own_users_alone(idle_desk: Desk) -> None:
    path = idle_desk.database_url.removeprefix("sqlite:///")
    os.unlink(path)  # noqa: PTH108 - a path of that kind may not be used here
    assert (await command_line(idle_desk.folder / "config.yaml", "migrate"))[0] == 0
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600  # noqa: PTH116


async def test_keys_are_made_listed_and_revoked(idle_desk: Desk) -> None:
    config = idle_desk.folder / "config.yaml"
    code, key = await command_line(config, "apikey", "create", "website")
    assert code == 0
    await idle_desk.bot.start()
    try:
        idle_desk.key = key.strip()
        await idle_desk.file()
        assert "website" in (await command_line(config, "apikey", "list"))[1]
        assert (await command_line(config, "apikey", "revoke", "website"))[0] == 0
        status, _ = await idle_desk.post("/api/tickets.json", {})
        assert status == 401
    finally:
        await idle_desk.bot.stop()
    assert key.strip() not in idle_desk.bot.log


async def test_health_and_intake_while_the_homeserver_is_away(
    own_homeserver: Homeserver, tmp_path: Path, sqlite_database: str
) -> None:
    """Requests are accepted; their cards come once it is back, and ten changes meanwhile are one edit."""
    async with (
        Crowd(own_homeserver) as crowd,
        running_desk(own_homeserver, crowd, tmp_path, sqlite_database) as own,
    ):
        assert await _asked(own, "/readyz") == (200, {"status": "ok"})
        await own_homeserver.stop()
        try:
            await own.bot.wait_for_log("sync_failed")
            numbers = [await own.file() for _ in range(5)]
            await own.bot.wait_for_log('"attempt": 3')
            ready, alive = await _asked(own, "/readyz"), await _asked(own, "/healthz")
        finally:
            await own_homeserver.start()
        reason = "the homeserver failed 3 times in a row"
        assert ready == (503, {"status": "failing", "problems": {"sync": reason}})
        assert alive == (200, {"status": "ok"}), "a new start would not help"
        for number in numbers:
            await own.card(number)
        assert len([each for number in numbers for each in await own.cards(number)]) == len(numbers)
        await own.done("anna", f"!take {numbers[0]}")
        assert (await _asked(own, "/readyz"))[0] == 200


async def test_started_while_the_homeserver_is_away_it_waits(
    own_homeserver: Homeserver, tmp_path: Path, sqlite_database: str
) -> None:
    async with Crowd(own_homeserver) as crowd:
        own = await make_desk(own_homeserver, crowd, tmp_path, sqlite_database)
        await own_homeserver.stop()
        try:
            await own.bot.start(until_ready=False)
            await own.bot.wait_for_log("homeserver_unavailable")
            number = await own.file()
            status, said = await _asked(own, "/readyz")
            assert status == 503
            assert said["problems"]["homeserver"] == "not logged in yet"
            assert said["problems"]["sync"] == "no sync yet"
        finally:
            await own_homeserver.start()
        try:
            await own.card(number)
            assert (await _asked(own, "/readyz"))[0] == 200
        finally:
            assert await own.bot.stop() == 0


async def test_what_was_said_while_it_was_down_is_done_in_order(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str
) -> None:
    """More than one sync brings: what a cut timeline left out is fetched, and comes first."""
    async with running_desk(homeserver, people, tmp_path, sqlite_database) as own:
        numbers = [await own.file() for _ in range(3)]
        await own.card(numbers[-1])
        await own.bot.stop()
        lines = [f"!close {number} reason {step}" for step in range(MISSED // 6) for number in numbers]
        commands = []
        for line in lines:
            commands.append(await own.say("anna", line))
            commands.append(await own.say("anna", line.replace("!close", "!reopen").partition(" reason")[0]))
        last = await own.say("anna", f"!close {numbers[0]} last")
        await own.bot.start()
        await own.card(numbers[0], "✅", "Reason: last", timeout=60)
        room = own.rooms["freiburg"]
        await own.person("anna").wait_for_reaction(room, last, "✅", own.account.user_id)
        seen = await own.person("anna").sees(room)
        assert [each.event_id for each in seen if each.event_id in commands and each.reactions] == commands
        history = await own.told("anna", f"!history {numbers[1]}")
        steps = [line for line in history.body.splitlines() if "reason" in line]
        assert steps == sorted(steps, key=lambda line: int(line.rstrip("”").rpartition(" ")[2]))


async def _asked(desk: Desk, path: str) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(desk.url + path) as answer:
        return answer.status, await answer.json()
