"""The section of the config about mailboxes that mail is fetched from."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bot.config.mail_values import MailAddress, Secret
from bot.config.problems import Contradictions, Finding
from bot.config.values import Key, Section, TeamKey, Text, refuse


def _plain(value: str) -> str:
    if value.lower() == "inbox":
        return "INBOX"
    if len(value) > 200 or any(sign in value for sign in '*%"\\'):
        raise refuse("must be a mailbox folder's name", 'Write it like "INBOX" or "Archive/2026".')
    return value


Folder = Annotated[Text, AfterValidator(_plain)]


class MailRule(Section):
    """Where mails go that fit: the first rule that fits counts."""

    to: MailAddress | None = None
    """Address that they were sent to."""
    subject: Text | None = None
    """Words that stand in their subject, in any case."""
    region: Key | None = None
    """Region that they are for."""
    team: TeamKey | None = None
    """Team that they are for, if no region says it."""
    topic: Key | None = None
    """Topic that they are about."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.to is None and self.subject is None:
            raise Contradictions([Finding((), "fits every mail", "Give it `to`, `subject` or both.")])
        if self.region is None and self.team is None and self.topic is None:
            raise Contradictions([Finding((), "decides nothing", "Give it `region`, `team` or `topic`.")])
        return self


class Inbox(Section):
    """A mailbox from which mail is fetched (IMAP)."""

    address: MailAddress
    """Its mail address. Mail *from* it is dropped; `help+freiburg@…` is for the region `freiburg`."""
    aliases: tuple[MailAddress, ...] = ()
    """Its further addresses."""
    host: Text
    """Name of the IMAP server."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Its port, if not 993 with `tls` and 143 otherwise."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """`tls`: encrypted from the beginning; `starttls`: after the first word; `none`: only on this machine."""
    user: Text
    """Who the bot is there."""
    password: Secret | None = None
    """The password. Better kept in a file or in the environment."""
    password_file: str | None = None
    """File with the password, which only the bot may read; relative to the config file."""
    folder: Folder = "INBOX"
    """Folder whose unread mails are fetched."""
    done_folder: Folder | None = None
    """Folder that mails are moved to once they are received; without one they are marked as read."""
    aside_folder: Folder = "Unreadable"
    """Folder for mails that cannot be read or are too large; it is made if it is not there."""
    team: TeamKey | None = None
    """Team that its mails are for, if nothing else says it; without one they go to triage."""
    topic: Key | None = None
    """Topic of its mails, if not `default_topic`."""
    rules: tuple[MailRule, ...] = ()
    """Which mails are for whom."""
    poll_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    """How often it is looked at, where the server does not tell of new mail by itself (IDLE)."""

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        given = [way for way in ("password", "password_file") if getattr(self, way) is not None]
        if not given:
            hint = "Give `password_file`, or set TICKETTRUHE_MAIL__MAILBOXES__…__PASSWORD."
            raise Contradictions([Finding((), "there is no password", hint)])
        if len(given) > 1:
            raise Contradictions(
                [Finding((given[1],), "there is a `password` as well", "Keep one of the two.")]
            )
        return self
