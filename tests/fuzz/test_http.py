"""The HTTP intake and whatever is written to its socket: a clear answer in time, and nothing half stored."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from bot.intake import bodies
from tests.fuzz.cases import cases
from tests.fuzz.http_bodies import MARK
from tests.fuzz.http_requests import HttpRequest, api_calls, form_posts
from tests.intake_site import REQUEST, Site, form_settings, site

_PATIENCE: Final = 15.0
_TABLES: Final = ("tickets", "messages", "history", "attachments", "requesters", "idempotency_keys", "outbox")
_COUNT: Final = text("SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in _TABLES))
_TOKEN: Final = re.compile(r'name="token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; status 0: the connection was closed without an answer."""

    status: int
    headers: str = ""
    body: str = ""


@dataclass
class Target:
    """A running intake, and a look into its database from outside."""

    site: Site
    connection: Connection

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.connection.begin():
            row = self.connection.execute(_COUNT).one()
        return dict(zip(_TABLES, row, strict=True))

    async def send(self, request: HttpRequest) -> Reply:
        """Write it, say that this is all, and read the answer."""
        host, port = self.site.url.removeprefix("http://").split(":")
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                return await _reply(reader, writer, request)
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()


async def _reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: HttpRequest) -> Reply:
    with suppress(ConnectionError):
        writer.write(request.data)
        await writer.drain()
    reading = asyncio.create_task(_read(reader))
    if not request.ends:
        await asyncio.wait({reading}, timeout=0.05)
        with suppress(OSError):
            writer.write_eof()  # the server waits for what never comes
    return await reading


async def _read(reader: asyncio.StreamReader) -> Reply:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        return Reply(int(head[9:12]), head.decode("latin-1"), body.decode())
    return Reply(0)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Target]:
    """One intake for many requests, on each of the databases."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('http')}/x.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("lasting_postgres")
    with pytest.MonkeyPatch.context() as patch:
        # A body whose end is never told is given up while the test still waits.
        patch.setattr(bodies, "SILENCE", _PATIENCE / 3)
        async with site(url, form_settings(per_address=10**9)) as running:
            engine = create_engine(url.replace("+aiosqlite", ""), poolclass=NullPool)
            with engine.connect() as connection:
                yield Target(running, connection)


def judge(reply: Reply, request: HttpRequest, before: dict[str, int], after: dict[str, int]) -> None:
    """What holds for every request, whatever it was."""
    event(f"status {reply.status}")
    assert reply.status < 500, reply
    if request.readable:
        assert reply.status, "no answer"
    grown = {table: after[table] - before[table] for table in _TABLES}
    accepted = reply.status in (201, 303)
    if not accepted:
        assert not any(grown.values()), (reply, grown)
    assert grown["tickets"] <= grown["messages"] <= 1
    assert (grown["messages"] > 0) == (grown["outbox"] + grown["history"] > 0)
    if reply.status >= 400:
        assert reply.body.strip(), reply


@cases(60, 0.08, lasting=True)
@given(data=st.data())
async def test_any_call_of_the_api_is_answered(
    target: Target, data: st.DataObject, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    request = data.draw(api_calls(target.site.key))
    before = target.counts()
    reply = await target.send(request)
    judge(reply, request, before, target.counts())
    if "Server: Tickettruhe" in reply.headers and "text/plain" in reply.headers:
        assert "\n" not in reply.body, reply
    assert MARK not in "".join(capsys.readouterr()) + caplog.text


@cases(25, 0.03, lasting=True)
@given(data=st.data())
async def test_any_post_to_the_form_is_answered(
    target: Target, data: st.DataObject, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with target.site.http.get(target.site.url + "/") as page:
        found = _TOKEN.search(await page.text())
    assert found
    request = data.draw(form_posts(found[1]))
    before = target.counts()
    reply = await target.send(request)
    judge(reply, request, before, target.counts())
    if reply.status == 303:
        place = re.search(r"Location: (\S+)", reply.headers)
        assert place
        async with target.site.http.get(f"{target.site.url}/{place[1]}") as result:
            assert result.status == 200
    assert MARK not in "".join(capsys.readouterr()) + caplog.text


async def test_afterwards_all_is_whole_and_a_request_is_accepted(target: Target) -> None:
    """Runs after the others on the same database."""
    status, _ = await target.site.call(json=REQUEST)
    assert status == 201
    counts = target.counts()
    with target.connection.begin():
        for table in ("messages", "history"):
            found = target.connection.execute(
                text(f"SELECT count(DISTINCT number) FROM {table}")
            ).scalar_one()
            assert found == counts["tickets"]
