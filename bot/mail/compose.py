"""Makes a mail of a letter: headers, plain text and HTML.

Sources: RFC 5322 (headers), RFC 3834 (automatic mail), RFC 2047 (encoded words), RFC 6531 (addresses in
UTF-8). What others wrote is one line without control characters before it comes near a header.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any, Final

from bot.domain.mail import LOOP_HEADER, LetterKind
from bot.domain.request import clean_line
from bot.domain.words import Team
from bot.mail.errors import NoSuchMailbox
from bot.mail.markup import Markdown, to_html, to_plain
from bot.mail.templates import Templates
from bot.services.letter_views import Letter

_NAME_LIMIT: Final = 100
_SUBJECT_LIMIT: Final = 200
_REFERENCE: Final = re.compile(r"<[!-;=?-~]{1,250}>")
_BODIES: Final = policy.SMTP.clone(cte_type="7bit")
# So long that no Message-ID is broken into encoded words, which would not be recognised as one.
_LINES: Final = policy.SMTP.clone(cte_type="7bit", max_line_length=900)
_LINES_UTF8: Final = _LINES.clone(utf8=True)


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name a team writes."""

    address: str
    name: str = ""
    reply_to: str | None = None
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """Ready to be sent: the envelope, and the message as it goes over the line."""

    sender: str
    """Empty for automatic mail: nothing comes back for it."""
    to: str
    content: bytes
    utf8: bool = False
    """Whether the server must understand addresses in UTF-8."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A letter in words."""

    subject: str
    plain: str
    html: str


@dataclass(frozen=True, slots=True)
class Composer:
    """Knows templates and senders; pure beside that."""

    templates: Templates
    default: Sender
    senders: Mapping[Team, Sender] = field(default_factory=lambda: MappingProxyType({}))
    team_name: Callable[[Team], str] = lambda team: team or ""

    def write(self, letter: Letter) -> Writing:
        """The letter in words, as the requester reads it.

        :raises TemplateBroken: the template asks for something that there is not.
        """
        sender = self._sender(letter.team)
        rendered = self.templates.of(letter.kind, letter.team, letter.language).render(self._values(letter))
        token, subject = f"[#{letter.number}]", rendered.subject[:_SUBJECT_LIMIT]
        plain, formatted = to_plain(rendered.body), to_html(rendered.body)
        if sender.signature.strip():
            plain += f"\n\n-- \n{sender.signature.strip()}"
            lines = "<br>".join(html.escape(line) for line in sender.signature.strip().splitlines())
            formatted += f"\n<p>-- <br>{lines}</p>"
        return Writing(subject if token in subject else f"{subject} {token}", plain, formatted)

    def compose(self, letter: Letter) -> Mail:
        """The mail.

        :raises TemplateBroken: the template asks for something that there is not.
        :raises NoSuchMailbox: the address cannot be one.
        """
        writing, message = self.write(letter), EmailMessage(_BODIES)
        automatic = letter.kind is LetterKind.ACKNOWLEDGEMENT
        to = _address(letter.to, "" if automatic else letter.name)
        for name, value in self._headers(letter, writing, to).items():
            message[name] = value
        message.set_content(writing.plain, charset="utf-8")
        page = f'<!DOCTYPE html>\n<html lang="{letter.language}"><body>\n{writing.html}\n</body></html>\n'
        message.add_alternative(page, subtype="html", charset="utf-8")
        utf8 = not to.addr_spec.isascii()
        content = message.as_bytes(policy=_LINES_UTF8 if utf8 else _LINES)
        sender = "" if automatic else self._sender(letter.team).address
        return Mail(sender, to.addr_spec, content, utf8)

    def headers(self, letter: Letter) -> Mapping[str, Any]:
        """Its headers, for a preview.

        :raises TemplateBroken: the template asks for something that there is not.
        :raises NoSuchMailbox: the address cannot be one.
        """
        automatic = letter.kind is LetterKind.ACKNOWLEDGEMENT
        to = _address(letter.to, "" if automatic else letter.name)
        return self._headers(letter, self.write(letter), to)

    def _headers(self, letter: Letter, writing: Writing, to: Address) -> Mapping[str, Any]:
        sender = self._sender(letter.team)
        name = ", ".join(part for part in (_line(letter.member or ""), sender.name) if part)
        headers: dict[str, Any] = {
            "From": _address(sender.address, name),
            "To": to,
            "Subject": _line(writing.subject),
            "Date": format_datetime(letter.at),
            "Message-ID": letter.mail_id,
            LOOP_HEADER: letter.loop_mark,
        }
        if sender.reply_to is not None:
            headers["Reply-To"] = _address(sender.reply_to, "")
        references = [each for each in letter.references if _REFERENCE.fullmatch(each)]
        if references:
            headers |= {"In-Reply-To": references[-1], "References": " ".join(references)}
        if letter.kind is LetterKind.ACKNOWLEDGEMENT:
            headers |= {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
        return headers

    def _sender(self, team: Team) -> Sender:
        return self.senders.get(team, self.default)

    def _values(self, letter: Letter) -> Mapping[str, Any]:
        link = letter.status_link
        return {
            "number": letter.number,
            "name": letter.name,
            "subject": letter.subject,
            "team": self.team_name(letter.team),
            "member": letter.member or "",
            # An acknowledgement never repeats the request: else anybody could write to anybody through us.
            "text": Markdown(letter.text) if letter.kind is LetterKind.REPLY else "",
            "status_link": Markdown(f"<{link}>") if link else None,
        }


def _line(text: str) -> str:
    """One line without encoded words (RFC 2047): the mail library would decode one that somebody typed."""
    return clean_line(text).replace("=?", "= ?")


def _address(address: str, name: str) -> Address:
    """
    :raises NoSuchMailbox: it cannot be one.
    """
    local, at, domain = address.rpartition("@")
    try:
        if not (local and at and domain) or clean_line(address) != address or " " in address:
            raise NoSuchMailbox("5.1.3 the address cannot be one")
        bare = domain.encode("idna").decode("ascii")
        return Address(display_name=_line(name)[:_NAME_LIMIT], username=local, domain=bare)
    except (ValueError, HeaderParseError, IndexError) as error:
        raise NoSuchMailbox("5.1.3 the address cannot be one") from error
