"""The section of the config about mail."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from bot.config.mail_values import MailAddress, Mailbox, Secret
from bot.config.mailboxes import Inbox
from bot.config.values import MIB, Key, Language, Section, Size, Text, refuse

_TEXT_LIMIT: Final = 20_000


def _lines(value: str) -> str:
    if any(not line.isprintable() for line in value.replace("\t", " ").splitlines()):
        raise refuse("must be plain text", "Remove signs that nobody can see.")
    return value.strip("\n")


Lines = Annotated[str, AfterValidator(_lines), Field(max_length=_TEXT_LIMIT)]
"""Text of several lines."""


class LocalLines(Section):
    """A text of several lines in each language."""

    de: Lines
    en: Lines

    def in_language(self, language: Language) -> str:
        """The text in that language."""
        return self.de if language == "de" else self.en


def _for_all(value: object) -> object:
    return {"de": value, "en": value} if isinstance(value, str) else value


LinesByLanguage = Annotated[LocalLines, BeforeValidator(_for_all, json_schema_input_type=str | LocalLines)]


class Smtp(Section):
    """The mail server that takes what goes out."""

    host: Text
    """Its name, as in `mail.example.org`."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Its port; usually 465 with `tls`, 587 with `starttls`."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """`tls`: encrypted from the beginning; `starttls`: after the first word; `none`: only on this machine."""
    user: Text | None = None
    """Who the bot is there; without one it does not log in."""
    password: Secret | None = None
    """The password. Better kept in a file or in the environment."""
    password_file: str | None = None
    """File with the password, which only the bot may read; relative to the config file."""


class Canned(Section):
    """An answer that is given often: `reply @name`."""

    text: LinesByLanguage
    """What it says, in Markdown: one text, or `{de: …, en: …}`. `{name}` and `{number}` are filled in."""
    topics: tuple[Key, ...] = ()
    """Keys of the topics that it fits; none: it fits all."""
    teams: tuple[Key, ...] = ()
    """Keys of the teams that it is for; none: for all."""


class Mail(Section):
    """Mail to requesters."""

    smtp: Smtp | None = None
    """Without a server no mail goes out."""
    sender: Mailbox | None = None
    """From whom mail comes: `"Help desk <help@example.org>"`."""
    reply_to: MailAddress | None = None
    """Where answers go, if not to the sender."""
    signature: Lines = ""
    """Lines under each mail."""
    acknowledge: bool = True
    """Whether a requester is told by mail that the request is here."""
    acks_per_address: Annotated[int, Field(ge=1, le=100)] = 3
    """How many of these one address gets within the window, whoever asks for them."""
    acks_per_origin: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many one internet address can cause within it through the form, whomever they go to."""
    ack_window_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """Length of that window."""
    give_up_hours: Annotated[int, Field(ge=1, le=240)] = 48
    """A mail that the server did not take for so long is given up, and the team told."""
    templates: str | None = None
    """Folder with texts of your own, relative to the config file."""
    answers: Mapping[Key, Canned] = Field(default_factory=dict)
    """Answers that are given often, by name."""
    mailboxes: Mapping[Key, Inbox] = Field(default_factory=dict)
    """Mailboxes from which mail is fetched, by name."""
    max_size: Size = Field(default=25 * MIB, validate_default=True)
    """Largest mail that is taken; larger ones are moved aside, and the admins are told."""
    max_attachment: Size = Field(default=10 * MIB, validate_default=True)
    """Largest file of a mail that is kept; of larger ones only name and size are."""
    max_attachments: Annotated[int, Field(ge=0, le=100)] = 20
    """How many files of a mail are kept."""
    max_open_tickets: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many tickets one sender may have under way; further mails join the newest of them, silently."""


class TeamMail(Section):
    """What of `mail` is another for one team."""

    sender: Mailbox | None = None
    """From whom this team's mail comes."""
    reply_to: MailAddress | None = None
    """Where answers to this team go."""
    signature: Lines | None = None
    """Lines under each mail of this team."""
    acknowledge: bool | None = None
    """Whether this team's requesters are told by mail that the request is here."""
