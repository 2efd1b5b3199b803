"""Mails that come in: which ticket each is about, and what becomes of it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel, col, select

from bot.domain.incoming import Mail, MailKind
from bot.domain.mail import LOOP_HEADER, MailPolicy, message_id
from bot.domain.words import Action
from bot.intake.email.reading import read_mail
from bot.services import mail_ids, mail_in
from bot.services.mail_in import Box, Fate, Received, Rule
from bot.services.views import FilePost, MessageAlert
from storage import tickets
from storage.models import Attachment, KeptMail, LetterRow, MailMark, Requester, TicketMessage
from tests.integration.desk_data import ADMINS, ANNA, DORA, FREIBURG, POLICY, Desk, desk_on
from tests.mail_data import LIMITS, mail, raw

OWN = frozenset({"hilfe@desk.example"})
BOX = Box("hilfe", team="berlin", topic="other", own=OWN, most_open=3)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def receive(desk: Desk, read: Mail, box: Box = BOX) -> Received:
    return await desk.units.run(lambda unit: mail_in.receive_mail(unit, read, box))


async def rows(desk: Desk, table: type[SQLModel]) -> list[Any]:
    with desk.database.read() as session:
        return list(session.exec(select(table)).all())


async def messages(desk: Desk, number: int) -> list[TicketMessage]:
    with desk.database.read() as session:
        query = select(TicketMessage).where(TicketMessage.number == number)
        return list(session.exec(query.order_by(col(TicketMessage.id))).all())


async def signed(desk: Desk, number: int) -> str:
    """The Message-ID of a mail that the bot sent about a ticket, without brackets."""
    key = await desk.units.run(mail_ids.key_of)
    return message_id(key, number, "0123456789abcdef", "desk.example").strip("<>")


async def test_a_mail_opens_a_ticket(desk: Desk) -> None:
    received = await receive(desk, mail("plain"))
    assert received.fate is Fate.TICKET
    ticket = await desk.ticket(received.number or 0)
    assert (ticket.team, ticket.region, ticket.topic) == ("freiburg", "freiburg", "other")
    assert ticket.subject == "Laptop für die Ausbildung"
    [requester] = await rows(desk, Requester)
    assert (requester.name, requester.email) == ("Maria Muster", "maria@example.org")
    [message] = await messages(desk, received.number or 0)
    assert message.text.endswith("Maria")
    assert (message.original or "").endswith("Tel. 0761 000000")
    assert message.mail_id == "<first.1@mail.example.org>"


async def test_the_mailbox_and_its_rules_decide_where_nothing_else_does(desk: Desk) -> None:
    plain = await receive(desk, mail("empty"))
    assert (await desk.ticket(plain.number or 0)).team == "berlin"
    rules = (
        Rule(subject="FOTOS", team="freiburg", topic="donation_offer"),
        Rule(to="hilfe@desk.example", region="elsewhere"),
    )
    by_subject = await receive(desk, mail("nested"), replace(BOX, rules=rules))
    ticket = await desk.ticket(by_subject.number or 0)
    assert (ticket.team, ticket.topic, ticket.region) == ("freiburg", "donation_offer", None)
    by_address = await receive(desk, mail("charset_koi8"), replace(BOX, rules=rules))
    assert (await desk.ticket(by_address.number or 0)).team is None


async def test_the_same_mail_counts_once(desk: Desk) -> None:
    first = await receive(desk, mail("plain"))
    again = await receive(desk, read_mail(b"Received: elsewhere\n" + raw("plain"), LIMITS), Box("other"))
    assert again == Received(Fate.DUPLICATE, first.number)
    for _twice in range(2):
        await receive(desk, mail("no_message_id"))
    own = replace(mail("empty"), sender="hilfe@desk.example")
    assert (await receive(desk, own)).fate is Fate.OWN
    assert (await receive(desk, own)).fate is Fate.DUPLICATE
    assert len(await rows(desk, Requester)) == 2
    assert len(await rows(desk, MailMark)) == 3


async def test_nobody_takes_anothers_message_id(desk: Desk) -> None:
    stolen = replace(mail("forged_token"), message_id=mail("plain").message_id)
    await receive(desk, stolen)
    received = await receive(desk, mail("plain"))
    assert received.fate is Fate.TICKET


async def test_our_own_signature_leads_to_the_ticket(desk: Desk) -> None:
    """Whoever answers: only those have the mail to whom it went, or whom they gave it."""
    number = await desk.open(email="someone@else.example")
    other = await desk.open(email="maria@example.org")
    ours = await signed(desk, number)
    read = replace(mail("reply_thunderbird"), references=("unknown@x", ours, "first.1@mail.example.org"))
    assert await receive(desk, read) == Received(Fate.MESSAGE, number)
    message = (await messages(desk, number))[-1]
    assert message.sender == "Maria Muster <maria@example.org>"
    assert len(await messages(desk, other)) == 1


async def test_a_forged_signature_leads_nowhere(desk: Desk) -> None:
    number = await desk.open()
    ours = await signed(desk, number)
    forged = ours.replace(f".{number}.", ".1.") if number != 1 else ours[:-20] + "0" + ours[-19:]
    forged = forged.replace("0123456789abcdef", "0123456789abcdee")
    read = replace(mail("forged_token"), references=(forged,), subject="Hello")
    assert (await receive(desk, read)).fate is Fate.TICKET


async def test_a_known_message_id_leads_to_the_ticket(desk: Desk) -> None:
    first = await receive(desk, mail("plain"))
    read = replace(mail("reply_outlook"), references=("first.1@mail.example.org",), subject="Re: Laptop")
    assert await receive(desk, read) == Received(Fate.MESSAGE, first.number)


async def test_a_number_in_the_subject_counts_from_its_people_only(desk: Desk) -> None:
    number = await desk.open(email="maria@example.org")
    stranger = replace(mail("forged_token"), subject=f"Re: [#{number}] Laptop")
    received = await receive(desk, stranger)
    assert received.fate is Fate.TICKET
    assert received.number != number
    theirs = replace(mail("reply_thunderbird"), references=(), subject=f"AW: [#{number}] Laptop")
    assert await receive(desk, theirs) == Received(Fate.MESSAGE, number)
    # Who has written on it before is one of its people.
    ours = await signed(desk, number)
    await receive(desk, replace(mail("reply_gmail"), references=(ours,)))
    again = replace(mail("reply_gmail"), message_id="kim2@x", references=(), subject=f"[#{number}]")
    assert await receive(desk, again) == Received(Fate.MESSAGE, number)


async def test_nobody_becomes_the_requester_by_reply_to(desk: Desk) -> None:
    number = await desk.open(email="maria@example.org")
    forged = raw("forged_token").replace(b"[#1]", f"[#{number}]".encode())
    assert f"[#{number}]".encode() in forged
    answering = b"Reply-To: maria@example.org\n" + forged
    nameless = re.sub(rb"(?m)^From:.*\n|^Message-ID:.*\n", b"", answering)
    for data in (answering, nameless):
        received = await receive(desk, read_mail(data, LIMITS))
        assert received.fate is Fate.TICKET
        assert received.number != number
    # Somebody to whom our mail was given: not shown as the requester.
    given = replace(read_mail(answering, LIMITS), message_id="2@x", references=(await signed(desk, number),))
    assert await receive(desk, given) == Received(Fate.MESSAGE, number)
    assert given.sender is not None
    assert given.sender in ((await messages(desk, number))[-1].sender or "")


async def test_a_message_reopens_and_rings(desk: Desk) -> None:
    number = await desk.open(email="maria@example.org")
    await desk.do(Action.TAKE, number)
    await desk.do(Action.CLOSE, number)
    await desk.deliver()
    read = replace(mail("reply_thunderbird"), references=(await signed(desk, number),))
    await receive(desk, read)
    assert (await desk.ticket(number)).status == "open"
    [alert] = [job for job in await desk.deliver() if isinstance(getattr(job, "view", None), MessageAlert)]
    view = alert.view  # type: ignore[union-attr]
    assert isinstance(view, MessageAlert)
    assert [person.user_id for person in view.mentions] == [ANNA]
    assert view.message.sender is None


@pytest.mark.parametrize("name", ["ooo_outlook_de", "ooo_gmail_en", "ooo_sieve_fr", "read_receipt"])
async def test_automatic_mail_is_kept_and_moves_and_rings_nobody(desk: Desk, name: str) -> None:
    number = await desk.open(email="toni@example.com")
    await desk.do(Action.CLOSE, number)
    await desk.deliver()
    history = len(await desk.history(number))
    read = replace(mail(name), references=(await signed(desk, number),))
    assert await receive(desk, read) == Received(Fate.AUTOMATIC, number)
    assert (await desk.ticket(number)).status == "closed"
    assert len(await desk.history(number)) == history
    assert (await messages(desk, number))[-1].kind == "automatic"
    for job in await desk.deliver():
        assert not getattr(getattr(job, "view", None), "mentions", ())


async def test_a_mailing_list_opens_a_ticket_that_rings_for_nobody(desk: Desk) -> None:
    received = await receive(desk, mail("mailing_list"))
    assert received.fate is Fate.TICKET
    [card] = [job for job in await desk.claim() if job.kind == "card"]
    assert getattr(card, "silent", None) is True


async def test_a_bounce_of_nothing_of_ours_is_dropped(desk: Desk) -> None:
    await desk.open()
    assert (await receive(desk, mail("bounce_postfix"))).fate is Fate.STRAY
    assert (await receive(desk, mail("bounce_postfix"))).fate is Fate.DUPLICATE
    assert len(await rows(desk, Requester)) == 1


async def test_own_mail_is_dropped(desk: Desk) -> None:
    mark = await desk.units.run(mail_ids.loop_mark)
    data = f"{LOOP_HEADER}: {mark}\n".encode() + raw("plain")
    assert (await receive(desk, read_mail(data, LIMITS))).fate is Fate.OWN
    foreign = data.replace(mark.encode(), b"f" * len(mark)).replace(b"<first.1@", b"<first.2@")
    assert (await receive(desk, read_mail(foreign, LIMITS))).fate is Fate.TICKET


async def test_nobody_floods_the_desk_with_tickets(desk: Desk) -> None:
    numbers = []
    for index in range(6):
        read = replace(mail("plain"), message_id=f"{index}@flood", subject=f"Nr. {index}")
        numbers.append((await receive(desk, read)).number)
    assert len(set(numbers)) == BOX.most_open
    assert set(numbers[3:]) == {numbers[2]}
    await desk.do(Action.CLOSE, numbers[0] or 0)
    read = replace(mail("plain"), message_id="after@flood")
    assert (await receive(desk, read)).fate is Fate.TICKET


async def test_a_reply_never_undoes_a_deletion_or_spam(desk: Desk) -> None:
    number = await desk.open(email="maria@example.org")
    await desk.do(Action.SPAM, number)
    ours = await signed(desk, number)
    await receive(desk, replace(mail("reply_thunderbird"), references=(ours,)))
    assert (await desk.ticket(number)).status == "spam"
    await desk.do(Action.DELETE, number, DORA, room=ADMINS)
    received = await receive(desk, replace(mail("reply_outlook"), references=(ours,)))
    assert received.fate is Fate.TICKET
    assert received.number != number
    assert (await desk.ticket(number)).status == "deleted"
    assert (await desk.ticket(received.number or 0)).follows == number


async def test_files_follow_the_card_into_its_thread(desk: Desk) -> None:
    received = await receive(desk, replace(mail("nested"), recipients=("hilfe+freiburg@desk.example",)))
    jobs = [job for job in await desk.deliver() if job.kind in ("card", "alert")]
    assert [job.kind for job in jobs] == ["card", "alert", "alert"]
    files = [job for job in jobs if isinstance(getattr(job, "view", None), FilePost)]
    assert [job.view.file.name for job in files] == ["Gerät vorn.jpg", "Übersicht.pdf"]  # type: ignore[union-attr]
    assert {job.room_id for job in files} == {FREIBURG}  # type: ignore[union-attr]
    assert all(job.thread for job in files)  # type: ignore[union-attr]
    assert received.number is not None


async def test_what_was_too_large_is_named(desk: Desk) -> None:
    small = replace(LIMITS, max_attachment=7)
    received = await receive(desk, mail("nested", small))
    kept = {file.name: (file.size, len(file.data)) for file in await rows(desk, Attachment)}
    assert kept == {"Gerät vorn.jpg": (6, 6), "Übersicht.pdf": (8, 0)}
    view = await desk.units.look(lambda unit: tickets.attachments(unit.session, [1]))
    assert [each[4] for each in view] == [True, False]
    assert received.fate is Fate.TICKET


async def test_what_cannot_be_read_is_kept_and_told(desk: Desk) -> None:
    data = b"no mail"
    for _twice in range(2):
        await desk.units.run(
            lambda unit: mail_in.keep_aside(unit, "hilfe", "unreadable", len(data), data, data)
        )
    [kept] = await rows(desk, KeptMail)
    assert (kept.data, kept.mailbox) == (data, "hilfe")
    assert len(await desk.alerts("mail_aside")) == 1
    assert [job.room_id for job in await desk.deliver() if job.kind == "report"] == [ADMINS]  # type: ignore[union-attr]


ANSWERING = replace(POLICY, mail=MailPolicy("desk.example", frozenset({"freiburg", "berlin", None})))


async def test_a_bounce_of_an_acknowledgement_finds_its_ticket(database_url: str) -> None:
    async with desk_on(database_url, ANSWERING) as desk:
        number = (await receive(desk, mail("plain"))).number
        [letter] = await rows(desk, LetterRow)
        data = raw("bounce_postfix").replace(b"<sent.9@desk.example>", letter.mail_id.encode())
        assert await receive(desk, read_mail(data, LIMITS)) == Received(Fate.BOUNCE, number)
        [letter] = await rows(desk, LetterRow)
        assert letter.state == "bounced"
        late = raw("bounce_delayed").replace(b"<sent.9@desk.example>", letter.mail_id.encode())
        assert await receive(desk, read_mail(late, LIMITS)) == Received(Fate.BOUNCE, number)
        assert len(await messages(desk, number or 0)) == 1


@pytest.mark.parametrize("says", [True, False], ids=["automatic", "silent"])
async def test_what_may_be_no_bounce_is_kept(database_url: str, *, says: bool) -> None:
    """Out of office with an empty return path, as Sieve writes it (RFC 5230, 5.1), or a server's words."""
    async with desk_on(database_url, ANSWERING) as desk:
        number = (await receive(desk, mail("plain"))).number or 0
        [letter] = await rows(desk, LetterRow)
        marks = b"Return-Path: <>\n" + (b"Auto-Submitted: auto-replied\n" if says else b"")
        data = raw("reply_outlook").replace(b"<sent.9@desk.example>", letter.mail_id.encode())
        received = await receive(desk, read_mail(marks + data, LIMITS))
        assert received == Received(Fate.AUTOMATIC if says else Fate.BOUNCE, number)
        kept = (await messages(desk, number))[-1]
        assert (kept.kind, "Montag" in kept.text) == ("automatic", True)
        [letter] = await rows(desk, LetterRow)
        assert (letter.state == "bounced") is not says


@pytest.mark.parametrize("told", [True, False], ids=["marked", "unmarked"])
async def test_two_desks_that_mail_each_other_stop_by_themselves(
    sqlite_database: str, tmp_path: Path, *, told: bool
) -> None:
    """Also where a server between them takes away what says that a mail is automatic, and what it answers."""
    async with (
        desk_on(sqlite_database, ANSWERING) as one,
        desk_on(f"sqlite:///{tmp_path}/o.db", ANSWERING) as two,
    ):
        first = replace(mail("plain"), sender="hilfe@two.example", return_path=None)
        await receive(one, first)
        sender, receiver, sent = one, two, 0
        for _round in range(50):
            letters = await rows(sender, LetterRow)
            if len(letters) == sent // 2:
                break
            sent += 1
            answer = replace(
                mail("plain"),
                message_id=letters[-1].mail_id.strip("<>"),
                sender="hilfe@one.example" if sender is one else "hilfe@two.example",
                kind=MailKind.AUTOMATIC if told else MailKind.PERSONAL,
                loops=(await sender.units.run(mail_ids.loop_mark),) if told else (),
                return_path="" if told else None,
            )
            await receive(receiver, answer)
            sender, receiver = receiver, sender
        assert sent == 1 if told else sent <= 2 * ANSWERING.mail.per_address  # type: ignore[union-attr]
