"""A mail that came in, as far as the help desk cares: read, decoded and cleaned, none of it trusted."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.request import NewAttachment


class MailKind(StrEnum):
    """Who wrote it: decides whether it may move, ring or be answered (RFC 3834)."""

    PERSONAL = "personal"
    AUTOMATIC = "automatic"
    """Out of office, mailing lists, receipts, other programs: stored, and nothing more."""
    BOUNCE = "bounce"
    """Something that we sent could not be delivered for good."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was larger than what is kept, or one too many. Size in bytes."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a bounce tells (RFC 3464): of which messages, to whom, and why in the server's words."""

    about: tuple[str, ...]
    """Message-IDs that it names, the likeliest first."""
    recipient: str | None = None
    status: str | None = None
    """The enhanced code, as in ``5.1.1`` (RFC 3463)."""
    reason: str = ""
    certain: bool = True
    """Whether it has what only programs write; else it looks like a bounce, and may be a person's."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. Every text is harmless to store and is escaped when it is shown; addresses may be forged."""

    message_id: str
    """Without angle brackets; made from the content where there was none."""
    derived_id: str
    """Made from the content in any case: tells two mails apart that claim one Message-ID."""
    sender: str | None
    """Address in ``From``, its domain in lower case; ``None``: there is none that could be one."""
    name: str
    """The sender's; their address if they give none."""
    subject: str
    text: str
    """What they wrote, without quoted history and signature."""
    original: str | None = None
    """The whole text, where that is more."""
    kind: MailKind = MailKind.PERSONAL
    references: tuple[str, ...] = ()
    """Message-IDs that it answers, the nearest first."""
    recipients: tuple[str, ...] = ()
    """Addresses that it was sent to, as headers tell; in lower case."""
    reply_to: str | None = None
    return_path: str | None = None
    """Where automatic answers may go; empty: nowhere; ``None``: it is not known."""
    language: str | None = None
    """In which the sender's program is set, if that is one of the bot's."""
    attachments: tuple[NewAttachment, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    forwarded: bool = False
    loops: tuple[str, ...] = ()
    """What stands in the loop headers of programs like this one."""
    bounce: Bounce | None = None
