"""Members answer from a ticket's thread, and the requester gets a mail: as both of them see it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk
from tests.mail_server import FakeMailServer, Received, mail_server
from tests.people import Crowd
from tests.process import command_line


@pytest.fixture
async def server() -> AsyncIterator[FakeMailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def desk(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str, server: FakeMailServer
) -> AsyncIterator[Desk]:
    smtp = {"host": "localhost", "port": server.port, "security": "none"}
    answers = {"pickup": {"text": "Dear {name}, {number} is ready.", "topics": ["donation_request"]}}
    mail = {"smtp": smtp, "sender": "Help <help@example.org>", "signature": "The team", "answers": answers}
    desk = await make_desk(homeserver, people, tmp_path, sqlite_database, mail=mail)
    await desk.bot.start()
    yield desk
    await desk.bot.stop()
    for words in desk.filed:
        assert words not in desk.bot.log


async def arrived(server: FakeMailServer, count: int) -> Received:
    """The last of so many mails, once it is there."""
    async with asyncio.timeout(20):
        while len(server.mails) < count:  # noqa: ASYNC110 - the server is a plain list
            await asyncio.sleep(0.02)
    return server.mails[-1]


async def ticks(desk: Desk, command: str) -> set[str]:
    """The bot's reactions on a command."""
    seen = await desk.person("anna").sees(desk.rooms["freiburg"])
    (shown,) = [each for each in seen if each.event_id == command]
    return {key for key, who in shown.reactions.items() if desk.account.user_id in who}


async def test_a_reply_counts_as_sent_once_the_server_has_it(desk: Desk, server: FakeMailServer) -> None:
    address = "kim.doe@example.net"
    number = await desk.file(email=address)
    acknowledged = await arrived(server, 1)
    assert (acknowledged.sender, acknowledged.to) == ("", (address,))
    assert acknowledged.message["Auto-Submitted"] == "auto-replied"
    card = await desk.card(number)

    # The bot is killed when the server has taken the mail and the bot does not know it yet.
    killed = asyncio.Event()

    def kill() -> None:
        if not killed.is_set():
            os.kill(desk.bot.pid, signal.SIGKILL)
            killed.set()

    server.after_data = kill
    command = await desk.say("anna", "!reply Friday is **fine**.", thread=card.event_id)
    async with asyncio.timeout(20):
        await killed.wait()
    await desk.bot.ended()
    assert await ticks(desk, command) == set()
    await desk.bot.start()
    await desk.person("anna").wait_for_reaction(desk.rooms["freiburg"], command, "✅", desk.account.user_id)
    replies = [mail for mail in server.mails if mail.sender == "help@example.org"]
    assert len({mail.mail_id for mail in replies}) == 1
    assert replies[0].text() == "Friday is fine.\n\nAnna\n\n-- \nThe team\n"
    assert replies[0].message["In-Reply-To"] == acknowledged.mail_id
    post = await desk.hears("freiburg", "Friday is fine.", "Sent to the requester", msgtype="m.notice")
    assert post.thread == card.event_id

    # In German, a prepared one, and closed at once.
    await desk.done("ben", f"!antworten {number} --close @pickup")
    assert f"Dear Kim Doe, #{number} is ready." in (await arrived(server, len(replies) + 2)).text()
    await desk.card(number, "✅")

    code, out = await command_line(desk.folder / "config.yaml", "preview", "ack", "--language", "en")
    assert (code, "Subject: Your request has arrived [#1042]" in out) == (0, True), out

    # What the mail server refuses is told where somebody can do something about it.
    server.on_recipient = lambda _address: "550 5.1.1 No such user"
    refused = await desk.say("ben", f"!reply {number} One thing more")
    told = await desk.hears("freiburg", "did not reach the requester", "5.1.1", "address may be wrong")
    assert told.mentions == {desk.person("ben").user_id}
    await desk.hears("freiburg", "One thing more", "Not sent")
    assert await ticks(desk, refused) == set()
