"""A mail comes in: known already? ours? which ticket? Then it is one message, or a new ticket: one commit."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.domain.errors import NameKind, UnknownName
from bot.domain.incoming import Mail, MailKind
from bot.domain.mail import keyed_hash
from bot.domain.merging import address_key
from bot.domain.request import MailHead, NewAttachment, NewRequest
from bot.domain.words import Intake, State, Team, statuses_of
from bot.services import arrivals, intake, mail_ids, mail_outcomes
from bot.services.arrivals import NewMessage
from bot.services.letters import AckWish
from bot.services.unit import ADMIN_ROOM, Unit
from storage import conversation, mails, outbox, tickets
from storage.models import Ticket
from storage.outbox import Kind, Priority

TOO_LARGE: Final = "too_large"
_TOKEN: Final = re.compile(r"\[#([1-9][0-9]{0,14})\]")
_REMEMBERED: Final = timedelta(days=400)
_NAMELESS: Final = "?"
_SUBJECTLESS: Final = "E-Mail"
_FIRST_LINE: Final = 80


class Fate(StrEnum):
    """What became of a mail."""

    TICKET = "ticket"
    """It opened one."""
    MESSAGE = "message"
    AUTOMATIC = "automatic"
    """A program's, kept with the ticket that it is about."""
    BOUNCE = "bounce"
    DUPLICATE = "duplicate"
    OWN = "own"
    """Sent by this bot: dropped."""
    STRAY = "stray"
    """A bounce of something that was not sent from here: dropped."""
    ASIDE = "aside"
    """Kept whole, and told to the admins."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Mails to this address, or with these words in their subject, are for a region, team or topic."""

    to: str | None = None
    subject: str | None = None
    region: str | None = None
    team: Team = None
    topic: str | None = None

    def fits(self, mail: Mail) -> bool:
        """Whether all that it asks for is so."""
        addressed = self.to is None or self.to.lower() in mail.recipients
        return addressed and (self.subject is None or self.subject.casefold() in mail.subject.casefold())


@dataclass(frozen=True, slots=True)
class Box:
    """Where a mail came in, and what the config says about it."""

    name: str
    team: Team = None
    topic: str | None = None
    rules: tuple[Rule, ...] = ()
    own: frozenset[str] = frozenset()
    """Addresses of the help desk, as they are compared: mail from them is its own."""
    most_open: int = 10
    """One sender's tickets under way; what comes beyond joins the newest of them."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a mail, and of which ticket."""

    fate: Fate
    number: int | None = None


def receive_mail(unit: Unit, mail: Mail, box: Box) -> Received:
    """Receive one mail; one that was received before changes nothing, whatever became of it then."""
    key, sender = _key(unit, mail.message_id), _sender_hash(unit, mail)
    known = mails.mark(unit.session, key)
    if known is not None and known.sender != sender:
        # Another's mail that claims the same Message-ID: it is told by its content.
        key = _key(unit, mail.derived_id)
        known = mails.mark(unit.session, key)
    if known is not None:
        return Received(Fate.DUPLICATE, known.number)
    received = _sort(unit, mail, box)
    mails.remember(
        unit.session, key=key, sender=sender, fate=received.fate.value, number=received.number, at=unit.now
    )
    unit.log("mail_received", mailbox=box.name, fate=received.fate.value, ticket=received.number)
    unit.wake_courier()
    return received


def keep_aside(unit: Unit, box: str, reason: str, size: int, data: bytes | None, identity: bytes) -> Received:
    """Keep a mail that could not be read, and tell the admins.

    ``data``: ``None`` if it was too large to be fetched; ``identity`` tells it from others.
    """
    kept = mails.keep(
        unit.session, key=hashlib.sha256(identity).hexdigest(), mailbox=box, reason=reason, size=size,
        data=data, at=unit.now,
    )  # fmt: skip
    if kept is None:
        return Received(Fate.ASIDE)
    payload = {"what": "mail_aside", "id": kept, "mailbox": box, "reason": reason, "size": size,
               "here": data is not None}  # fmt: skip
    outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
    unit.log("mail_kept_aside", mailbox=box, reason=reason)
    unit.wake_courier()
    return Received(Fate.ASIDE)


def tell_unmarked(unit: Unit, box: str, code: str | None) -> None:
    """Tell the admins that a server refuses to mark or move what was received; ``code``: its reason."""
    payload = {"what": "mail_unmarked", "mailbox": box, "code": code}
    outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
    unit.wake_courier()


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail that is kept aside. Size in bytes; ``here``: whether it can be read from the database."""

    id: int
    mailbox: str
    reason: str
    size: int
    here: bool
    at: datetime


def kept(unit: Unit) -> tuple[Kept, ...]:
    """The mails that are kept aside, oldest first."""
    return tuple(
        Kept(mail.id or 0, mail.mailbox, mail.reason, mail.size, mail.reason != TOO_LARGE, mail.at)
        for mail in mails.kept(unit.session)
    )


def kept_data(unit: Unit, kept_id: int) -> bytes | None:
    """The bytes of a mail that is kept aside; ``None`` if there is none, or it lies in the mailbox only."""
    mail = mails.kept_one(unit.session, kept_id)
    return mail.data if mail is not None else None


def drop(unit: Unit, kept_id: int) -> bool:
    """Keep a mail no longer; whether there was one."""
    mail = mails.kept_one(unit.session, kept_id)
    if mail is not None:
        mails.drop(unit.session, mail)
        unit.scrub = True
    return mail is not None


def tidy(unit: Unit) -> None:
    """Forget which mails were received long ago."""
    mails.forget(unit.session, unit.now - _REMEMBERED)


def _key(unit: Unit, message_id: str) -> str:
    return keyed_hash(mail_ids.key_of(unit), "mail", message_id)


def _sender_hash(unit: Unit, mail: Mail) -> str:
    return keyed_hash(mail_ids.key_of(unit), "sender", address_key(mail.sender) or "")


def _sort(unit: Unit, mail: Mail, box: Box) -> Received:
    if mail_ids.loop_mark(unit) in mail.loops or address_key(mail.sender) in box.own:
        return Received(Fate.OWN)
    if mail.bounce is not None and (number := _bounced(unit, mail)) is not None:
        if not mail.bounce.certain:
            _append(unit, number, mail, automatic=True)
        return Received(Fate.BOUNCE, number)
    if mail.kind is MailKind.BOUNCE and mail.bounce is not None and mail.bounce.recipient is not None:
        return Received(Fate.STRAY)
    number = _ticket_of(unit, mail)
    if number is not None:
        return _append(unit, number, mail, automatic=mail.kind is not MailKind.PERSONAL)
    person = address_key(_who(mail, box))
    if person is not None:
        opened = mails.tickets_of(unit.session, person, statuses_of(State.OPEN), box.most_open)
        if len(opened) >= box.most_open:
            unit.log("too_many_tickets_of_one_sender", ticket=opened[0])
            return _append(unit, opened[0], mail, automatic=True)
    return _open(unit, mail, box)


def _bounced(unit: Unit, mail: Mail) -> int | None:
    """The ticket of the mail that came back, if it is one of ours."""
    bounce = mail.bounce
    assert bounce is not None  # noqa: S101 - asked for bounces only
    reason = " ".join(part for part in (bounce.status, bounce.reason) if part)
    for each in bounce.about:
        final = mail.kind is MailKind.BOUNCE
        number = mail_outcomes.bounced(unit, f"<{each}>", reason, final=final)
        if number is not None:
            return number
    return None


def _ticket_of(unit: Unit, mail: Mail) -> int | None:
    """The ticket that a mail is about: by our signature, by Message-IDs we know, by number from its people.

    A number in the subject alone proves nothing: anybody can write it. Nor does ``Reply-To``, which no server
    checks: only ``From`` counts.
    """
    for look in (mail_ids.signed_ticket, mail_ids.known_ticket):
        for each in mail.references:
            number = look(unit, f"<{each}>")
            if number is not None and tickets.get(unit.session, number) is not None:
                return number
    sender = address_key(mail.sender)
    if sender is None:
        return None
    for token in _TOKEN.findall(mail.subject):
        number = int(token)
        if tickets.get(unit.session, number) and sender in mail_ids.correspondents(unit, number):
            return number
    return None


def _who(mail: Mail, box: Box) -> str | None:
    """Where answers are to go; a form's mailer names the person there."""
    return mail.reply_to if mail.reply_to and address_key(mail.reply_to) not in box.own else mail.sender


def _append(unit: Unit, number: int, mail: Mail, *, automatic: bool) -> Received:
    ticket = tickets.get(unit.session, number)
    assert ticket is not None  # noqa: S101 - looked up just now
    message = NewMessage(
        text=mail.text,
        intake=Intake.EMAIL,
        attachments=_files(mail),
        sender=_other_sender(unit, ticket, mail),
        automatic=automatic,
        mail=_head(mail),
        acknowledge=None if automatic else _wish(mail),
    )
    arrived = arrivals.receive_message(unit, number, message)
    fate = Fate.TICKET if arrived.follows is not None else Fate.AUTOMATIC if automatic else Fate.MESSAGE
    return Received(fate, arrived.number)


def _other_sender(unit: Unit, ticket: Ticket, mail: Mail) -> str | None:
    """Name and address of who wrote, if it is not the requester."""
    ticket = conversation.goes_on_in(unit.session, ticket)
    requester = tickets.requester_of(unit.session, ticket)
    key = address_key(requester.email) if requester is not None else None
    if key is not None and key == address_key(mail.sender):
        return None
    if mail.sender is None:
        return mail.name or _NAMELESS
    return mail.sender if mail.name == mail.sender else f"{mail.name} <{mail.sender}>"


def _open(unit: Unit, mail: Mail, box: Box) -> Received:
    rule = next((rule for rule in box.rules if rule.fits(mail)), Rule())
    request = NewRequest(
        name=mail.name or _NAMELESS,
        email=_who(mail, box),
        subject=mail.subject or _first_line(mail.text) or _SUBJECTLESS,
        text=mail.text,
        intake=Intake.EMAIL,
        region=_plus_region(unit, mail, box) or rule.region,
        topic=rule.topic or box.topic,
        attachments=_files(mail),
        mail=_head(mail),
        language=mail.language,
    )
    personal = mail.kind is MailKind.PERSONAL
    opened = intake.open_ticket(
        unit,
        request,
        team=rule.team or box.team,
        acknowledge=_wish(mail) if personal else None,
        silent=not personal,
    )
    return Received(Fate.TICKET, opened.number)


def _wish(mail: Mail) -> AckWish | None:
    """Acknowledgements go to the return path; one that is empty wants none (RFC 3834, 2)."""
    return None if mail.return_path == "" else AckWish(to=mail.return_path)


def _plus_region(unit: Unit, mail: Mail, box: Box) -> str | None:
    """The region that stands behind a plus in an address of ours."""
    for address in mail.recipients:
        local, _, domain = address.rpartition("@")
        name, plus, tag = local.partition("+")
        if plus and address_key(f"{name}@{domain}") in box.own:
            if tag in unit.policy.regions:
                return tag
            try:
                return unit.policy.key_of(NameKind.REGION, tag.replace("_", " "))
            except UnknownName:
                continue
    return None


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return line if len(line) <= _FIRST_LINE else line[: _FIRST_LINE - 1].rstrip() + "…"


def _head(mail: Mail) -> MailHead:
    oldest_first = tuple(f"<{each}>" for each in reversed(mail.references))
    return MailHead(f"<{mail.message_id}>", oldest_first, mail.original)


def _files(mail: Mail) -> tuple[NewAttachment, ...]:
    left_out = [NewAttachment(each.name, each.media_type, b"", each.size) for each in mail.left_out]
    return (*mail.attachments, *left_out)
