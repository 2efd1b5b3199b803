"""The parts of a mail: which of them are its text, and which are files that came along."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email._policybase import Compat32
from email.message import Message
from typing import Final

from bot.domain.request import clean_file_name
from bot.intake.email.charsets import decode
from bot.intake.email.headers import decoded
from bot.intake.email.winmail import NotWinmail, unpack
from bot.intake.html_text import html_to_text

_MOST: Final = 500
"""Parts that are looked at."""
_DEEPEST: Final = 30
_HTML_LIMIT: Final = 1024 * 1024
"""Characters of HTML that are read; what is longer is kept as a file."""
_SIGNATURES: Final = {
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
}
_WINMAIL: Final = {"application/ms-tnef", "application/vnd.ms-tnef"}
_SUFFIXES: Final = {
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/html": ".html",
    "text/plain": ".txt",
}


class _AsItCame(Compat32):
    """Headers are written as they were read: to fold them anew takes quadratic time, and changes them."""

    def fold_binary(self, name: str, value: str) -> bytes:
        lines = re.split(r"\r\n|\r|\n", f"{name}: {value}")
        return "".join(line + self.linesep for line in lines).encode("ascii", "surrogateescape")


_AS_IT_CAME: Final = _AsItCame(linesep="\r\n")


class TooNested(ValueError):
    """Parts within parts without end: no mail program makes such a mail."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file, decoded. ``beside``: it belongs to the text, as a logo in a signature does."""

    name: str
    media_type: str
    data: bytes
    beside: bool = False


@dataclass(slots=True)
class Content:
    """What a mail holds."""

    texts: list[str] = field(default_factory=list)
    was_html: bool = False
    files: list[Found] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)
    """Parts of a report for programs (RFC 3462): delivery status, and the headers of what it is about."""
    inner: Message | None = None
    """The first mail that came as a whole within this one."""

    @property
    def text(self) -> str:
        """The text of all parts that are text."""
        return "\n\n".join(text.strip("\n") for text in self.texts if text.strip())


def content_of(message: Message) -> Content:
    """Text and files.

    :raises TooNested: it cannot be meant.
    """
    content = Content()
    _take(message, content, 0)
    return content


def _take(part: Message, content: Content, depth: int) -> None:
    if depth > _DEEPEST or len(content.files) + len(content.texts) > _MOST:
        raise TooNested
    kind = part.get_content_type()
    if part.is_multipart() and kind != "message/rfc822":
        if kind == "multipart/alternative":
            _take_alternative(part, content, depth)
        elif kind == "message/delivery-status":
            content.reports.append(part)
        else:
            for each in _children(part):
                _take(each, content, depth + 1)
        return
    _take_leaf(part, kind, content)


def _children(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (each for each in payload if isinstance(each, Message))


def _take_leaf(part: Message, kind: str, content: Content) -> None:
    name, disposition = file_name(part), part.get_content_disposition()
    if kind in _SIGNATURES:
        return
    if kind in ("text/rfc822-headers", "message/rfc822", "message/global-headers"):
        _take_mail(part, kind, content)
    elif kind in _WINMAIL or name.lower() == "winmail.dat":
        _take_winmail(part, name, content)
    elif kind in ("text/plain", "text/html") and disposition != "attachment" and not name:
        _take_text(part, kind, content)
    else:
        beside = "Content-ID" in part and disposition != "attachment"
        content.files.append(Found(name or _named(kind), kind, payload_of(part), beside))


def _take_alternative(part: Message, content: Content, depth: int) -> None:
    """The plain text, if there is anything in it; else what else there is, the last being the best."""
    choices = []
    for each in _children(part):
        choice = Content()
        _take(each, choice, depth + 1)
        choices.append(choice)
    shown = [choice for choice in choices if choice.text]
    plain = [choice for choice in shown if not choice.was_html]
    chosen = (plain or shown[-1:] or choices[-1:])[:1]
    for choice in chosen:
        content.texts += choice.texts
        content.was_html |= choice.was_html
    for choice in choices:
        # An invitation or a picture stands in one of the alternatives only.
        content.files += choice.files
        content.reports += choice.reports
        content.inner = content.inner or choice.inner


def _take_text(part: Message, kind: str, content: Content) -> None:
    text = decode(payload_of(part), part.get_content_charset())
    if kind == "text/html":
        if len(text) > _HTML_LIMIT:
            content.files.append(Found(_named(kind), kind, payload_of(part)))
            return
        text = html_to_text(text)
        content.was_html = True
    elif str(part.get_param("format", "")).lower() == "flowed":
        text = _unflowed(text, joined=str(part.get_param("delsp", "")).lower() == "yes")
    content.texts.append(text)


def _unflowed(text: str, *, joined: bool) -> str:
    """Lines that were only broken to be short are one again (RFC 3676)."""
    paragraphs: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        stuffed = line[1:] if line.startswith(" ") else line
        flows = stuffed.endswith(" ") and not stuffed.startswith(">") and stuffed != "-- "
        paragraphs[-1].append(stuffed[:-1] if flows and joined else stuffed)
        if not flows:
            paragraphs.append([])
    return "\n".join("".join(paragraph) for paragraph in paragraphs[:-1] if paragraph)


def _take_mail(part: Message, kind: str, content: Content) -> None:
    """A mail within the mail: kept as a file; of a report it tells what was not delivered."""
    if kind == "message/rfc822":
        inner = next(_children(part), None)
        if inner is None:
            return
        content.reports.append(inner)
        content.inner = content.inner or inner
        data = inner.as_bytes(policy=_AS_IT_CAME)
        subject = decoded(" ".join(str(inner.get("Subject", "")).split()))
        content.files.append(Found(f"{subject[:80] or 'mail'}.eml", kind, data))
    else:
        content.reports.append(part)


def _take_winmail(part: Message, name: str, content: Content) -> None:
    data = payload_of(part)
    try:
        packed = unpack(data)
    except NotWinmail:
        content.files.append(Found(name or "winmail.dat", "application/ms-tnef", data))
        return
    if packed.text.strip() and not content.text:
        content.texts.append(packed.text)
    content.files += [Found(file.name, "application/octet-stream", file.data) for file in packed.files]


def payload_of(part: Message) -> bytes:
    """The part's bytes, decoded as far as they can be."""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def file_name(part: Message) -> str:
    """The name that a part claims (RFC 2231, RFC 2047), empty if none."""
    try:
        name = part.get_filename("")
    except (ValueError, LookupError, TypeError):
        return ""
    return clean_file_name(decoded(str(name))) if name else ""


def _named(kind: str) -> str:
    return clean_file_name(kind.partition("/")[0] + _SUFFIXES.get(kind, ""))
