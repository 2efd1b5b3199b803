"""What the bot's parts tell of their work, as Prometheus counts it.

Names follow https://prometheus.io/docs/practices/naming/. Every series is there from the start, at zero: the
first refusal is then an increase, too.
"""

from collections.abc import Collection, Iterable
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from bot.meters import UNKNOWN, Fate, Meters, Outcome, Work
from bot.services.mail_in import Fate as MailFate

TAPS: Final = ("take", "wait", "close", "spam", "undo", "confirm", "cancel", "more")
REQUESTS: Final = ("ticket", "message", "mail", "form", "page", "page_message", "page_withdrawal")
ANSWERS: Final = ("accepted", "refused", "unauthorized", "too_large", "limited", "unavailable", "failed")
_OTHER: Final = "other"
"""In place of a word that is in no closed set: a label must not grow."""

_UNIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAIT_SECONDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


def new_registry() -> CollectorRegistry:
    """An empty registry: nothing is told but what the bot puts into it."""
    # When each series was made is of no use, and would double their number.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


def answer_of(status: int) -> str:
    """What an HTTP status of the intake means."""
    match status:
        case 401 | 403:
            return "unauthorized"
        case 413:
            return "too_large"
        case 429:
            return "limited"
        case 503:
            return "unavailable"
        case _ if status < 400:
            return "accepted"
        case _:
            return "refused" if status < 500 else "failed"


class Counting(Meters):
    """Keeps what it is told, for Prometheus.

    ``commands`` are all commands' names, ``kinds`` all kinds of outbox rows.
    """

    def __init__(self, registry: CollectorRegistry, commands: Iterable[str], kinds: Iterable[str]) -> None:
        self._commands = frozenset(commands) | {UNKNOWN}
        self._kinds = frozenset(kinds)
        self._unit_seconds = Histogram(
            "tickettruhe_database_unit_seconds", "How long units of work took.", ["work"],
            buckets=_UNIT_SECONDS, registry=registry,
        )  # fmt: skip
        self._again = Counter(
            "tickettruhe_database_units_run_again", "Units of work that lost a race and were run again.",
            registry=registry,
        )  # fmt: skip
        self._command = Counter(
            "tickettruhe_commands", "Commands that were handled.", ["command", "result"], registry=registry
        )
        self._tap = Counter(
            "tickettruhe_taps", "Taps that were handled.", ["tap", "result"], registry=registry
        )
        self._request = Counter(
            "tickettruhe_intake_requests",
            "Requests to the HTTP intake.",
            ["kind", "result"],
            registry=registry,
        )
        self._request_seconds = Histogram(
            "tickettruhe_intake_request_seconds", "How long the HTTP intake took to answer.", ["kind"],
            buckets=_REQUEST_SECONDS, registry=registry,
        )  # fmt: skip
        self._delivery = Counter(
            "tickettruhe_sends", "Attempts to send outbox rows.", ["kind", "result"], registry=registry
        )
        self._waited = Histogram(
            "tickettruhe_outbox_wait_seconds",
            "From when an outbox row was written until its event was in the room.",
            ["kind"], buckets=_WAIT_SECONDS, registry=registry,
        )  # fmt: skip
        self._sync = Counter("tickettruhe_syncs", "Syncs with the homeserver.", ["result"], registry=registry)
        self._mail = Counter(
            "tickettruhe_mails", "Mails that came in, by what became of them.", ["fate"], registry=registry
        )
        self._prepare()

    def _prepare(self) -> None:
        for work in Work:
            self._unit_seconds.labels(work.value)
        for name, outcome in product(sorted(self._commands), Outcome):
            self._command.labels(name, outcome.value)
        for name, outcome in product(TAPS, (Outcome.DONE, Outcome.PARTLY, Outcome.REFUSED, Outcome.FAILED)):
            self._tap.labels(name, outcome.value)
        for kind, answer in product(REQUESTS, ANSWERS):
            self._request.labels(kind, answer)
            self._request_seconds.labels(kind)
        for what in MailFate:
            self._mail.labels(what.value)
        for kind, fate in product(sorted(self._kinds), Fate):
            self._delivery.labels(kind, fate.value)
            self._waited.labels(kind)
        for result in ("good", "failed"):
            self._sync.labels(result)

    def unit(self, work: Work, seconds: float) -> None:
        """A unit of work ended, after so long."""
        self._unit_seconds.labels(work.value).observe(seconds)

    def run_again(self) -> None:
        """A unit of work lost a race and is run again."""
        self._again.inc()

    def command(self, name: str, outcome: Outcome) -> None:
        """A command was handled; ``name`` is its declared one."""
        self._command.labels(_known(name, self._commands), outcome.value).inc()

    def tap(self, name: str, outcome: Outcome) -> None:
        """A tap was handled; ``name`` is an action's, or what a prompt was told."""
        self._tap.labels(_known(name, TAPS), outcome.value).inc()

    def request(self, what: str, status: int, seconds: float) -> None:
        """The HTTP intake answered a request with a status."""
        kind = _known(what, REQUESTS)
        self._request.labels(kind, answer_of(status)).inc()
        self._request_seconds.labels(kind).observe(seconds)

    def delivery(self, kind: str, fate: Fate) -> None:
        """An attempt to send an outbox row of a kind ended."""
        self._delivery.labels(_known(kind, self._kinds), fate.value).inc()

    def waited(self, kind: str, seconds: float) -> None:
        """So long after it was written, an outbox row's event was in its room."""
        self._waited.labels(_known(kind, self._kinds)).observe(seconds)

    def mail(self, fate: str) -> None:
        """A mail came in; ``fate`` is what became of it."""
        self._mail.labels(_known(fate, [each.value for each in MailFate])).inc()

    def sync(self, *, good: bool) -> None:
        """A sync was committed, or failed."""
        self._sync.labels("good" if good else "failed").inc()


def _known(word: str, words: Collection[str]) -> str:
    return word if word in words else _OTHER
