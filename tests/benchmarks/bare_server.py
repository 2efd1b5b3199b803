"""The intake's baseline: a web server that writes a request's rows by SQLModel and does nothing else.

No key, no checks, no search index, nobody who is told. It answers after the commit, as the intake does, and
has the same database, libraries and durability.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web
from sqlmodel import Session, SQLModel

from bot.domain.words import Action, Intake, MessageKind, Status
from bot.intake.api import TICKETS
from bot.intake.server import serve
from bot.services.unit import utc_now
from storage.database import Database
from storage.models import HistoryEntry, OutboxRow, OutboxTicket, Requester, Ticket, TicketMessage
from storage.outbox import Channel, Kind, Priority

PATH: Final = TICKETS[0]
_PATIENCE: Final = 30.0


def file(session: Session, wanted: Mapping[str, str], tx_id: str) -> int:
    """Requester, ticket, message, history and what the room is to be told; the ticket's number."""
    now = utc_now()
    requester = Requester(name=wanted["name"], email=wanted["email"], email_key=wanted["email"].casefold())
    session.add(requester)
    session.flush()
    assert requester.id is not None
    ticket = Ticket(
        status=Status.OPEN.value, topic="computer", team=wanted["region"], region=wanted["region"],
        subject=wanted["subject"], requester_id=requester.id, intake=Intake.HTTP.value,
        opened_at=now, changed_at=now, moved_at=now,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    assert ticket.number is not None
    session.add(
        TicketMessage(
            number=ticket.number, kind=MessageKind.MESSAGE.value, text=wanted["message"],
            intake=Intake.HTTP.value, at=now,
        )
    )  # fmt: skip
    session.add(
        HistoryEntry(number=ticket.number, action=Action.OPEN.value, to_status=Status.OPEN.value, at=now)
    )
    row = OutboxRow(
        channel=Channel.MATRIX.value, kind=Kind.CARD.value, priority=Priority.CARD.value, tx_id=tx_id,
        number=ticket.number, created_at=now, next_attempt_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    assert row.id is not None
    session.add(OutboxTicket(outbox_id=row.id, number=ticket.number))
    return ticket.number


@asynccontextmanager
async def bare_server(database_url: str) -> AsyncIterator[str]:
    """Run it in a process of its own on an empty database; gives its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, database_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_PATIENCE):
            port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _serve(database_url: str) -> None:
    database = Database(database_url)
    SQLModel.metadata.create_all(database.engine)
    sent = iter(range(sys.maxsize))

    async def answer(request: web.Request) -> web.Response:
        wanted = await request.json()
        number = await database.writing(partial(file, wanted=wanted, tx_id=str(next(sent))))
        return web.Response(status=201, text=str(number))

    application = web.Application()
    application.router.add_post(PATH, answer)
    async with serve(application, "127.0.0.1", 0) as port:
        print(port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
