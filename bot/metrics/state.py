"""How the bot stands at the moment of a scrape, as gauges."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bot.domain.words import Status
from bot.services.figures import SORTS, Figures

_TRIAGE: Final = "triage"
_Labels = TypeVar("_Labels", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Build:
    """What runs."""

    version: str
    python: str
    database: str
    """Name of the dialect."""


@dataclass(frozen=True, slots=True)
class Vital:
    """What the process knows without its database. ``parts``: of readiness → whether all is well with it."""

    parts: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    sync_lag: float | None = None
    """Seconds since the last good sync; ``None`` before the first."""
    sync_failures: int = 0
    """In a row."""


class State:
    """A collector of prometheus_client: tells what was put into it last."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self.vital = Vital()
        self.figures: Figures | None = None
        """``None`` while the database does not answer: then there are no figures rather than old ones."""

    def describe(self) -> list[Metric]:
        """Nothing: so that being registered does not ask for what is not known yet."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The gauges."""
        build = self._build
        yield _gauge("build_info", "What runs.", ("version", "python", "database"),
                     {(build.version, build.python, build.database): 1})  # fmt: skip
        yield from self._of_process()
        if self.figures is not None:
            yield from _of_queues(self.figures)
            yield from _of_tickets(self.figures)

    def _of_process(self) -> Iterator[Metric]:
        vital = self.vital
        yield _gauge("ready", "Whether /readyz says that all is well.", (), {(): all(vital.parts.values())})
        parts = {(part,): good for part, good in vital.parts.items()}
        yield _gauge("ready_part", "Whether all is well with a part of the bot.", ("part",), parts)
        lag = {} if vital.sync_lag is None else {(): vital.sync_lag}
        yield _gauge("sync_lag_seconds", "Since the last good sync with the homeserver.", (), lag)
        yield _gauge("sync_failures_in_a_row", "Syncs that failed since the last good one.", (),
                     {(): vital.sync_failures})  # fmt: skip


def _of_queues(figures: Figures) -> Iterator[Metric]:
    label = ("channel", "kind")
    due = dict.fromkeys(SORTS, 0) | {key: queue.rows for key, queue in figures.due.items()}
    yield _gauge("outbox_rows", "Outbox rows that are due and not sent.", label, due)
    oldest = dict.fromkeys(SORTS, 0.0) | {key: queue.oldest for key, queue in figures.due.items()}
    yield _gauge("outbox_oldest_seconds", "Since when the oldest of them is due.", label, oldest)
    held = dict.fromkeys(SORTS, 0) | dict(figures.held)
    yield _gauge("outbox_held_rows", "Outbox rows held for a room that cannot be used.", label, held)
    aside = dict.fromkeys(SORTS, 0) | dict(figures.set_aside)
    yield _gauge("outbox_set_aside_rows", "Outbox rows that could not be sent for good.", label, aside)
    yield _gauge("inbox_events", "Events that wait to be handled.", (), {(): figures.inbox.rows})
    yield _gauge("inbox_oldest_seconds", "Since the oldest of them came in.", (), {(): figures.inbox.oldest})


def _of_tickets(figures: Figures) -> Iterator[Metric]:
    counts = {
        (team or _TRIAGE, status.value): figures.tickets.get((team, status), 0)
        for team in figures.teams
        for status in Status
    }
    yield _gauge("tickets", "Tickets.", ("team", "status"), counts)
    rooms = {(key,): usable for key, usable in figures.rooms.items()}
    yield _gauge("room_usable", "Whether the bot can use a configured room.", ("room",), rooms)
    digests = {(key,): at.timestamp() for key, at in figures.digests.items()}
    yield _gauge("digest_last_sent_timestamp_seconds", "When a room's last digest was written.", ("room",),
                 digests)  # fmt: skip
    schema = {(figures.schema,): 1} if figures.schema else {}
    yield _gauge("schema_info", "The database's schema.", ("revision",), schema)


def _gauge(
    name: str, help_text: str, labels: tuple[str, ...], values: Mapping[_Labels, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tickettruhe_{name}", help_text, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, float(value))
    return family
