"""A message that shows a file: uploaded once, sent once, and told in words where there is no file."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.matrix.client import Login, MatrixClient
from bot.matrix.courier import Courier
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.errors import MatrixError, RateLimited, Refused, Unreachable
from bot.matrix.media import Uploader
from bot.services import answers, delivery
from bot.services.answers import Spot
from bot.services.jobs import Send
from bot.services.media import File, Media, NoFile
from tests.integration.desk_data import ANNA, BOT, FREIBURG, Desk, desk_on

JSON = dict[str, Any]
PNG = b"\x89PNG picture"
WORDS = {"msgtype": "m.notice", "body": "three new", "m.mentions": {}}
SHOWN = {"msgtype": "m.image", "body": "three new", "filename": "stats.png", "m.mentions": {}}
REPLY = {"m.in_reply_to": {"event_id": "$command"}}


@dataclass
class Site:
    """A homeserver that keeps what it gets, and answers as the test says."""

    uploads: list[tuple[str, str, bytes]] = field(default_factory=list)
    sent: list[JSON] = field(default_factory=list)
    upload: tuple[int, JSON] = (200, {"content_uri": "mxc://localhost/one"})
    send: tuple[int, JSON] = (200, {"event_id": "$sent"})
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_sent(self, count: int) -> None:
        """Wait until so many messages have come."""
        while len(self.sent) < count:
            self.news.clear()
            await self.news.wait()

    async def handle(self, request: web.Request) -> web.Response:
        """One request."""
        if request.path.endswith("/whoami"):
            return web.json_response({"user_id": BOT, "device_id": "DEVICE"})
        if request.path == "/_matrix/media/v3/upload":
            self.uploads.append((request.content_type, request.query["filename"], await request.read()))
            return web.json_response(self.upload[1], status=self.upload[0])
        assert "/send/m.room.message/" in request.path
        self.sent.append(json.loads(await request.read()))
        self.news.set()
        return web.json_response(self.send[1], status=self.send[0])


@dataclass
class Files:
    """Makes the file that is asked for."""

    asked: list[Mapping[str, Any]] = field(default_factory=list)
    answer: Callable[[], File] = lambda: File(PNG, "stats.png", "image/png", 1080, 1567)

    async def fetch(self, source: Mapping[str, Any]) -> File:
        """The file of a source."""
        self.asked.append(source)
        return self.answer()


@dataclass
class Post:
    """A desk whose courier brings things to a small homeserver."""

    desk: Desk
    site: Site
    files: Files
    courier: Courier

    async def ask(self) -> None:
        """A command that is answered by a picture."""
        spot = Spot(FREIBURG, "$command")
        media = Media(SHOWN, {"what": "picture", "picture": {"n": 3}})
        await self.desk.units.run(
            lambda unit: answers.answer(unit, spot, WORDS, (), person=ANNA, media=media)
        )

    async def job(self) -> Send:
        """What is to be sent now."""
        (job,) = await self.desk.claim()
        assert isinstance(job, Send)
        return job

    async def deliver(self) -> list[JSON]:
        """One round of the courier; what the homeserver has got."""
        for job in (await self.desk.units.run(lambda unit: delivery.claim(unit, (), 8))).jobs:
            await self.courier._deliver(job)
        return self.site.sent


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    async with desk_on(database_url) as desk, post_at(desk) as post:
        yield post


@asynccontextmanager
async def post_at(desk: Desk) -> AsyncIterator[Post]:
    """With a homeserver of its own."""
    site, files = Site(), Files()
    app = web.Application(client_max_size=10**7)
    app.router.add_route("*", "/{path:.*}", site.handle)
    async with TestServer(app) as server:
        client = MatrixClient(Login(str(server.make_url("")).rstrip("/"), BOT, access_token="t"))
        try:
            await client.start()
            machine = await Machine.started(client, desk.units, Sealer("secret"))
            uploader = Uploader(client, machine, desk.units, files.fetch)
            yield Post(desk, site, files, Courier(client, machine, desk.units, lambda _send: {}, uploader))
        finally:
            await client.close()


async def test_the_file_is_uploaded_and_the_message_shows_it(post: Post) -> None:
    await post.ask()
    (sent,) = await post.deliver()
    assert post.site.uploads == [("image/png", "stats.png", PNG)]
    assert post.files.asked == [{"what": "picture", "picture": {"n": 3}}]
    assert sent["url"] == "mxc://localhost/one"
    assert sent["info"] == {"mimetype": "image/png", "size": len(PNG), "w": 1080, "h": 1567}
    assert {name: sent[name] for name in SHOWN} == SHOWN
    assert sent["m.relates_to"] == REPLY
    assert [row.state for row in await post.desk.outbox()] == ["sent"]


@pytest.mark.parametrize(
    "answer", [(413, {"errcode": "M_TOO_LARGE"}), (413, {}), (403, {"errcode": "M_FORBIDDEN"})]
)
async def test_a_refused_upload_is_told_in_words(post: Post, answer: tuple[int, JSON]) -> None:
    post.site.upload = answer
    await post.ask()
    (sent,) = await post.deliver()
    assert {name: sent[name] for name in WORDS} == WORDS
    assert sent["m.relates_to"] == REPLY
    assert [row.state for row in await post.desk.outbox()] == ["sent"]


async def test_without_a_file_it_is_told_in_words(post: Post) -> None:
    def gone() -> File:
        raise NoFile("gone")

    post.files.answer = gone
    await post.ask()
    (sent,) = await post.deliver()
    assert sent["msgtype"] == "m.notice"
    assert post.site.uploads == []


@pytest.mark.parametrize("answer", [(502, {}), (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1})])
async def test_an_upload_that_fails_for_now_is_tried_again(post: Post, answer: tuple[int, JSON]) -> None:
    working, post.site.upload = post.site.upload, answer
    await post.ask()
    assert await post.deliver() == []
    post.site.upload = working
    post.desk.clock.advance(minutes=5)
    (sent,) = await post.deliver()
    assert sent["msgtype"] == "m.image"


async def test_only_the_place_for_files_is_away_for_long(post: Post) -> None:
    post.site.upload = (502, {})
    await post.ask()
    for _ in range(10):
        if await post.deliver():
            break
        post.desk.clock.advance(minutes=5)
    assert [sent["msgtype"] for sent in post.site.sent] == ["m.notice"]
    assert len(post.site.uploads) == 4


async def test_what_is_uploaded_is_not_uploaded_again(post: Post) -> None:
    working, post.site.send = post.site.send, (502, {})
    await post.ask()
    (first,) = await post.deliver()
    post.desk.clock.advance(minutes=5)
    tx_id = (await post.job()).tx_id
    post.site.send = working
    _, second = await post.deliver()
    assert first == second
    assert second["org.tickettruhe.tx"] == tx_id
    assert (len(post.site.uploads), len(post.files.asked)) == (1, 1)


async def test_a_row_that_was_sent_meanwhile_is_left_alone(post: Post) -> None:
    await post.ask()
    job = await post.job()
    assert job.media is not None
    await post.courier._deliver(job)
    await post.courier._carrier._uploader.content(job, WORDS)
    (row,) = await post.desk.outbox()
    assert (row.state, row.payload) == ("sent", None)


async def test_strangers_get_no_picture(post: Post) -> None:
    """Nothing is drawn or uploaded for a room that may not be told the answer any more."""
    await post.ask()
    await post.desk.update(FREIBURG, join_rule="public")
    await post.deliver()
    assert post.files.asked == []
    assert [row.state for row in await post.desk.outbox(kind="answer")] == ["cancelled"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((413, {}), Refused("M_TOO_LARGE")),
        ((403, {"errcode": "M_FORBIDDEN"}), Refused("M_FORBIDDEN")),
        ((404, {"errcode": "M_UNRECOGNIZED"}), Refused("M_UNRECOGNIZED")),
        ((429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 1500}), RateLimited(1.5)),
        ((200, {"content_uri": "https://example.org"}), Unreachable("no content_uri")),
        ((200, {}), Unreachable("no content_uri")),
        ((503, {}), Unreachable("HTTP 503")),
    ],
)
async def test_what_an_upload_can_say(
    sqlite_database: str, answer: tuple[int, JSON], expected: MatrixError
) -> None:
    async with desk_on(sqlite_database) as desk, post_at(desk) as post:
        post.site.upload = answer
        with pytest.raises(MatrixError) as raised:
            await post.courier._carrier._client.upload(PNG, "image/png", "stats.png")
        assert (type(raised.value), raised.value) == (type(expected), expected)


async def test_other_answers_go_on_while_a_file_is_made(sqlite_database: str) -> None:
    """The courier does not wait for it."""
    async with desk_on(sqlite_database) as desk, post_at(desk) as post:
        made = asyncio.Event()
        fetch = post.files.fetch

        async def slowly(source: Mapping[str, Any]) -> File:
            await made.wait()
            return await fetch(source)

        post.courier._carrier._uploader._fetch = slowly
        await post.ask()
        spot = Spot(FREIBURG, "$other")
        await desk.units.run(lambda unit: answers.answer(unit, spot, {"body": "quick"}, (), person=ANNA))
        running = asyncio.create_task(post.courier.run())
        async with asyncio.timeout(20):
            await post.site.until_sent(1)
            assert [sent["body"] for sent in post.site.sent] == ["quick"]
            made.set()
            await post.site.until_sent(2)
            post.courier.stop()
            await running
        assert post.site.sent[1]["msgtype"] == "m.image"
