"""What the HTTP intake needs to know; made from the config by whoever starts it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from bot.intake.email.reading import Limits
from bot.services.mail_in import Box

MIB: Final = 1024**2
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Choice:
    """A region or topic that a requester can pick. ``topic_id`` is osTicket's number of a topic."""

    key: str
    names: Mapping[str, str]
    """Language → name."""
    topic_id: int | None = None

    def name(self, language: str) -> str:
        """Its name in a language; the key if it has none."""
        return self.names.get(language, self.key)


@dataclass(frozen=True, slots=True)
class FormSettings:
    """The contact form: ``per_address`` requests from one address within ``window``."""

    enabled: bool
    title: Mapping[str, str]
    """Language → heading."""
    privacy_url: str | None
    per_address: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Mails that are handed to the API. Sizes in bytes."""

    box: Box
    limits: Limits
    max_size: int


@dataclass(frozen=True, slots=True)
class IntakeSettings:
    """The whole HTTP intake. Sizes in bytes."""

    listen: str
    port: int
    trusted_proxies: tuple[Network, ...]
    max_body: int
    max_attachment: int
    max_attachments: int
    form: FormSettings
    regions: tuple[Choice, ...]
    topics: tuple[Choice, ...]
    language: str
    """Of the form, for people who name none of its languages."""
    answer_html: Callable[[str], str]
    """A team's answer, which is Markdown, as HTML of harmless elements alone."""
    mail: MailSettings = field(
        default_factory=lambda: MailSettings(Box("api"), Limits(10 * MIB, 20), 25 * MIB)
    )
