"""What mails that go out carry, so that what comes back is recognised: signed Message-IDs and a loop mark.

Sources: RFC 5322, 3.6.4 (threading); RFC 3834 (automatic mail).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

LOOP_HEADER: Final = "X-Tickettruhe-Loop"
"""On everything that the bot sends; its value tells which bot."""
KEY_NAME: Final = "mail"
"""Of the key that signs, among the bot's own random values."""
_SIGNED: Final = re.compile(
    r"<?(?:tickettruhe\.)(?P<number>[1-9][0-9]{0,14})\.(?P<entry>[0-9a-f]{16})\.(?P<mac>[0-9a-f]{32})@[^@<>\s]+>?"
)
_SPECIAL: Final = re.compile(r"([!-/:-@\[-`{-~])")
_FIRST: Final = 4
_LAST: Final = 6


class Security(StrEnum):
    """How the connection to a mail server is encrypted, whichever way the mails go."""

    TLS = "tls"
    """From the beginning (RFC 8314)."""
    STARTTLS = "starttls"
    """After a first word in clear; a server that cannot is refused."""
    NONE = "none"


class LetterKind(StrEnum):
    """What a mail is."""

    REPLY = "reply"
    """A member's words."""
    ACKNOWLEDGEMENT = "ack"
    """The bot's own: the request is here."""


class LetterState(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"
    SENT = "sent"
    """The mail server took it."""
    FAILED = "failed"
    """The mail server refused it for good."""
    BOUNCED = "bounced"
    """The mail server took it, and a message came back that it could not be delivered."""


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """A text that members send often; ``texts`` by language. No ``topics`` or ``teams``: it fits all."""

    texts: Mapping[str, str]
    topics: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()

    def fits(self, topic: str, team: str | None) -> bool:
        """Whether it is meant for such a ticket."""
        return (not self.topics or topic in self.topics) and (not self.teams or team in self.teams)


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """What the config decides of the mail that goes out."""

    domain: str
    """Right half of Message-IDs."""
    acknowledging: frozenset[str | None] = frozenset()
    """Teams whose new tickets are acknowledged; ``None`` is triage."""
    per_address: int = 3
    per_origin: int = 5
    window: timedelta = timedelta(days=1)
    """So many acknowledgements go to one address, or are caused from one network address, within it."""
    give_up_after: timedelta = timedelta(days=2)
    """A mail that the server did not take for so long is not tried any more."""
    languages: Mapping[str | None, str] = field(default_factory=lambda: MappingProxyType({}))
    """Team → in which language its requesters are answered, if nothing tells theirs."""
    answers: Mapping[str, CannedAnswer] = field(default_factory=lambda: MappingProxyType({}))


def message_id(key: bytes, number: int, entry: str, domain: str) -> str:
    """The Message-ID of a mail about a ticket; ``entry`` is 16 random hexadecimal digits."""
    return f"<tickettruhe.{number}.{entry}.{_mac(key, number, entry)}@{domain}>"


def signed_number(key: bytes, candidate: str) -> int | None:
    """The ticket that a Message-ID of ours is about; ``None`` if it is another's, or forged."""
    found = _SIGNED.fullmatch(candidate.strip())
    if found is None:
        return None
    number = int(found["number"])
    genuine = hmac.compare_digest(_mac(key, number, found["entry"]), found["mac"])
    return number if genuine else None


def keyed_hash(key: bytes, what: str, value: str) -> str:
    """By which a value is recognised again that is not to be kept itself."""
    return hmac.new(key, f"{what}\n{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def _mac(key: bytes, number: int, entry: str) -> str:
    return keyed_hash(key, "message-id", f"{number}.{entry}")


def as_markdown(text: str) -> str:
    """Text of others, so that it reads in Markdown as it was written (CommonMark, 2.4)."""
    return "\n".join(line.strip() for line in _SPECIAL.sub(r"\\\1", text).split("\n"))


def trimmed(references: Sequence[str]) -> tuple[str, ...]:
    """References of a long conversation, as Request Tracker trims them: the first four and the last six."""
    unique = tuple(dict.fromkeys(references))
    if len(unique) <= _FIRST + _LAST:
        return unique
    return unique[:_FIRST] + unique[-_LAST:]
