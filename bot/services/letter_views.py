"""Frozen views of the mails that go out."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.mail import LetterKind as LetterKind
from bot.domain.mail import LetterState as LetterState
from bot.domain.words import Team
from bot.services.persons import Person


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a mail is made of. Texts are the requester's and the member's own words."""

    id: int
    kind: LetterKind
    number: int
    mail_id: str
    to: str
    """The address."""
    name: str
    """The requester's."""
    subject: str
    """The ticket's."""
    team: Team
    language: str
    at: datetime
    text: str = ""
    """Of a reply: the member's words, in Markdown. Of an acknowledgement: the request."""
    member: str | None = None
    """The display name of the member who answers."""
    references: tuple[str, ...] = ()
    """Message-IDs, the oldest first; the last one is what it answers."""
    status_link: str | None = None
    loop_mark: str = ""


@dataclass(frozen=True, slots=True)
class ReplyPost:
    """What goes to the requester, and how far it got; in the ticket's thread."""

    letter: Letter
    author: Person | None
    state: LetterState
    reason: str | None = None
    """What the mail server said."""
    done_at: datetime | None = None
    shown: str = ""
    """The mail as the requester reads it; filled in by whoever makes mails."""


@dataclass(frozen=True, slots=True)
class UndeliveredAlert:
    """A mail did not arrive; in the ticket's thread."""

    number: int
    kind: LetterKind
    state: LetterState
    reason: str
    mentions: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class CannedView:
    """Answer to `reply @`: the prepared answers that fit a ticket, as name and text."""

    number: int
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MailServerReport:
    """Nothing can be sent as long as the mail server refuses the bot itself; to the admins."""

    reason: str
