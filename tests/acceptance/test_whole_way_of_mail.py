"""A conversation by mail on its whole way: mailbox, room, mail server, mailbox, room, the page."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk
from tests.imap_servers import PASSWORD, USER, ImapServer, Pymap, server_folder
from tests.mail_data import raw
from tests.mail_server import FakeMailServer, Received, mail_server
from tests.people import Crowd

ADDRESS = "hilfe@desk.example"
OUTSIDE = "https://help.example.org"
ANSWER = """\
From: Kim Doe <kim@example.net>
To: {address}
Subject: Re: Fotos
Date: Sat, 14 Nov 2026 10:00:00 +0100
Message-ID: <answer.1@example.net>
In-Reply-To: {answered}

Friday does not suit me. Monday?

On 13.11.2026, Anna wrote:
> Does Friday suit you?
"""


@pytest.fixture
async def imap() -> AsyncIterator[ImapServer]:
    with server_folder() as place:
        server = Pymap(place)
        await server.start()
        yield server
        await server.kill()


@pytest.fixture
async def smtp() -> AsyncIterator[FakeMailServer]:
    async with mail_server() as server:
        yield server


@pytest.fixture
async def desk(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str, imap: ImapServer,
    smtp: FakeMailServer,
) -> AsyncIterator[Desk]:  # fmt: skip
    box = {"address": ADDRESS, "host": "127.0.0.1", "port": imap.port, "security": "none",
           "user": USER, "password": PASSWORD, "done_folder": "Done"}  # fmt: skip
    mail = {"smtp": {"host": "localhost", "port": smtp.port, "security": "none"},
            "sender": f"Help <{ADDRESS}>", "mailboxes": {"help": box}}  # fmt: skip
    intake = {"public_url": OUTSIDE}
    desk = await make_desk(homeserver, people, tmp_path, sqlite_database, mail=mail, intake=intake)
    await desk.bot.start()
    yield desk
    await desk.bot.stop()
    assert not [word for word in ("Kim", "kim@", "Fotos", "Friday", "Monday") if word in desk.bot.log]


async def taken(smtp: FakeMailServer, count: int) -> Received:
    """The last of so many mails, once the server has it."""
    async with asyncio.timeout(20):
        while len(smtp.mails) < count:  # noqa: ASYNC110 - the server is a plain list
            await asyncio.sleep(0.02)
    return smtp.mails[-1]


async def test_from_the_first_mail_to_the_page(desk: Desk, imap: ImapServer, smtp: FakeMailServer) -> None:
    imap.deliver(raw("nested").replace(b"To: hilfe@", b"To: hilfe+freiburg@"))
    card = await desk.hears("freiburg", "Fotos", "> Im Anhang die Fotos.", msgtype="m.text")
    number = int(re.findall(r"#(\d+)", card.body)[0])
    for name, kind in (("Gerät vorn.jpg", "m.image"), ("Übersicht.pdf", "m.file")):
        await desk.hears("freiburg", name, thread=card.event_id, msgtype=kind)
    acknowledged = await taken(smtp, 1)
    assert (acknowledged.sender, acknowledged.to) == ("", ("kim@example.net",))

    anna = desk.person("anna")
    await desk.done("anna", f"!take {number}")
    replied = await desk.say("anna", "!reply Does **Friday** suit you?", thread=card.event_id)
    await anna.wait_for_reaction(desk.room("freiburg"), replied, "✅", desk.account.user_id)
    mail = await taken(smtp, 2)
    assert (mail.sender, mail.to, mail.text("html").count("<strong>Friday</strong>")) == (
        ADDRESS, ("kim@example.net",), 1,
    )  # fmt: skip
    assert mail.message["In-Reply-To"] == "<nested.1@example.net>"
    await desk.done("ben", f"!close {number}")
    await desk.card(number, "✅")

    # The answer comes while nothing runs, and twice.
    await desk.bot.kill()
    await imap.kill()
    for _copy in range(2):
        imap.deliver(ANSWER.format(address=ADDRESS, answered=mail.mail_id).encode())
    await imap.start()
    await desk.bot.start()
    told = await desk.hears("freiburg", "Friday does not suit me. Monday?", thread=card.event_id)
    assert told.mentions == {anna.user_id}
    assert "wrote:" not in told.body
    assert (await desk.card(number, "🟢", "Anna")).event_id == card.event_id
    async with asyncio.timeout(20):
        while len(imap.mails("Done")) < 3:  # noqa: ASYNC110 - files are waited for
            await asyncio.sleep(0.05)

    link = re.search(rf"{OUTSIDE}(/request/\S+)", acknowledged.text())
    assert link is not None
    await _page(desk, f"{desk.url}{link[1]}", card.event_id)
    seen = await anna.sees(desk.room("freiburg"))
    assert len([each for each in seen if "Friday does not suit me" in each.body]) == 1
    assert len([each for each in seen if desk.is_card(each)]) == 1
    assert len(smtp.mails) == 2


async def _page(desk: Desk, url: str, card: str) -> None:
    """What the acknowledgement's link shows, that looking changes nothing, and what is written there."""
    async with aiohttp.ClientSession() as browser:
        for path in ("", "/withdraw", "/withdraw"):  # as mail scanners do
            async with browser.get(f"{url}{path}?lang=en") as answer:
                assert answer.status == 200
        async with browser.get(f"{url}?lang=en") as answer:
            page = await answer.text()
        assert "It has arrived" in page
        for words in ("Im Anhang die Fotos.", "Does <strong>Friday</strong> suit you?", "Monday?"):
            assert words in page
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        form = aiohttp.FormData({"token": token[1], "message": "Or on Tuesday."})
        form.add_field("attachments", b"", filename="")
        async with browser.post(f"{url}?lang=en", data=form) as answer:
            assert "Thank you, your message has arrived." in await answer.text()
    await desk.hears("freiburg", "Or on Tuesday.", thread=card)
