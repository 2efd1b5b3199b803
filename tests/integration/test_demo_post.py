"""The demo's mail: its mailbox and mail server as the bot uses them, and what people see of the mails."""

import asyncio
import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot.demo import letters, pictures, post
from bot.demo.cast import HELP_DESK, MAILS, TEAMS
from bot.demo.errors import PostFailed
from bot.demo.pictures import Pictures
from bot.demo.post import Post
from bot.domain.mail import Security
from bot.intake.email.account import MailboxSettings
from bot.intake.email.imap import Connection
from bot.intake.email.quotes import own_words
from bot.intake.email.reading import Limits
from bot.mail.compose import Mail
from bot.mail.server import MailServer, ServerSettings
from bot.services.mail_in import Box

LEYLA = MAILS[0]
LINK = "http://127.0.0.1:8080/request/m7-1-abc"
WHEN = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)


async def nothing() -> None:
    """Nobody waits for mails."""


def told(number: int, text: str, *, automatic: bool = False, mail_id: str = "<reply@x.example>") -> bytes:
    message = EmailMessage()
    message["From"] = Address("Anna, Tickettruhe", addr_spec=HELP_DESK)
    message["To"] = f"{LEYLA.name} <{LEYLA.email}>"
    message["Subject"] = f"Re: {LEYLA.subject} [#{number}]"
    message["Date"] = WHEN
    message["Message-ID"] = mail_id
    if automatic:
        message["Auto-Submitted"] = "auto-replied"
    message.set_content(text)
    return message.as_bytes()


def mailbox(settings: dict[str, Any]) -> Connection:
    box = settings["mailboxes"]["hilfe"]
    return Connection(
        MailboxSettings(
            Box("hilfe"), box["host"], box["port"], Security.NONE, box["user"], box["password"],
            "INBOX", None, "Unreadable", 60, Limits(1024, 1), 10_000,
        )
    )  # fmt: skip


async def sent(settings: dict[str, Any], *mails: bytes) -> None:
    server = MailServer(ServerSettings("127.0.0.1", settings["smtp"]["port"], Security.NONE))
    for mail in mails:
        await server.send(Mail("", LEYLA.email, mail))
    await server.close()


async def test_a_mail_waits_in_the_mailbox_until_it_is_marked_also_over_a_restart(tmp_path: Path) -> None:
    desk = Post(tmp_path / "mail", nothing)
    async with desk.open():
        box = mailbox(desk.settings())
        await asyncio.to_thread(box.open)
        assert await asyncio.to_thread(lambda: box.can_idle)
        await asyncio.to_thread(box.idle)
        hearing = asyncio.create_task(asyncio.to_thread(box.told_of_something, 20.0))
        await desk.write(LEYLA)
        assert await hearing
        await asyncio.to_thread(box.idle_done)
        (first,) = await asyncio.to_thread(box.waiting)
        data = await asyncio.to_thread(box.fetch, first)
        await asyncio.to_thread(box.done, first)
        await desk.write(MAILS[1])
        await asyncio.to_thread(box.close)
    assert data is not None
    assert letters.read(1, data) == desk.letters[0]

    again = Post(tmp_path / "mail", nothing)
    async with again.open():
        assert again.letters == desk.letters
        box = mailbox(again.settings())
        await asyncio.to_thread(box.open)
        (second,) = await asyncio.to_thread(box.waiting)
        data = await asyncio.to_thread(box.fetch, second)
        await asyncio.to_thread(box.close)
    assert data is not None
    assert letters.read(2, data).subject == MAILS[1].subject


async def test_what_is_sent_is_there_once_and_can_be_answered(tmp_path: Path) -> None:
    desk = Post(tmp_path / "mail", nothing)
    heard: list[int] = []
    desk.on_letter = lambda letter: heard.append(letter.place)
    async with desk.open():
        acknowledgement = told(7, f"Here:\n<{LINK}>\n", automatic=True, mail_id="<ack@x.example>")
        # A bot that was killed before it knew sends a mail again.
        await sent(desk.settings(), acknowledgement, told(7, "Friday?"), told(7, "Friday?"))
        assert await desk.answer(8, "Who?") is None
        answer = await desk.answer(7, "Rather Monday.")

    assert answer is not None
    first, second, third = desk.letters
    assert heard == [1, 2, 3]
    assert (first.automatic, first.link, first.number) == (True, LINK, 7)
    assert (second.automatic, second.outgoing, second.text) == (False, True, "Friday?")
    assert third == answer
    assert (answer.outgoing, answer.to, answer.sender) == (False, HELP_DESK, LEYLA.email)
    assert answer.references == ("<reply@x.example>",)
    assert dict(answer.headers)["From"] == f"{LEYLA.name} <{LEYLA.email}>"
    assert own_words(answer.text) == "Rather Monday."


def test_who_writes_to_a_team_names_its_region() -> None:
    for sample in MAILS:
        letter = letters.read(1, letters.new(sample, WHEN))
        assert letter.text == sample.message
        assert letter.to == HELP_DESK.replace("@", f"+{sample.region}@" if sample.region else "@")
        assert not sample.region or any(sample.region in team["regions"] for team in TEAMS.values())


def test_mails_fit_into_the_terminal_and_do_not_steer_it() -> None:
    console = Console(width=60, record=True, file=None)
    drawn = Pictures(console, str)
    automatic = letters.read(1, told(7, f"Here:\n{LINK}", automatic=True))
    hostile = letters.read(2, told(7, "Friday\x1b[2J or\n\n" + "Monday " * 20))
    with console.capture() as printed:
        for picture in (
            drawn.letter(automatic),
            drawn.letter(hostile),
            drawn.letters((automatic, hostile)),
            pictures.whole_letter(automatic),
        ):
            console.print(picture, highlight=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", printed.get())
    assert "\x1b" not in text
    assert all(len(line) <= 60 for line in text.splitlines())
    assert text.count(f"✉ 1 to {LEYLA.email}") == 2
    assert text.count(LINK) == 1


async def test_without_the_servers_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "find_spec", lambda _name: None)
    with pytest.raises(PostFailed, match="not installed"):
        async with Post(tmp_path / "mail", nothing).open():
            raise AssertionError
