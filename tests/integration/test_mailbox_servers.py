"""Mailboxes whose server cannot, or does not let the bot, do all of it: on Debian's Dovecot."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme

from bot.doctor import Level
from bot.doctor.findings import Finding
from bot.doctor.mailboxes import examine_mailbox
from bot.domain.mail import Security
from bot.intake.email.account import MailboxSettings
from storage.models import KeptMail
from tests.imap_servers import Dovecot, server_folder
from tests.integration.desk_data import Desk, desk_on
from tests.integration.mailbox_data import (
    NEEDS_DOVECOT,
    fetching,
    impatient,
    numbered,
    rows,
    settings,
    texts,
    until,
)

pytestmark = NEEDS_DOVECOT
UNMARKED = "refuses to mark or move mails that were received"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


@pytest.fixture
async def server() -> AsyncIterator[Dovecot]:
    """Not started yet."""
    with server_folder() as folder:
        server = Dovecot(folder)
        yield server
        await server.kill()


@pytest.fixture
async def desk(sqlite_database: str) -> AsyncIterator[Desk]:
    async with desk_on(sqlite_database) as desk:
        yield desk


async def examined(wanted: MailboxSettings) -> Finding:
    return await asyncio.to_thread(examine_mailbox, wanted)


@pytest.mark.parametrize(
    ("rights", "capabilities", "done"),
    [
        pytest.param("lr", "", None, id="read-only"),
        pytest.param("lrs", "", "Done", id="MOVE-refused"),
        pytest.param("lrs", "IMAP4rev1 UIDPLUS", "Done", id="would-copy-for-ever"),
    ],
)
async def test_a_server_that_lets_no_mail_be_marked_stops_none(
    server: Dovecot, desk: Desk, rights: str, capabilities: str, done: str | None
) -> None:
    server.rights, server.capabilities = f"INBOX owner {rights}\n", capabilities
    for mail in (numbered(0), b"no mail at all\n", numbered(1)):
        server.deliver(mail)
    await server.start()
    wanted = settings(server, done_folder=done)
    async with fetching(desk.units, wanted) as mailbox:
        await until(lambda: texts(desk) == ["Mail 0", "Mail 1"])
        await until(lambda: mailbox.problem == UNMARKED)
        server.deliver(numbered(2))
        await until(lambda: texts(desk) == ["Mail 0", "Mail 1", "Mail 2"])
        assert len(server.mails()) == 4
        assert server.mails("Done") == []
        found = await examined(wanted)
        moves = not capabilities and done is not None
        assert (found.level, "cannot be marked" in found.detail) == (
            (Level.GOOD, False) if moves else (Level.POOR, True)
        )
        server.allow("INBOX owner lrwstipekxa\n")
        mailbox._connection.abort()
        await until(lambda: len(server.mails("Unreadable")) == 1)
        await until(lambda: [read for _data, read in server.mails(done or "INBOX")] == [True] * 3)
        await until(lambda: mailbox.problem is None)
    assert texts(desk) == ["Mail 0", "Mail 1", "Mail 2"]
    assert len(rows(desk, KeptMail)) == 1
    assert len(await desk.alerts("mail_unmarked")) == 1


async def test_without_idle_it_is_asked_and_without_move_mails_are_copied(
    server: Dovecot, desk: Desk
) -> None:
    server.capabilities = "IMAP4rev1 UIDPLUS"
    await server.start()
    wanted = settings(server, done_folder="Done", poll=0.1)
    assert "is asked every" in (await examined(wanted)).detail
    async with fetching(desk.units, wanted) as mailbox:
        await until(lambda: mailbox.problem is None)
        server.deliver(numbered(0))
        await until(lambda: len(server.mails("Done")) == 1)
        server.deliver(numbered(1))
        await until(lambda: len(server.mails("Done")) == 2)
    assert texts(desk) == ["Mail 0", "Mail 1"]
    assert server.mails() == []


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_the_password_goes_to_a_server_with_a_valid_certificate_only(
    server: Dovecot, desk: Desk, security: Security
) -> None:
    authority = trustme.CA()

    def encrypted(**changes: Any) -> MailboxSettings:
        port = server.tls_port if security is Security.TLS else server.port
        named = {"security": security, "port": port, "context": trusting(authority)}
        return settings(server, **{**named, **changes})

    server.certificate = authority.issue_cert("elsewhere.example.org")
    await server.start()
    name = await examined(encrypted())
    unknown = await examined(encrypted(context=None))
    for found, why in ((name, "IP address mismatch"), (unknown, "unable to get local issuer certificate")):
        assert found.level is Level.BAD
        assert f"shows a certificate that is not valid: {why}" in found.detail
    plain = await examined(encrypted(security=Security.TLS, port=server.port))
    assert plain.detail == "127.0.0.1 does not speak TLS there"
    assert "Login:" not in server.log
    assert "no auth attempts" in server.log

    await server.kill()
    server.certificate = authority.issue_cert("127.0.0.1")
    server.deliver(numbered(1))
    await server.start()
    async with fetching(desk.units, encrypted()):
        await until(lambda: texts(desk) == ["Mail 1"])
    assert ", TLS, session=" in server.log


async def test_a_server_that_offers_no_encryption_gets_no_password(server: Dovecot) -> None:
    await server.start()
    found = await examined(settings(server, security=Security.STARTTLS))
    assert (found.level, found.detail) == (Level.BAD, "127.0.0.1 does not offer STARTTLS")
    assert "Login:" not in server.log
