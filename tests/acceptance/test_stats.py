"""`stats`: a picture that says in words what it shows, or the numbers as text; of the room's teams only."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from PIL import Image

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk
from tests.people import Crowd
from tests.timeline import Event


async def answer(desk: Desk, name: str, command: str, room: str = "freiburg", **how: Any) -> Event:
    """The event by which the bot answers a command. Drawing takes its time."""
    event_id = await desk.say(name, command, room, **how)
    return await answer_to(desk, name, event_id, room)


async def answer_to(desk: Desk, name: str, event_id: str, room: str = "freiburg") -> Event:
    """The bot's answer to an event."""
    return await desk.person(name).wait_for(
        desk.room(room),
        lambda event: event.sender == desk.account.user_id and event.in_reply_to == event_id,
        timeout=45,
        description=f"an answer to {event_id}",
    )


async def test_a_member_gets_a_picture_with_its_description(desk: Desk) -> None:
    waiting, closed = await desk.file(), await desk.file()
    await desk.done("anna", f"!wait {waiting}")
    await desk.done("anna", f"!close {closed}")

    content = (await answer(desk, "anna", "!statistik")).content

    assert (content["msgtype"], content["filename"], content["m.mentions"]) == ("m.image", "stats.png", {})
    info = content["info"]
    media_type, png = await desk.person("anna").download(content["url"])
    assert (media_type, info["mimetype"], info["size"]) == ("image/png", "image/png", len(png))
    with Image.open(BytesIO(png)) as image:
        assert (image.format, image.size) == ("PNG", (info["w"], info["h"]))
    assert info["w"] == 1080
    for words in (
        "Freiburg · 12 weeks",
        " new, ",
        " in progress.",
        " waiting, none over 3 months",
        "!stats --text",
    ):
        assert words in content["body"]
    assert "Berlin" not in content["body"]
    told = await desk.told("anna", "!stats --text")
    # The same numbers: all but the series and the hint stand in the text as well.
    same = content["body"].splitlines()[:5]
    assert told.body.splitlines()[:5] == same
    assert told.body.count(" (this week so far) · ") == 1


async def test_it_comes_into_the_thread_of_its_command(desk: Desk) -> None:
    number = await desk.file(region="berlin")
    card = await desk.card(number, room="berlin")
    event_id = await desk.say("carla", "!stats", "berlin", thread=card.event_id)
    shown = await answer_to(desk, "carla", event_id, "berlin")
    assert (shown.content["msgtype"], shown.related) == ("m.image", card.event_id)
    assert shown.content["body"].startswith("Berlin · ")


async def test_admins_get_all_teams(desk: Desk) -> None:
    await desk.file(region="berlin")
    await desk.file(region="elsewhere")
    content = (await answer(desk, "dora", "!stats", "admin")).content
    assert content["msgtype"] == "m.image"
    assert content["body"].startswith("All teams · ")
    for team in ("Freiburg", "Berlin", "Triage"):
        assert f"• {team}: " in content["body"]
    told = await desk.told("dora", "!stats --text", "admin")
    for team in ("Freiburg", "Berlin", "Triage"):
        assert f"\n{team}\n" in told.body


@asynccontextmanager
async def without_files(homeserver: Homeserver) -> AsyncIterator[str]:
    """The homeserver behind a proxy that takes no files; its URL."""

    async def forward(request: web.Request) -> web.Response:
        if request.path.endswith("/upload"):
            return web.json_response({"errcode": "M_TOO_LARGE", "error": "no files here"}, status=413)
        kept = {
            name: request.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in request.headers
        }
        async with session.request(
            request.method, homeserver.url + request.raw_path, data=await request.read(), headers=kept
        ) as answer:
            headers = CIMultiDict({"Content-Type": answer.headers.get("Content-Type", "application/json")})
            return web.Response(status=answer.status, body=await answer.read(), headers=headers)

    app = web.Application(client_max_size=10**8)
    app.router.add_route("*", "/{path:.*}", forward)
    async with ClientSession(auto_decompress=True) as session, TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_where_no_files_are_taken_the_numbers_come_as_text(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str
) -> None:
    async with without_files(homeserver) as url:
        desk = await make_desk(homeserver, people, tmp_path, sqlite_database, matrix={"homeserver": url})
        await desk.bot.start()
        try:
            await desk.file()
            content = (await answer(desk, "anna", "!stats")).content
        finally:
            await desk.bot.stop()
    assert (content["msgtype"], "url" in content) == ("m.notice", False)
    assert "1 new, 0 closed" in content["body"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_bot_that_ends_while_it_draws_leaves_no_process_and_answers_once_after(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str, how: signal.Signals
) -> None:
    desk = await make_desk(homeserver, people, tmp_path, sqlite_database)
    await desk.bot.start()
    try:
        await desk.file()
        event_id = await desk.say("anna", "!stats")
        drawing = await _drawing(desk.bot.pid)
        await desk.bot.stop(how)
        async with asyncio.timeout(30):
            await asyncio.to_thread(drawing.wait)
        await desk.bot.start()
        await answer_to(desk, "anna", event_id)
        await desk.told("anna", "!help")
        events = await desk.person("anna").timeline(desk.rooms["freiburg"])
        assert [each.content["msgtype"] for each in events if each.in_reply_to == event_id] == ["m.image"]
    finally:
        await desk.bot.stop()


async def _drawing(pid: int) -> psutil.Process:
    """The process that draws for the bot, once there is one."""
    bot = psutil.Process(pid)
    for _ in range(2000):
        for child in bot.children():
            if "bot.charts" in child.cmdline():
                return child
        await asyncio.sleep(0.01)
    raise AssertionError("nothing is drawn")
