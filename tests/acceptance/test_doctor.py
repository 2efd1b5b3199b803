"""`doctor` against the real homeserver: what is broken is seen, and well once its advice was followed."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.demo.homeserver import Homeserver
from bot.doctor import Level, check, doctor
from bot.doctor.intake import examine_keys
from bot.services.unit import utc_now
from tests.desk import Desk, free_port, make_desk
from tests.people import Crowd
from tests.process import command_line

BAD, POOR, GOOD = Level.BAD, Level.POOR, Level.GOOD


class Found(NamedTuple):
    """What was said of one thing."""

    level: Level
    detail: str
    hint: str


@pytest.fixture(scope="module")
async def own(homeserver: Homeserver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """A desk of these tests' own; its bot has run once and is stopped."""
    folder = tmp_path_factory.mktemp("doctor")
    async with Crowd(homeserver) as crowd:
        desk = await make_desk(homeserver, crowd, folder, f"sqlite:///{folder / 'tickettruhe.db'}")
        await desk.bot.start()
        try:
            yield desk
        finally:
            await desk.bot.stop()


async def found(desk: Desk, **later: float) -> dict[str, Found]:
    """What is told of each thing."""
    told = {}
    async for each in doctor(desk.config, lambda: utc_now() + timedelta(**later)):
        told[each.what] = Found(each.level, each.detail, each.hint)
    return told


def change(desk: Desk, section: str, **values: Any) -> None:
    """Change a section of the config."""
    path = desk.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config[section] = {**config.get(section, {}), **values}
    path.write_text(yaml.safe_dump({key: value for key, value in config.items() if value is not None}))


async def test_a_desk_that_runs_is_well_and_is_not_disturbed(own: Desk) -> None:
    await own.bot.wait_for_log("cross_signing_keys_stored")
    code, out = await command_line(own.folder / "config.yaml", "doctor", "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert (code, [each["what"] for each in told if each["level"] != "good"]) == (0, ["cross-signing"]), out
    assert {each["what"].partition(" ")[0] for each in told} == {
        "database", "disk", "writing", "integrity", "bot", "sync", "commands", "sending", "homeserver",
        "clock", "login", "cross-signing", "room", "rate", "intake", "form", "API", "keys", "time",
        "mail",
    }  # fmt: skip
    details = {each["what"]: each["detail"] for each in told}
    assert details[f"intake 127.0.0.1:{own.port}"] == "the bot answers and is well"
    room = details[f"room team:freiburg ({own.rooms['freiburg']})"]
    assert room == f"{own.rooms['freiburg']}, 2 members, the bot has level 50"
    assert details["cross-signing"].endswith("is signed; nobody has taken the recovery key")
    assert own.account.access_token not in out
    number = await own.file()
    await own.card(number)


async def test_a_bot_with_a_password_goes_on_running_while_it_is_looked_at(
    homeserver: Homeserver, people: Crowd, tmp_path: Any, sqlite_database: str
) -> None:
    """To log in as its device would end its login."""
    desk = await make_desk(homeserver, people, tmp_path, sqlite_database)
    change(desk, "matrix", password=desk.password)
    path = desk.folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    del config["matrix"]["access_token"]
    path.write_text(yaml.safe_dump(config))
    await desk.bot.start()
    await desk.bot.wait_for_log("device_signed")
    try:
        for look in (check, doctor):
            told = {each.what: each async for each in look(desk.config)}
            assert "is signed" in told.pop("cross-signing").detail
            assert {each.level for each in told.values()} == {GOOD}
        number = await desk.file()
        await desk.card(number)
        await desk.done("anna", f"!take {number}")
    finally:
        assert await desk.bot.stop() == 0


async def test_what_is_wrong_in_a_room(own: Desk) -> None:
    anna, room = own.person("anna"), own.rooms["freiburg"]
    what = f"room team:freiburg ({room})"
    wrong: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
        ("m.room.join_rules", {"join_rule": "public"}, {"join_rule": "invite"}, "anyone can join",
         "let only invited"),
        ("m.room.history_visibility", {"history_visibility": "world_readable"},
         {"history_visibility": "shared"}, "anyone can read it", "do not let anyone read"),
        ("m.room.guest_access", {"guest_access": "can_join"}, {"guest_access": "forbidden"},
         "guests can join", "do not let guests join"),
    ]  # fmt: skip
    for kind, broken, mended, detail, hint in wrong:
        await anna.send_state(room, kind, broken)
        told = (await found(own))[what]
        assert (told.level, detail in told.detail, hint in told.hint) == (BAD, True, True), told
        await anna.send_state(room, kind, mended)
    assert (await found(own))[what].level is GOOD


async def test_what_the_bot_may_not_do_in_a_room(own: Desk) -> None:
    anna, room, bot = own.person("anna"), own.rooms["freiburg"], own.account.user_id
    what = f"room team:freiburg ({room})"
    levels = await anna.call("GET", "rooms", room, "state", "m.room.power_levels", "")
    await anna.send_state(room, "m.room.power_levels", {**levels, "events_default": 60})
    told = (await found(own))[what]
    assert (told.level, "may not send messages (needs level 60)" in told.detail) == (BAD, True)
    assert f"give {bot} the level 60" in told.hint
    users = {**levels["users"], bot: 60}
    await anna.send_state(room, "m.room.power_levels", {**levels, "users": users, "redact": 70})
    told = (await found(own))[what]
    assert (told.level, "may not remove what others sent" in told.detail) == (POOR, True)
    assert f"give {bot} the level 70" in told.hint
    await anna.send_state(room, "m.room.power_levels", levels)
    assert (await found(own))[what].hint == ""


async def test_rooms_that_cannot_be_used(own: Desk) -> None:
    tim, carla, bot = own.person("tim"), own.person("carla"), own.account.user_id
    triage, berlin = f"room triage ({own.rooms['triage']})", f"room team:berlin ({own.rooms['berlin']})"
    await tim.kick(own.rooms["triage"], bot)
    await carla.send_state(own.rooms["berlin"], "m.room.guest_access", {"guest_access": "can_join"})
    told = await found(own)
    assert told[triage][:2] == (BAD, "the bot is not in it")
    assert "Invite the bot into the room. `run` accepts" in told[triage].hint
    assert told[berlin][:2] == (BAD, "guests can join")
    assert "do not let guests join" in told[berlin].hint
    await tim.invite(own.rooms["triage"], bot)
    await own.until_joined("tim", own.rooms["triage"])
    # A bot that does not know of the room yet would decline the invitation.
    await own.bot.stop()
    own.rooms["berlin"] = await carla.create_room(
        "new", invite=[bot], power_level_content_override={"users": {bot: 50}}, room_version="12"
    )
    own.write_config()
    await own.bot.start()
    await own.until_joined("carla", own.rooms["berlin"])
    told = await found(own)
    berlin = f"room team:berlin ({own.rooms['berlin']})"
    assert (told[triage].level, told[berlin].level) == (GOOD, GOOD), told
    assert told[berlin].detail.endswith(", 1 member, the bot has level 50")


async def test_a_login_or_a_homeserver_that_is_wrong(own: Desk) -> None:
    change(own, "matrix", access_token="syt_wrong")
    told = await found(own)
    assert (told["login"].level, "M_UNKNOWN_TOKEN" in told["login"].detail) == (BAD, True)
    assert "Check `matrix.user`" in told["login"].hint
    what = f"homeserver http://127.0.0.1:{(port := free_port())}"
    change(own, "matrix", homeserver=f"http://127.0.0.1:{port}")
    told = await found(own)
    assert (told[what].level, "does not answer" in told[what].detail, "login" in told) == (BAD, True, False)
    own.write_config()
    assert (await found(own))["login"].level is GOOD


async def test_an_address_that_is_no_homeserver(own: Desk) -> None:
    async with TestServer(web.Application(), host="127.0.0.1") as server:
        port = server.port
        change(own, "matrix", homeserver=f"http://127.0.0.1:{port}")
        told = await found(own)
        own.write_config()
    assert told[f"homeserver http://127.0.0.1:{port}"][:2] == (BAD, "does not speak Matrix")


async def test_a_clock_that_is_wrong(own: Desk) -> None:
    what = "clock (homeserver)"
    told = await found(own, seconds=20)
    assert (told[what].level, "timedatectl" in told[what].hint) == (POOR, True)
    told = await found(own, hours=1)
    assert (
        (told[what].level, told[what].detail[:2]) == (BAD, "36")
        if told[what].detail[:1] == "3"
        else (BAD, "35")
    )
    assert (await found(own))[what][:2] == (GOOD, "as here")


async def test_the_intakes_address(own: Desk) -> None:
    what = f"intake 127.0.0.1:{own.port}"
    assert await own.bot.stop() == 0
    told = await found(own)
    assert told[what][:2] == (GOOD, "free")
    assert told["bot"].level is POOR
    assert "`tickettruhe run`" in told["bot"].hint
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", own.port)
    async with server:
        told = await found(own)
        assert (told[what].level, "ss -ltnp" in told[what].hint) == (BAD, True)
        code, out = await command_line(own.folder / "config.yaml", "doctor")
        assert code == 1
        assert f"✗ {what}: cannot be had" in out
        assert "! bot: does not run; last started on " in out
        assert "\n  → Start it: `tickettruhe run`" in out
    await own.bot.start()
    change(own, "intake", port=free_port())
    told = await found(own)
    (moved,) = [each for name, each in told.items() if name.startswith("intake")]
    assert (moved.level, "the config that it was started with" in moved.hint) == (BAD, True)
    async with TestServer(web.Application(), host="127.0.0.1") as other:
        change(own, "intake", port=other.port)
        told = await found(own)
        (moved,) = [each for name, each in told.items() if name.startswith("intake")]
        assert moved[:2] == (BAD, "something else answers")
        change(own, "intake", port=own.port, public_url=f"http://127.0.0.1:{other.port}")
        told = await found(own)
        public = told[f"form http://127.0.0.1:{other.port}"]
        assert (public.level, "does the web server before it" in public.hint.lower()) == (BAD, True)
    change(own, "intake", public_url=own.url)
    assert (await found(own))[f"form {own.url}"].level is GOOD
    own.write_config()


def test_keys() -> None:
    assert examine_keys(1).detail == "1 valid"
    assert "apikey create" in examine_keys(0).hint
