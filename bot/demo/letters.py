"""Mails as people see them in their mail programs, and how they write and answer them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parsedate_to_datetime
from typing import Any, Final

from bot.demo.cast import HELP_DESK, MailSample

_NUMBER: Final = re.compile(r"\[#(\d+)\]")
_LINK: Final = re.compile(r"https?://\S+/request/[^\s>]+")
_ID: Final = re.compile(r"<[^<>\s]+>")
_ANY: Final = policy.SMTP.clone(max_line_length=900)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail."""

    place: int
    """Among all mails of the demo, from 1 on."""
    at: datetime
    sender: str
    """Address only, as ``to``."""
    to: str
    headers: tuple[tuple[str, str], ...]
    """Those that a mail program shows."""
    subject: str
    text: str
    mail_id: str
    references: tuple[str, ...]
    """Message-IDs of what it answers, the nearest last."""
    automatic: bool

    @property
    def outgoing(self) -> bool:
        """Whether the help desk sent it."""
        return self.sender == HELP_DESK

    @property
    def number(self) -> int | None:
        """Of the ticket that its subject names."""
        found = _NUMBER.search(self.subject)
        return int(found[1]) if found else None

    @property
    def link(self) -> str | None:
        """To the requester's page, if it holds one."""
        found = _LINK.search(self.text)
        return found[0] if found else None


def read(place: int, data: bytes) -> Letter:
    """A mail as it went over the line."""
    message = message_from_bytes(data, policy=policy.default)
    body = message.get_body(("plain",))
    said = {name: str(message[name]) for name in ("From", "To", "Subject", "Date") if name in message}
    return Letter(
        place=place,
        at=parsedate_to_datetime(said["Date"]),
        sender=message["From"].addresses[0].addr_spec,
        to=message["To"].addresses[0].addr_spec,
        headers=tuple(said.items()),
        subject=said["Subject"],
        text=str(body.get_content()).replace("\r\n", "\n").rstrip("\n") if body else "",
        mail_id=str(message["Message-ID"]).strip(),
        references=tuple(_ID.findall(str(message["References"] or ""))),
        automatic="Auto-Submitted" in message,
    )


def new(sample: MailSample, at: datetime) -> bytes:
    """Somebody writes to the help desk."""
    local, _, domain = HELP_DESK.partition("@")
    to = f"{local}+{sample.region}@{domain}" if sample.region else HELP_DESK
    return _written(sample.email, sample.name, to, sample.subject, sample.message, at)


def answer(letter: Letter, name: str, text: str, at: datetime) -> bytes:
    """The requester answers a mail of the help desk's: above what it said, as mail programs have it."""
    subject = letter.subject if letter.subject.lower().startswith("re:") else f"Re: {letter.subject}"
    quoted = "\n".join(_quoted(letter, at))
    return _written(
        letter.to,
        name,
        letter.sender,
        subject,
        f"{text}\n\n{quoted}",
        at,
        {"In-Reply-To": letter.mail_id, "References": " ".join((*letter.references, letter.mail_id))},
    )


def _quoted(letter: Letter, at: datetime) -> Iterator[str]:
    yield f"Am {letter.at.astimezone(at.tzinfo):%d.%m.%Y um %H:%M} schrieb {letter.sender}:"
    yield from (f"> {line}".rstrip() for line in letter.text.splitlines())


def _written(
    email: str, name: str, to: str, subject: str, text: str, at: datetime, more: dict[str, Any] | None = None
) -> bytes:
    message = EmailMessage(_ANY)
    headers = {
        "From": Address(name, addr_spec=email),
        "To": to,
        "Subject": subject,
        "Date": format_datetime(at),
        "Message-ID": make_msgid(domain="mail.example"),
        **(more or {}),
    }
    for header, value in headers.items():
        message[header] = value
    message.set_content(text)
    return message.as_bytes()
