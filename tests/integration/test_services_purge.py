"""A purge leaves the number, the dates and who did it: nothing else, anywhere."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.errors import NotAllowedFrom, NotPermitted, UnknownTicket
from bot.domain.request import NewAttachment
from bot.domain.words import Action
from bot.services import answers, intake, purge, reception
from bot.services.answers import Spot
from bot.services.intake import RetryKey
from bot.services.jobs import Send
from bot.services.moves import Done
from bot.services.reception import Batch, ReceivedEvent
from bot.services.views import PurgeReport
from storage.models import Task
from tests.integration.desk_data import ADMINS, ANNA, BEN, DORA, FREIBURG, START, Desk, desk_on, put, request

PRIVATE = ("Kim Doe", "kim@example.org", "0761 123", "Laptop wanted", "Hello!", "scan.pdf", "PDF-BYTES",
           "a private reason", "call the doctor", "Device-Serial-7")  # fmt: skip


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def full_ticket(desk: Desk) -> int:
    """A ticket with something in every table."""
    file = NewAttachment("scan.pdf", "application/pdf", b"PDF-BYTES")
    wanted = request(attachments=(file,), extra={"Serial": "Device-Serial-7"})
    key = RetryKey("key:1", "abc", intake.fingerprint(b"body"))
    accepted = await desk.units.run(lambda unit: intake.open_ticket(unit, wanted, key=key))
    number = accepted.number
    task = Task(
        number=number, position=1, text="call the doctor", added_by=ANNA, added_at=START, done_by=ANNA
    )
    await put(desk.database, task)
    event = ReceivedEvent("$close", FREIBURG, ANNA, {"body": "!close 1 a private reason"}, START)
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t", events=(event,))))
    (incoming,) = await desk.units.look(reception.waiting)
    await put_done(desk, task)
    await desk.do(Action.CLOSE, number, cause="$close", note="a private reason")
    await desk.units.run(lambda unit: reception.handled(unit, incoming))
    return number


async def put_done(desk: Desk, task: Task) -> None:
    """The task is done."""
    with desk.database.write() as session:
        row = session.get_one(Task, task.id)
        row.done_at = START
        session.add(row)


async def do_purge(
    desk: Desk, number: int, person: str = DORA, room: str | None = None, cause: str | None = None
) -> Done:
    """Purge as a person in a room."""
    caller = replace(await desk.caller(person, room), cause=cause)
    return await desk.units.run(lambda unit: purge.purge(unit, number, caller))


async def test_nothing_of_a_purged_ticket_is_left(desk: Desk) -> None:
    number = await full_ticket(desk)
    await desk.deliver()
    content = {"body": "Kim Doe wants a Laptop wanted"}
    spot = Spot(FREIBURG, "$show")
    await desk.units.run(lambda unit: answers.answer(unit, spot, content, [number], person=BEN))
    await desk.do(Action.DELETE, number, DORA)
    desk.clock.advance(days=1)
    assert await do_purge(desk, number) == Done(number, changed=True)
    rows = await desk.rows()
    everything = repr(rows)
    assert [text for text in PRIVATE if text in everything] == []
    assert rows["purged"] == [
        {"number": number, "opened_at": START, "purged_at": desk.clock.now, "purged_by": DORA,
         "cause": None, "redacted": 0, "failed": 0}
    ]  # fmt: skip
    keep = {"purged", "outbox", "outbox_tickets", "posted_tickets"}
    naming = {
        name for name, each in rows.items() if any(row.get("number") == number for row in each)
    }  # fmt: skip
    assert naming <= keep
    assert all(row["payload"] is None for row in rows["outbox"] if row["state"] == "cancelled")


async def test_every_event_about_it_is_redacted_and_told(desk: Desk) -> None:
    number = await full_ticket(desk)
    await desk.deliver()
    await desk.do(Action.DELETE, number, DORA)
    await desk.deliver()
    about = len(desk.homeserver.events)
    await do_purge(desk, number)
    jobs = await desk.deliver()
    assert desk.homeserver.cards(number) == {}
    report = jobs[-1]
    assert isinstance(report, Send)
    # The member's command with its reason counts too.
    assert (report.room_id, report.view) == (ADMINS, PurgeReport(number, about + 1, 0))


async def test_what_still_waits_about_it_is_not_sent(desk: Desk) -> None:
    number = await full_ticket(desk)
    other = await desk.open(name="Someone else")
    await desk.do(Action.DELETE, number, DORA)
    await do_purge(desk, number)
    await desk.deliver()
    assert desk.homeserver.cards(number) == {}
    assert len(desk.homeserver.cards(other)) == 1


async def test_a_card_that_comes_through_after_the_purge_is_redacted(desk: Desk) -> None:
    number = await desk.open()
    (job,) = await desk.claim()
    assert isinstance(job, Send)
    event_id = desk.homeserver.send(job)
    await desk.do(Action.DELETE, number, DORA)
    await do_purge(desk, number)
    await desk.deliver()
    assert event_id in desk.homeserver.events
    for _time in range(2):
        await desk.sent(job, event_id)
        await desk.deliver()
        assert desk.homeserver.cards(number) == {}


async def test_a_requester_with_other_tickets_is_kept(desk: Desk) -> None:
    first, second = await desk.open(), await desk.open(subject="Another")
    for number, left in ((first, 1), (second, 0)):
        await desk.do(Action.DELETE, number, DORA)
        await do_purge(desk, number)
        assert len((await desk.rows())["requesters"]) == left
        await desk.deliver()


async def test_the_number_is_never_given_again(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.DELETE, number, DORA)
    await do_purge(desk, number)
    assert await desk.open() > number


async def test_a_purge_of_the_same_event_is_done_once(desk: Desk) -> None:
    number = await desk.open()
    await desk.do(Action.DELETE, number, DORA)
    await do_purge(desk, number, cause="$purge")
    before = await desk.rows()
    assert await do_purge(desk, number, cause="$purge") == Done(number, changed=False)
    for cause in ("$another", None):
        with pytest.raises(UnknownTicket):
            await do_purge(desk, number, cause=cause)
    assert await desk.rows() == before


async def test_only_deleted_tickets_and_only_by_admins(desk: Desk) -> None:
    number = await desk.open()
    before = await desk.rows()
    with pytest.raises(NotAllowedFrom):
        await do_purge(desk, number)
    with pytest.raises(UnknownTicket):
        await do_purge(desk, number + 1)
    assert await desk.rows() == before
    await desk.do(Action.DELETE, number, DORA)
    with pytest.raises((UnknownTicket, NotPermitted)):
        await do_purge(desk, number, ANNA)
    with pytest.raises(UnknownTicket):
        await do_purge(desk, number, DORA, "!elsewhere:example.org")
    assert (await desk.ticket(number)).status == "deleted"


async def test_a_repeated_request_for_a_purged_ticket_is_a_new_one(desk: Desk) -> None:
    number = await full_ticket(desk)
    await desk.do(Action.DELETE, number, DORA)
    await do_purge(desk, number)
    key = RetryKey("key:1", "abc", intake.fingerprint(b"body"))
    accepted = await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=key))
    assert not accepted.replayed
    assert accepted.number != number


async def test_nothing_stays_in_the_files_of_sqlite(sqlite_database: str) -> None:
    """The write-ahead log as well: it may live for weeks on a quiet desk."""
    async with desk_on(sqlite_database) as desk:
        number = await full_ticket(desk)
        await desk.do(Action.DELETE, number, DORA)
        await do_purge(desk, number)
        folder = Path(str(desk.database.url.database)).parent
        left = {
            word: file.name
            for file in folder.iterdir()
            for word in PRIVATE
            if word.encode() in file.read_bytes()
        }
    assert left == {}
