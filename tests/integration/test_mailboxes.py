"""Mail from real IMAP servers, killed and restarted in between: no mail lost, none twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.doctor import Level
from bot.doctor.mailboxes import examine_mailbox
from bot.intake.email.account import MailboxError
from bot.intake.email.imap import Connection
from bot.services.unit import DatabaseUnavailable, Unit, Units
from storage.models import KeptMail
from tests.imap_servers import PASSWORD, Dovecot, ImapServer, Pymap, server_folder
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
from tests.mail_data import raw

SERVERS = [
    Pymap,
    pytest.param(Dovecot, marks=NEEDS_DOVECOT),
]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)


@pytest.fixture
def place() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder


@pytest.fixture
async def desk(sqlite_database: str) -> AsyncIterator[Desk]:
    async with desk_on(sqlite_database) as desk:
        yield desk


@pytest.fixture(params=SERVERS)
async def server(request: pytest.FixtureRequest, place: Path) -> AsyncIterator[ImapServer]:
    server: ImapServer = request.param(place)
    await server.start()
    yield server
    await server.kill()


async def test_mails_are_fetched_as_they_come_and_marked(
    server: ImapServer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = Connection.idle
    late = [numbered(1)]

    def idle(connection: Connection) -> None:
        """One comes between the last look and the wait: it is told in the same breath as "I wait"."""
        while late:
            server.deliver(late.pop())
        begin(connection)

    monkeypatch.setattr(Connection, "idle", idle)
    server.deliver(numbered(0))
    async with fetching(desk.units, settings(server)) as mailbox:
        await until(lambda: texts(desk) == ["Mail 0", "Mail 1"], 15)
        await until(lambda: mailbox.problem is None)
        server.deliver(numbered(2))
        await until(lambda: texts(desk) == ["Mail 0", "Mail 1", "Mail 2"])
        await until(lambda: [read for _data, read in server.mails()] == [True] * 3)


async def test_what_cannot_be_taken_is_moved_aside_and_told(server: ImapServer, desk: Desk) -> None:
    server.deliver(b"no mail at all\n")
    server.deliver(raw("plain") + b"x" * 200_000)
    server.deliver(numbered(1))
    async with fetching(desk.units, settings(server)):
        await until(lambda: texts(desk) == ["Mail 1"])
        await until(lambda: len(server.mails("Unreadable")) == 2)
    kept = {mail.reason: mail.data for mail in rows(desk, KeptMail)}
    assert set(kept) == {"unreadable", "too_large"}
    assert b"no mail at all" in (kept["unreadable"] or b"")
    assert kept["too_large"] is None
    assert len(await desk.alerts("mail_aside")) == 2


async def test_a_server_that_is_killed_again_and_again_loses_and_repeats_nothing(
    server: ImapServer, desk: Desk
) -> None:
    async with fetching(desk.units, settings(server, done_folder="Done")):
        for round_ in range(4):
            for index in range(5):
                server.deliver(numbered(round_ * 5 + index))
            await asyncio.sleep(0.15 * round_)
            await server.kill()
            await server.start()
        await until(lambda: len(texts(desk)) >= 20)
        await until(lambda: not server.mails())
    assert sorted(texts(desk)) == sorted(f"Mail {index}" for index in range(20))
    assert {data for data, _read in server.mails("Done")} >= {numbered(index) for index in range(20)}


async def test_a_mail_that_was_received_but_not_marked_counts_once(
    server: ImapServer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = Connection.done
    failed: list[int] = []

    def cut_off(connection: Connection, uid: int) -> None:
        if len(failed) < 3:
            failed.append(uid)
            raise MailboxError("broke off")
        mark(connection, uid)

    monkeypatch.setattr(Connection, "done", cut_off)
    server.deliver(numbered(7))
    async with fetching(desk.units, settings(server)):
        await until(lambda: [read for _data, read in server.mails()] == [True])
    assert len(failed) == 3
    assert texts(desk) == ["Mail 7"]


class Away(Units):
    """A database that does not answer for the first few times."""

    calls = 0

    async def run(self, work: Callable[[Unit], Any]) -> Any:
        self.calls += 1
        if self.calls <= 3:
            raise DatabaseUnavailable("sqlite")
        return await super().run(work)


async def test_nothing_is_marked_while_the_database_is_away(server: ImapServer, desk: Desk) -> None:
    units = Away(desk.units.database, desk.units.policy, desk.clock)
    server.deliver(numbered(3))
    async with fetching(units, settings(server)) as mailbox:
        await until(lambda: mailbox.problem == "the database does not answer")
        assert [read for _data, read in server.mails()] == [False]
        await until(lambda: texts(desk) == ["Mail 3"])
        await until(lambda: mailbox.problem is None)


async def test_doctor_tries_a_mailbox_and_marks_nothing(server: ImapServer) -> None:
    server.deliver(numbered(1))
    good = await asyncio.to_thread(examine_mailbox, settings(server))
    assert (good.level, good.hint) == (Level.GOOD, "The bot makes the folders Unreadable when it needs them.")
    assert "1 waiting, tells of new mail by itself" in good.detail
    assert [read for _data, read in server.mails()] == [False]
    refused = await asyncio.to_thread(examine_mailbox, settings(server, password="wrong"))
    assert (refused.level, "refuses the login" in refused.detail) == (Level.BAD, True)
    assert "mail.mailboxes.hilfe" in refused.hint
    nowhere = await asyncio.to_thread(examine_mailbox, settings(server, folder="Nowhere"))
    assert nowhere.detail.endswith("has no folder Nowhere")


async def test_troubles_are_told_in_words(server: ImapServer, desk: Desk) -> None:
    wrong = settings(server, password="wrong")
    async with fetching(desk.units, wrong) as mailbox:
        await until(lambda: mailbox.problem == "refuses the login")
    async with fetching(desk.units, replace(wrong, password=PASSWORD, folder="Nowhere")) as mailbox:
        await until(lambda: mailbox.problem == "has no folder Nowhere")
    await server.kill()
    async with fetching(desk.units, settings(server)) as mailbox:
        await until(lambda: mailbox.problem == "does not answer")
