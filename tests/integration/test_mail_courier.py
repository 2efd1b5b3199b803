"""Letters on their way to a real mail server: once each, whatever fails on the way."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

import pytest
import trustme
from sqlmodel import Session, select

from bot.domain.errors import (
    MailNotSetUp,
    NoCannedAnswer,
    NoMailAddress,
    NothingToUndo,
    OpenTasks,
    UndoProblem,
)
from bot.domain.mail import CannedAnswer, LetterState, MailPolicy, Security
from bot.domain.request import MailHead
from bot.domain.words import Action, Intake, Status
from bot.mail.compose import Composer, Sender
from bot.mail.courier import MailCourier
from bot.mail.server import MailServer, ServerSettings
from bot.mail.templates import Templates
from bot.services import (
    alerts,
    arrivals,
    canned,
    intake,
    letters,
    mail_ids,
    mail_jobs,
    mail_outcomes,
    merging,
    purge,
    tasks,
)
from bot.services.arrivals import NewMessage
from bot.services.jobs import Send
from bot.services.letter_views import MailServerReport, ReplyPost, UndeliveredAlert
from bot.services.letters import AckWish
from bot.services.people import Caller
from bot.services.restoring import RepeatedUnits
from bot.services.unit import PagePolicy
from storage import outbox
from storage.errors import DatabaseUnavailable
from storage.models import LetterRow
from tests.integration.desk_data import ANNA, BEN, DORA, FREIBURG, POLICY, Desk, desk_on, request
from tests.mail_server import PASSWORD, TAKEN, USER, FakeMailServer, Received, mail_server

T = TypeVar("T")
MAIL: Final = MailPolicy(
    domain="example.org",
    acknowledging=frozenset({"freiburg", None}),
    per_address=2,
    per_origin=3,
    languages={"freiburg": "de"},
    answers={
        "pickup": CannedAnswer({"de": "Hallo {name}, {number} liegt bereit.", "en": "Ready."}),
        "thanks": CannedAnswer({"en": "Thanks."}, topics=frozenset({"donation_offer"})),
    },
)
COMPOSER: Final = Composer(Templates(None), Sender("help@example.org", "Help"))


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url, replace(POLICY, mail=MAIL)) as desk:
        yield desk


@pytest.fixture
async def server() -> AsyncIterator[FakeMailServer]:
    async with mail_server() as server:
        yield server


def settings(server: FakeMailServer, **changes: Any) -> ServerSettings:
    fields = {"host": "localhost", "port": server.port, "security": Security.NONE}
    return ServerSettings(**{**fields, **changes})


@asynccontextmanager
async def courier(desk: Desk, wanted: ServerSettings) -> AsyncIterator[MailCourier]:
    running = MailCourier(desk.units, COMPOSER, MailServer(wanted))
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop()
        await asyncio.wait_for(task, 5)


async def until(desk: Desk, state: LetterState, count: int = 1) -> list[LetterRow]:
    """Wait until so many letters are in a state."""

    async def found() -> list[LetterRow]:
        rows = [row for row in await all_letters(desk) if row.state == state]
        return rows if len(rows) >= count else []

    return await eventually(found)


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    """What is there once there is anything."""
    async with asyncio.timeout(20):
        while not (found := await look()):  # noqa: ASYNC110 - it looks into a database
            await asyncio.sleep(0.02)
    return found


def hours_later(desk: Desk) -> None:
    """What was put off is due."""
    desk.clock.advance(hours=2)
    desk.units.signals.mail.set()


async def attempted(desk: Desk, times: int) -> bool:
    return (await desk.outbox(channel="email"))[0].attempts >= times


async def failed(running: MailCourier) -> bool:
    return running._failures > 0


async def all_letters(desk: Desk) -> list[LetterRow]:
    with desk.database.read() as session:
        return list(session.exec(select(LetterRow).order_by("id")).all())


async def reply(
    desk: Desk, number: int, text: str = "Friday is **fine**.", then: Action | None = None, cause: str = "$r"
) -> None:
    caller = await desk.caller(ANNA)
    caller = Caller(caller.actor, caller.place, cause)
    await desk.units.run(lambda unit: letters.reply(unit, number, text, caller, then))


async def posts(desk: Desk) -> list[ReplyPost]:
    """What the thread shows of replies, in order, edits included."""
    jobs = await desk.deliver()
    return [job.view for job in jobs if isinstance(job, Send) and isinstance(job.view, ReplyPost)]


async def test_a_reply_goes_out_and_only_then_counts_as_sent(desk: Desk, server: FakeMailServer) -> None:
    number = await desk.open()
    mail = MailHead("<one@example.net>", ("<zero@example.net>",))
    message = NewMessage("By mail", Intake.EMAIL, mail=mail)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, number, message))
    await reply(desk, number)
    (shown,) = await posts(desk)
    assert (shown.state, shown.author and shown.author.user_id) == (LetterState.WAITING, ANNA)
    assert await desk.outbox(kind="reaction") == []
    async with courier(desk, settings(server)):
        (letter,) = await until(desk, LetterState.SENT)
    (received,) = server.mails
    assert (received.sender, received.to) == ("help@example.org", ("kim@example.org",))
    assert received.mail_id == letter.mail_id
    assert received.message["In-Reply-To"] == "<one@example.net>"
    assert received.message["References"] == "<zero@example.net> <one@example.net>"
    assert received.text().startswith("Friday is fine.\n\nAnna")
    signed = await desk.units.look(lambda unit: mail_ids.signed_ticket(unit, received.mail_id))
    known = await desk.units.look(lambda unit: mail_ids.known_ticket(unit, received.mail_id))
    assert signed == known == number
    (told,) = await posts(desk)
    assert (told.state, told.done_at) == (LetterState.SENT, desk.clock.now)
    (ticked,) = await desk.outbox(kind="reaction")
    assert ticked.room == FREIBURG
    last = (await desk.history(number))[-1]
    assert (last.action, last.who, last.cause) == (Action.REPLY, ANNA, "$r")


async def test_a_reply_that_is_done_once_more_after_a_restore_is_not_sent(desk: Desk) -> None:
    number = await desk.open()
    caller = await desk.caller(ANNA)
    once_more = RepeatedUnits(desk.units, desk.clock.now)
    await once_more.run(lambda unit: letters.reply(unit, number, "Friday", caller))
    assert [row.state for row in await desk.outbox(channel="email")] == ["cancelled"]
    assert [entry.action for entry in await desk.history(number)][-1] == Action.REPLY


async def test_the_same_command_once_more_sends_nothing_more(desk: Desk) -> None:
    number = await desk.open()
    await reply(desk, number)
    await reply(desk, number)
    assert len(await all_letters(desk)) == 1


@pytest.mark.parametrize(("then", "status"), [(Action.WAIT, Status.WAITING), (Action.CLOSE, Status.CLOSED)])
async def test_a_reply_that_moves_is_one_commit_and_only_the_move_is_undone(
    desk: Desk, then: Action, status: Status
) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number)
    await reply(desk, number, then=then)
    assert (await desk.ticket(number)).status == status
    assert [entry.action for entry in await desk.history(number)][-2:] == [Action.REPLY, then]
    await desk.do(Action.UNDO, number)
    assert (await desk.ticket(number)).status == Status.IN_PROGRESS
    assert [row.state for row in await all_letters(desk)] == [LetterState.WAITING]


async def test_a_reply_is_not_undone(desk: Desk) -> None:
    number = await desk.open()
    await reply(desk, number)
    with pytest.raises(NothingToUndo) as refused:
        await desk.do(Action.UNDO, number)
    assert refused.value.problem is UndoProblem.SENT
    assert [row.state for row in await all_letters(desk)] == [LetterState.WAITING]


async def test_where_the_move_is_refused_nothing_goes_out(desk: Desk) -> None:
    number = await desk.open()
    caller = await desk.caller(ANNA)
    await desk.units.run(lambda unit: tasks.add(unit, number, "test it", caller))
    with pytest.raises(OpenTasks):
        await reply(desk, number, then=Action.CLOSE)
    assert await all_letters(desk) == []


async def test_nobody_to_write_to(desk: Desk, database_url: str) -> None:
    number = await desk.open(email=None)
    with pytest.raises(NoMailAddress) as refused:
        await reply(desk, number)
    assert refused.value.phone
    desk.units.policy = POLICY
    with pytest.raises(MailNotSetUp):
        await reply(desk, number)


async def test_prepared_answers_fit_the_topic_and_are_filled_in(desk: Desk) -> None:
    number = await desk.open(name="*Kim*")
    caller = await desk.caller(ANNA)
    view = await desk.units.look(lambda unit: canned.offered(unit, number, caller))
    assert [name for name, _text in view.answers] == ["pickup"]
    chosen = await desk.units.look(lambda unit: canned.chosen(unit, number, "@Pickup\nAnna", caller))
    assert chosen == f"Hallo \\*Kim\\*, #{number} liegt bereit.\n\nAnna"
    with pytest.raises(NoCannedAnswer):
        await desk.units.look(lambda unit: canned.chosen(unit, number, "@thanks", caller))


async def test_killed_between_sending_and_noting_it_goes_again_as_the_same_mail(
    desk: Desk, server: FakeMailServer
) -> None:
    number = await desk.open()
    await reply(desk, number)
    claimed = await desk.units.run(mail_jobs.claim)
    assert claimed.job is not None
    sender = MailServer(settings(server))
    await sender.send(COMPOSER.compose(claimed.job.letter))
    await sender.close()
    assert (await desk.units.run(mail_jobs.claim)).job is None  # not by the same courier
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT)
    assert len({mail.mail_id for mail in server.mails}) == 1
    assert len(server.mails) == 2


async def test_a_full_disk_sends_nothing_twice(
    desk: Desk, server: FakeMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reply(desk, await desk.open())
    write, refused, full = desk.database.writing, 0, True

    async def writing(work: Callable[[Session], T]) -> T:
        nonlocal refused
        if full:
            refused += 1
            raise DatabaseUnavailable("disk full")
        return await write(work)

    def fill() -> None:
        nonlocal full, refused
        full, refused = True, 0

    async def refused_twice() -> bool:
        desk.units.signals.mail.set()
        return refused > 1

    monkeypatch.setattr(desk.database, "writing", writing)
    server.after_data = fill
    async with courier(desk, settings(server)):
        await eventually(refused_twice)
        assert server.mails == []
        full = False
        await eventually(lambda: asyncio.sleep(0, bool(server.mails) and full))
        await eventually(refused_twice)
        hours_later(desk)
        full = False
        await until(desk, LetterState.SENT)
    assert len(server.mails) == 1


async def test_what_is_cancelled_while_another_letter_goes_is_not_sent(
    desk: Desk, server: FakeMailServer
) -> None:
    first, second = await desk.open(), await desk.open()
    for number in (first, second):
        await reply(desk, number, cause=f"${number}")

    def cancel() -> None:
        with desk.database.write() as session:
            outbox.cancel_about(session, second, desk.clock.now)

    server.after_data = cancel
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT)
        desk.units.signals.mail.set()
        await asyncio.sleep(0.2)
    assert [f"[#{first}]" in str(mail.message["Subject"]) for mail in server.mails] == [True]


async def test_a_server_that_goes_away_in_the_middle_loses_nothing(
    desk: Desk, server: FakeMailServer
) -> None:
    numbers = [await desk.open(email=f"kim{n}@example.org") for n in range(4)]
    for number in numbers:
        await reply(desk, number, cause=f"$r{number}")
    gone = asyncio.Event()

    def vanish() -> None:
        if len(server.mails) == 2 and not gone.is_set():
            gone.set()
            raise ConnectionResetError  # it took the mail and never says so

    server.after_data = vanish
    async with courier(desk, settings(server)):
        async with asyncio.timeout(20):
            await gone.wait()
        await server.stop()
        await asyncio.sleep(0.1)
        await server.start()
        await until(desk, LetterState.SENT, 3)
        hours_later(desk)
        await until(desk, LetterState.SENT, 4)
    by_id = {mail.mail_id for mail in server.mails}
    assert by_id == {row.mail_id for row in await all_letters(desk)}
    assert len(server.mails) == 5  # the one whose answer was lost came twice, as the same mail


async def test_not_now_is_tried_again_and_then_told(desk: Desk, server: FakeMailServer) -> None:
    number = await desk.open()
    await reply(desk, number)
    await posts(desk)
    server.on_recipient = lambda _address: "451 4.7.1 Greylisted, kim@example.org"
    async with courier(desk, settings(server)):
        for attempt in (1, 2, 3):
            await eventually(partial(attempted, desk, attempt))
            if attempt < 3:
                assert await posts(desk) == []
                hours_later(desk)
        late = await posts(desk)
        assert [(post.state, post.reason) for post in late] == [
            (LetterState.WAITING, "451 4.7.1 Greylisted, kim@example.org")
        ]
        server.on_recipient = lambda _address: "250 OK"
        hours_later(desk)
        await until(desk, LetterState.SENT)
    assert len(server.mails) == 1


async def test_what_is_not_taken_for_days_is_given_up(desk: Desk, server: FakeMailServer) -> None:
    number = await desk.open()
    await reply(desk, number)
    desk.clock.advance(hours=49)
    server.on_recipient = lambda _address: "450 4.2.2 Mailbox full"
    async with courier(desk, settings(server)):
        await until(desk, LetterState.FAILED)
    (row,) = await desk.outbox(channel="email")
    assert (row.state, row.error) == ("failed", "450")


@pytest.mark.parametrize("where", ["recipient", "data"])
async def test_never_is_set_aside_and_rings_for_whoever_wrote(
    desk: Desk, server: FakeMailServer, where: str
) -> None:
    number = await desk.open()
    await desk.do(Action.TAKE, number, BEN)
    await reply(desk, number)
    await posts(desk)
    said = "550 5.1.1 No such user kim@example.org"
    if where == "recipient":
        server.on_recipient = lambda _address: said
    else:
        server.on_data = lambda _mail: said
    async with courier(desk, settings(server)):
        (letter,) = await until(desk, LetterState.FAILED)
    assert letter.reason == said
    (alert,) = await desk.alerts("undelivered")
    view = await desk.units.look(lambda unit: alerts.load(unit, alert))
    assert isinstance(view, UndeliveredAlert)
    assert [person.user_id for person in view.mentions] == [ANNA]
    assert [post.state for post in await posts(desk)] == [LetterState.FAILED]
    (row,) = await desk.outbox(channel="email")
    assert (row.state, row.error, row.payload) == ("failed", "550", None)
    assert await desk.outbox(kind="reaction") == []


async def test_one_letter_that_is_refused_keeps_no_other(desk: Desk, server: FakeMailServer) -> None:
    for name in ("bad", "good"):
        number = await desk.open(email=f"{name}@example.org")
        await reply(desk, number, cause=f"${name}")
    server.on_recipient = lambda address: "550 5.1.1 no" if address.startswith("bad") else "250 OK"
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT)
        await until(desk, LetterState.FAILED)
    assert [mail.to for mail in server.mails] == [("good@example.org",)]


@pytest.mark.parametrize("said", ["421 4.3.2 Going down", None])
async def test_one_letter_that_ends_the_connection_keeps_no_other(
    desk: Desk, server: FakeMailServer, said: str | None
) -> None:
    for name in ("bad", "good"):
        number = await desk.open(email=f"{name}@example.org")
        await reply(desk, number, cause=f"${name}")

    def filtered(mail: Received) -> str:
        if mail.to == ("good@example.org",):
            return TAKEN
        if said is None:
            raise ConnectionResetError
        return said

    server.on_data = filtered
    async with courier(desk, settings(server)) as running:
        await until(desk, LetterState.SENT)
        assert not await failed(running)
    assert [mail.to for mail in server.mails] == [("good@example.org",)]
    assert [row.attempts for row in await desk.outbox(channel="email")] == [1, 0]
    reasons = [row.reason for row in await all_letters(desk)]
    assert reasons == [said or "4.4.2 the mail server broke off the connection", None]


async def test_letters_of_one_ticket_keep_their_order(desk: Desk, server: FakeMailServer) -> None:
    number = await desk.open()
    for n in range(5):
        await reply(desk, number, f"{n}", cause=f"${n}")
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT, 5)
    assert [mail.text()[0] for mail in server.mails] == list("01234")
    assert server.mails[4].message["In-Reply-To"] == server.mails[3].mail_id


@pytest.mark.parametrize("starttls", [False, True])
async def test_tls_with_a_login(desk: Desk, starttls: bool) -> None:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    security = Security.STARTTLS if starttls else Security.TLS
    async with mail_server(authority=authority, starttls=starttls, password=PASSWORD) as server:
        number = await desk.open()
        await reply(desk, number)
        good = settings(server, security=security, user=USER, password=PASSWORD, context=trusting)
        async with courier(desk, good):
            await until(desk, LetterState.SENT)
        assert [mail.encrypted for mail in server.mails] == [True]
        # A certificate that nobody vouches for: not a word is said to such a server.
        await reply(desk, number, cause="$second")
        async with courier(desk, replace(good, context=None)) as doubting:
            await eventually(partial(failed, doubting))
        assert len(server.mails) == 1


async def test_a_wrong_password_is_told_to_the_admins_and_loses_nothing(desk: Desk) -> None:
    async with mail_server(password=PASSWORD) as server:
        number = await desk.open()
        await reply(desk, number)
        async with courier(desk, settings(server, user=USER, password="wrong")):
            told = await eventually(lambda: desk.alerts("mail_server"))
        view = await desk.units.look(lambda unit: alerts.load(unit, told[0]))
        assert isinstance(view, MailServerReport)
        assert view.reason.startswith("535")
        async with courier(desk, settings(server, user=USER, password=PASSWORD)):
            await until(desk, LetterState.SENT)


async def test_a_bounce_is_shown_once_and_rings(desk: Desk, server: FakeMailServer) -> None:
    number = await desk.open()
    await reply(desk, number)
    async with courier(desk, settings(server)):
        (letter,) = await until(desk, LetterState.SENT)
    await desk.deliver()
    for _twice in range(2):
        told = await desk.units.run(
            lambda unit: mail_outcomes.bounced(unit, letter.mail_id, "5.1.1\r\nunknown user")
        )
        assert told == number
    assert len(await desk.alerts("undelivered")) == 1
    (post,) = await posts(desk)
    assert (post.state, post.reason) == (LetterState.BOUNCED, "5.1.1 unknown user")
    assert await desk.units.run(lambda unit: mail_outcomes.bounced(unit, "<else@example.org>", "x")) is None


async def open_acknowledged(desk: Desk, email: str, origin: str | None = None, **having: Any) -> int:
    wanted = request(email=email, **having)
    wish = AckWish(origin=origin)
    opened = await desk.units.run(lambda unit: intake.open_ticket(unit, wanted, acknowledge=wish))
    return opened.number


async def test_acknowledgements_are_capped_per_address_and_origin(desk: Desk) -> None:
    for _n in range(3):
        await open_acknowledged(desk, "Kim@example.org")
    assert len(await all_letters(desk)) == 2
    for n in range(5):
        await open_acknowledged(desk, f"victim{n}@example.org", origin="192.0.2.7")
    assert len(await all_letters(desk)) == 5
    desk.clock.advance(days=1, seconds=1)
    await open_acknowledged(desk, "kim@example.org", origin="192.0.2.7")
    rows = await all_letters(desk)
    assert len(rows) == 6
    assert "192.0.2.7" not in str([row.model_dump() for row in rows])


@pytest.mark.parametrize(
    "having",
    [{"intake": Intake.CHAT}, {"autorespond": False}, {"email": None}, {"region": "berlin"}],
)
async def test_who_is_not_acknowledged(desk: Desk, having: dict[str, Any]) -> None:
    await open_acknowledged(desk, **{"email": "kim@example.org", **having})
    assert await all_letters(desk) == []


async def test_an_acknowledgement_goes_out_with_a_null_sender(desk: Desk, server: FakeMailServer) -> None:
    mail = MailHead("<asked@example.net>")
    number = await open_acknowledged(desk, "kim@example.org", mail=mail, language="en")
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT)
    (received,) = server.mails
    assert received.sender == ""
    assert received.message["In-Reply-To"] == "<asked@example.net>"
    assert received.message["Auto-Submitted"] == "auto-replied"
    assert f"#{number}" in received.text()
    assert received.text().startswith("Hello,")


@pytest.mark.parametrize(
    ("return_path", "linked"), [("Kim@example.org", True), ("bounces@lists.example.net", False)]
)
async def test_a_return_path_that_is_the_requester_gets_the_link(
    desk: Desk, server: FakeMailServer, return_path: str, linked: bool
) -> None:
    page = PagePolicy(timedelta(days=90), "https://help.example.org", frozenset())
    desk.units.policy = replace(desk.units.policy, page=page)
    wanted, wish = request(email="kim@example.org", intake=Intake.EMAIL), AckWish(to=return_path)
    await desk.units.run(lambda unit: intake.open_ticket(unit, wanted, acknowledge=wish))
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT)
    (received,) = server.mails
    assert received.to == ("kim@example.org" if linked else return_path,)
    assert ("https://help.example.org/request/m" in received.text()) is linked


async def test_a_purge_leaves_no_letter_and_sends_none(desk: Desk, server: FakeMailServer) -> None:
    kept, gone = await desk.open(), await desk.open()
    for number in (kept, gone):
        await reply(desk, number, cause=f"${number}")
    await desk.do(Action.DELETE, gone, DORA)
    caller = await desk.caller(DORA)
    await desk.units.run(lambda unit: purge.purge(unit, gone, caller))
    assert [row.number for row in await all_letters(desk)] == [kept]
    async with courier(desk, settings(server)):
        await until(desk, LetterState.SENT)
    assert [f"[#{kept}]" in str(mail.message["Subject"]) for mail in server.mails] == [True]


async def test_a_reply_goes_along_in_a_merge(desk: Desk, server: FakeMailServer) -> None:
    first, second = await desk.open(), await desk.open()
    await reply(desk, second)
    caller = await desk.caller(ANNA)
    await desk.units.run(lambda unit: merging.merge(unit, second, first, caller))
    async with courier(desk, settings(server)):
        (letter,) = await until(desk, LetterState.SENT)
    told = await desk.units.run(lambda unit: mail_outcomes.bounced(unit, letter.mail_id, "5.1.1 x"))
    assert told == first


async def test_mail_that_waits_keeps_no_card_waiting(desk: Desk) -> None:
    number = await desk.open()
    await reply(desk, number)
    await desk.deliver()
    assert len(desk.homeserver.cards(number)) == 1
    assert [row.state for row in await desk.outbox(channel="email")] == ["waiting"]


async def test_a_server_away_for_days_gives_up_what_waited(desk: Desk, server: FakeMailServer) -> None:
    number = await desk.open()
    await reply(desk, number)
    desk.clock.advance(hours=49)
    await server.stop()
    async with courier(desk, settings(server)):
        (letter,) = await until(desk, LetterState.FAILED)
    assert letter.reason == "4.4.1 the mail server is away"


async def test_stopping_ends_while_the_server_hangs(desk: Desk) -> None:
    silent: list[asyncio.StreamWriter] = []
    hangs = await asyncio.start_server(lambda _reader, writer: silent.append(writer), "localhost", 0)
    port = hangs.sockets[0].getsockname()[1]
    number = await desk.open()
    await reply(desk, number)
    running = MailCourier(desk.units, COMPOSER, MailServer(ServerSettings("localhost", port, Security.NONE)))
    task = asyncio.create_task(running.run())
    await asyncio.sleep(0.3)
    running.stop()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    for writer in silent:
        writer.close()
    hangs.close()
    assert [row.state for row in await all_letters(desk)] == [LetterState.WAITING]
