"""What the bot's parts tell of their work, for whoever counts it.

The words are from closed sets, as commands' names and the enums here: nothing that a person wrote and
nobody's id is ever told.
"""

from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What came of a command or a tap."""

    DONE = "done"
    PARTLY = "partly"
    """Of several tickets some were refused."""
    REFUSED = "refused"
    ASKED = "asked"
    """It waits to be confirmed."""
    NOT_UNDERSTOOD = "not_understood"
    FAILED = "failed"
    """A fault of the bot; the person was told that it was not done."""


class Fate(StrEnum):
    """What came of an attempt to send something."""

    SENT = "sent"
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    PUT_OFF = "put_off"
    """The mail server does not take this one yet."""
    HELD = "held"
    """Forbidden, as the room cannot be used at the moment."""
    REFUSED = "refused"
    FAILED = "failed"
    """A fault of the bot."""


class Work(StrEnum):
    """What a unit of work is for."""

    WRITE = "write"
    READ = "read"


UNKNOWN: Final = "unknown"
"""In place of a command's name: what was typed is none."""


class Meters:
    """What can be told. By itself it counts nothing: for where nobody looks.

    Every call is cheap, never fails, and may come from any thread.
    """

    def unit(self, work: Work, seconds: float) -> None:
        """A unit of work ended, after so long."""

    def run_again(self) -> None:
        """A unit of work lost a race and is run again."""

    def command(self, name: str, outcome: Outcome) -> None:
        """A command was handled; ``name`` is its declared one."""

    def tap(self, name: str, outcome: Outcome) -> None:
        """A tap was handled; ``name`` is an action's, or what a prompt was told."""

    def request(self, what: str, status: int, seconds: float) -> None:
        """The HTTP intake answered a request with a status."""

    def delivery(self, kind: str, fate: Fate) -> None:
        """An attempt to send an outbox row of a kind ended."""

    def waited(self, kind: str, seconds: float) -> None:
        """So long after it was written, an outbox row's event was in its room."""

    def mail(self, fate: str) -> None:
        """A mail came in; ``fate`` is what became of it."""

    def sync(self, *, good: bool) -> None:
        """A sync was committed, or failed."""


UNMETERED: Final[Meters] = Meters()
