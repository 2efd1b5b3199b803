"""From the bytes of a mail to a :class:`~bot.domain.incoming.Mail`. Pure: it looks at nothing else."""

import hashlib
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from typing import Final

from bot.domain.errors import TickettruheError
from bot.domain.incoming import LeftOut, Mail
from bot.domain.request import (
    NAME_LIMIT,
    SUBJECT_LIMIT,
    TEXT_LIMIT,
    NewAttachment,
    clean_file_name,
    clean_text,
)
from bot.intake.email.automatic import bounce_of, is_report, kind_of
from bot.intake.email.bounds import beyond_measure
from bot.intake.email.headers import Headers, checked_address
from bot.intake.email.parts import Content, Found, TooNested, content_of
from bot.intake.email.quotes import is_forward, own_words

LOOP_HEADER: Final = "X-Tickettruhe-Loop"
"""What the bot writes into all its mails, so that they are known when they come back."""

_ORIGINAL_LIMIT: Final = 100_000
"""Characters of a whole text that are kept beside the message; a longer one comes along as a file."""
_SEARCHED: Final = 200_000
"""Characters of a text that are looked at for what is quoted."""
_ORNAMENT: Final = 8 * 1024
"""Bytes; smaller pictures within the text are logos of signatures, and not kept."""
_TO: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to")
_LANGUAGES: Final = {"de", "en"}
_HIDDEN: Final = re.compile(r"^[\s\u200b-\u200f\u2060\ufeff\u00ad]*$")


class Unreadable(TickettruheError):
    """The bytes are no mail that can be understood. Holds none of its content."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept of a mail's files. Size in bytes."""

    max_attachment: int
    max_attachments: int


def read_mail(data: bytes, limits: Limits) -> Mail:
    """The mail in these bytes.

    :raises Unreadable: it has no header that a mail must have, or is long or nested beyond all measure.
    """
    if (what := beyond_measure(data)) is not None:
        raise Unreadable(what)
    try:
        message = message_from_bytes(data)
        headers = Headers(message)
        if "from" not in headers and "date" not in headers and "message-id" not in headers:
            raise Unreadable("no headers")
        content = content_of(message)
    except (
        TooNested,
        RecursionError,
        MessageError,
        LookupError,
        ValueError,
        TypeError,
        AssertionError,
    ) as error:
        raise Unreadable(type(error).__name__) from error
    return _mail(data, message, headers, content, limits)


def _mail(data: bytes, message: Message, headers: Headers, content: Content, limits: Limits) -> Mail:
    writers = headers.addresses("from")
    sender = writers[0][1] if writers else None
    # Only From is checked on the way (DMARC, RFC 7489); the others give a name to show, and no more.
    name, shown = (writers or headers.addresses("reply-to", "sender") or [("", "")])[0]
    subject = headers.text("subject")[:SUBJECT_LIMIT]
    whole = clean_text(_whole_text(content)[:_SEARCHED])
    forwarded = is_forward(subject, whole)
    text = whole if forwarded else own_words(whole, marked=not content.was_html)
    kind = kind_of(message, headers, content.reports)
    report = is_report(message, kind)
    if report:
        text = whole
    kept, left_out = _files(content, whole, limits)
    derived = _derived_id(data, headers)
    ids = headers.ids("message-id")
    return Mail(
        message_id=ids[0] if ids else derived,
        derived_id=derived,
        sender=sender,
        name=(name or shown)[:NAME_LIMIT],
        subject=subject,
        text=text[:TEXT_LIMIT],
        original=whole[:_ORIGINAL_LIMIT] if whole != text[:TEXT_LIMIT] else None,
        kind=kind,
        references=_references(headers),
        recipients=tuple(dict.fromkeys(address.lower() for _name, address in headers.addresses(*_TO))),
        return_path=_return_path(headers),
        language=_language(headers),
        reply_to=next((address for _name, address in headers.addresses("reply-to")), None),
        attachments=kept,
        left_out=left_out,
        forwarded=forwarded,
        loops=tuple(headers.all(LOOP_HEADER.lower())),
        bounce=bounce_of(headers, content.reports, whole) if report else None,
    )


def _return_path(headers: Headers) -> str | None:
    value = headers.raw("return-path")
    if not value:
        return None
    return checked_address(value.strip("<> ")) or ""


def _language(headers: Headers) -> str | None:
    told = headers.raw("content-language") or headers.raw("accept-language")
    language = told[:2].lower()
    return language if language in _LANGUAGES else None


def _whole_text(content: Content) -> str:
    """The text; of a mail that only passes another one on, that one's."""
    if not _HIDDEN.match(content.text[:_SEARCHED]) or content.inner is None:
        return content.text
    return content_of(content.inner).text


def _references(headers: Headers) -> tuple[str, ...]:
    """The nearest first: what it answers, then what that answered (RFC 5322, 3.6.4)."""
    return tuple(dict.fromkeys([*headers.ids("in-reply-to"), *reversed(headers.ids("references"))]))


def _derived_id(data: bytes, headers: Headers) -> str:
    """The same for the same mail, whichever servers it came by: their headers do not count."""
    split = re.search(rb"\r?\n\r?\n", data)
    body = data[split.end() :] if split else data
    written = "\n".join(headers.raw(name) for name in ("message-id", "from", "to", "date", "subject"))
    digest = hashlib.sha256(written.encode("utf-8", "replace"))
    digest.update(body.replace(b"\r\n", b"\n").rstrip())
    return f"{digest.hexdigest()[:40]}@derived.invalid"


def _files(
    content: Content, whole: str, limits: Limits
) -> tuple[tuple[NewAttachment, ...], tuple[LeftOut, ...]]:
    """Which files are kept: those that were attached before those that belong to the text."""
    found = sorted(content.files, key=lambda file: file.beside)
    if len(whole) > _ORIGINAL_LIMIT:
        found.append(Found("mail.txt", "text/plain; charset=utf-8", whole.encode()))
    kept: list[NewAttachment] = []
    left_out: list[LeftOut] = []
    for file in found:
        name = clean_file_name(file.name)
        if not file.data or (file.beside and len(file.data) < _ORNAMENT):
            continue
        if len(file.data) <= limits.max_attachment and len(kept) < limits.max_attachments:
            kept.append(NewAttachment(name, file.media_type, file.data))
        else:
            left_out.append(LeftOut(name, file.media_type, len(file.data)))
    return tuple(kept), tuple(left_out)
