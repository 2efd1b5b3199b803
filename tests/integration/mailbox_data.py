"""Mailboxes on real servers, and what is found of their mails in the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from bot.domain.mail import Security
from bot.intake.email import imap
from bot.intake.email import mailbox as loop
from bot.intake.email.account import MailboxSettings
from bot.intake.email.mailbox import Mailbox
from bot.intake.email.reading import Limits
from bot.services.mail_in import Box
from bot.services.unit import Units
from storage.models import TicketMessage
from tests.imap_servers import PASSWORD, USER, Dovecot, ImapServer
from tests.integration.desk_data import Desk

NEEDS_DOVECOT = pytest.mark.skipif(
    not Dovecot.is_there(), reason="no Dovecot on this machine (Debian: apt install dovecot-imapd)"
)


def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon."""
    monkeypatch.setattr(loop, "_FIRST", 0.05)
    monkeypatch.setattr(loop, "_LONGEST", 0.3)
    # A part of a killed server may live on for a while, and say nothing more.
    monkeypatch.setattr(imap, "_ANSWER", 5.0)


def settings(server: ImapServer, **changes: Any) -> MailboxSettings:
    named: dict[str, Any] = {
        "box": Box("hilfe", most_open=1000),
        "host": "127.0.0.1",
        "port": server.port,
        "security": Security.NONE,
        "user": USER,
        "password": PASSWORD,
        "folder": "INBOX",
        "done_folder": None,
        "aside_folder": "Unreadable",
        "poll": 0.2,
        "limits": Limits(1024 * 1024, 5),
        "max_size": 100_000,
    }
    return MailboxSettings(**{**named, **changes})


@asynccontextmanager
async def fetching(units: Units, wanted: MailboxSettings) -> AsyncIterator[Mailbox]:
    """A mailbox that is fetched from; at the end it has to stop at once."""
    mailbox = Mailbox(units, wanted)
    task = asyncio.create_task(mailbox.run())
    try:
        yield mailbox
    finally:
        task.cancel()
        async with asyncio.timeout(6):
            with suppress(asyncio.CancelledError):
                await task


async def until(true: Callable[[], bool], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for are files and rows
            await asyncio.sleep(0.05)


def rows(desk: Desk, table: type[SQLModel]) -> list[Any]:
    with desk.database.read() as session:
        return list(session.exec(select(table)).all())


def texts(desk: Desk) -> list[str]:
    return [message.text for message in rows(desk, TicketMessage)]


def numbered(index: int) -> bytes:
    head = f"From: p{index}@example.org\nMessage-ID: <{index}@example.org>\nSubject: S\n"
    return f"{head}Date: Fri, 13 Nov 2026 10:00:00 +0100\n\nMail {index}\n".encode()
