"""The unit of work that every use case runs in, and what the config decides for all of them."""

import asyncio
import difflib
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import Session

from bot.domain.errors import Conflict, NameKind, UnknownName
from bot.domain.mail import MailPolicy
from bot.domain.quiet import QuietHours
from bot.domain.words import TRIAGE, Team
from bot.meters import UNMETERED, Meters, Work
from storage.database import Database
from storage.errors import DatabaseUnavailable as DatabaseUnavailable

_LOG = structlog.get_logger(__name__)
T = TypeVar("T")
Clock = Callable[[], datetime]

_ATTEMPTS: Final = 50
"""A unit that loses a race is run again; each time somebody else has got further."""

_PATIENCE: Final = 3.0
"""Seconds for a unit under way when the program stops; a database that hangs would hold it for ever."""

A_MOMENT: Final = 0.1
"""Seconds after something came in from outside in which the next thing is expected."""

_AT_ONCE: Final = 100
"""Answers that are kept at hand for the courier."""

ADMIN_ROOM: Final = "admin"
TRIAGE_ROOM: Final = "triage"
_TEAM_PREFIX: Final = "team:"


def utc_now() -> datetime:
    """The system's clock, aware."""
    return datetime.now(UTC)


def room_key(team: Team) -> str:
    """Key of the room in which a team's tickets stand."""
    return TRIAGE_ROOM if team is None else _TEAM_PREFIX + team


def team_of_room(key: str) -> Team:
    """Team whose tickets stand in the room of this key; the admin room's are those of nobody."""
    return key.removeprefix(_TEAM_PREFIX) if key.startswith(_TEAM_PREFIX) else TRIAGE


@dataclass(frozen=True, slots=True)
class PagePolicy:
    """The requester's page."""

    lifetime: timedelta
    """How long a link to it is good."""
    address: str | None = None
    """Under which people reach the bot's web server; without one no mail can name the page."""
    places: frozenset[Team] = frozenset()
    """Teams that tell the place on their waiting list."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the config decides for the use cases."""

    bot_user: str
    topics: Mapping[str, bool]
    """Topic → whether it has a waiting list."""
    default_topic: str
    regions: Mapping[str, Team] = field(default_factory=lambda: MappingProxyType({}))
    """Region → team; a region without a team leads to triage."""
    teams: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Team → its name."""
    spoken: Mapping[NameKind, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    """What people call teams, topics and regions, in any language → the key of each."""
    admins: frozenset[str] = frozenset()
    purge_grace: timedelta = timedelta(days=30)
    stale_after: timedelta = timedelta(days=7)
    one_tap: bool = True
    """Whether cards offer reactions that act as commands."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    zones: Mapping[Team, ZoneInfo] = field(default_factory=lambda: MappingProxyType({}))
    """Team → its time zone, where it is another than ``zone``."""

    def zone_of(self, team: Team) -> ZoneInfo:
        """In which time zone a team lives."""
        return self.zones.get(team, self.zone)

    mail: MailPolicy | None = None
    """``None``: no mail goes out."""
    thankful: frozenset[Team] = frozenset()
    """Teams whose digest says who closed how many."""
    quiet: Mapping[str, QuietHours] = field(default_factory=lambda: MappingProxyType({}))
    """Room key → when nobody's phone is to ring there."""
    page: PagePolicy | None = None
    """``None``: requesters have no page."""

    def key_of(self, kind: NameKind, typed: str) -> str:
        """Key of the team, topic or region that somebody called by key or name.

        :raises UnknownName: there is none; tells which there are.
        """
        names = {name.casefold(): key for name, key in self.spoken.get(kind, {}).items()}
        found = names.get(typed.strip().casefold())
        if found is None:
            near = difflib.get_close_matches(typed.casefold(), names, n=1, cutoff=0.6)
            known = tuple(sorted(set(names.values())))
            raise UnknownName(None, kind, typed, known, tuple(names[name] for name in near))
        return found


class Signals:
    """Wake-up calls between tasks of the process. The database knows what is due."""

    def __init__(self) -> None:
        self.inbox = asyncio.Event()
        self.outbox = asyncio.Event()
        self.mail = asyncio.Event()
        self.rooms = asyncio.Event()
        self.answered = asyncio.Event()
        """An answer has left, one way or the other."""
        self.at_once: deque[Any] = deque(maxlen=_AT_ONCE)
        """Answers that were made ready by the unit that wrote them. The outbox has them, too: one that is
        lost here is found there.
        """
        self._came_in_at = -math.inf

    def comes_in(self) -> None:
        """Something comes in from outside at this moment."""
        self._came_in_at = asyncio.get_running_loop().time()

    def much_comes_in(self) -> bool:
        """Whether something did a moment ago, and so the next thing may at any moment."""
        return self._came_in_at > asyncio.get_running_loop().time() - A_MOMENT


@dataclass(slots=True)
class Unit:
    """One transaction with its clock's time: everything in it is committed together or not at all."""

    session: Session
    policy: Policy
    now: datetime
    wakes: set[asyncio.Event] = field(default_factory=set)
    signals: Signals = field(default_factory=Signals)
    scrub: bool = False
    """Whether something was erased for good: then nothing of it may stay in the database's search index and
    log either."""
    lines: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    """For the program's log, once this is committed."""
    at_once: list[Any] = field(default_factory=list)
    """Answers that are ready to be sent, for the courier once this is committed."""

    def log(self, event: str, **fields: object) -> None:
        """Say something in the program's log once this is committed: numbers, ids, words of closed sets."""
        self.lines.append((event, fields))

    def wake_courier(self) -> None:
        """Let the courier look into the outbox once this is committed."""
        self.wakes.add(self.signals.outbox)

    def wake_rooms(self) -> None:
        """Let rooms be looked at, into which to go or out of, once this is committed."""
        self.wakes.add(self.signals.rooms)

    def wake_worker(self) -> None:
        """Let the inbox worker look once this is committed."""
        self.wakes.add(self.signals.inbox)


class _TakenBack(Exception):
    """Rolls a unit back."""


class Units:
    """Makes units of work, a new one per use case."""

    def __init__(
        self, database: Database, policy: Policy, clock: Clock = utc_now, meters: Meters = UNMETERED
    ) -> None:
        self._database = database
        self.meters = meters
        self.policy = policy
        self.clock = clock
        self.signals = Signals()

    @property
    def database(self) -> Database:
        """Where they run."""
        return self._database

    async def run(self, work: Callable[[Unit], T]) -> T:
        """Run ``work`` in one transaction; after a lost race from the start, with what is true then.

        ``work`` must have no effect but on its unit. A begun one ends, even if its caller is cancelled.
        """
        began = time.perf_counter()
        try:
            return await _to_its_end(self._run(work))
        finally:
            self.meters.unit(Work.WRITE, time.perf_counter() - began)

    async def _run(self, work: Callable[[Unit], T]) -> T:
        result, unit = await self._until_won(lambda: self._database.writing(partial(self._work, work)))
        self.signals.at_once.extend(unit.at_once)
        for event in unit.wakes:
            event.set()
        for line, fields in unit.lines:
            _LOG.info(line, **fields)
        if unit.scrub:
            await self.scrub(erased=True)
        return result

    async def _until_won(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for lost in range(_ATTEMPTS):
            try:
                return await attempt()
            except Conflict:
                if lost == _ATTEMPTS - 1:
                    raise
                self.meters.run_again()
                await asyncio.sleep(min(0.002 * lost, 0.05))
        raise AssertionError("unreachable")

    def _work(self, work: Callable[[Unit], T], session: Session) -> tuple[T, Unit]:
        unit = Unit(session, self.policy, self.clock(), signals=self.signals)
        return work(unit), unit

    async def rehearse(self, work: Callable[[Unit], T]) -> T:
        """Run ``work`` and take everything back that it did: tells what would come of it."""
        return await _to_its_end(self._until_won(lambda: self._rehearse(work)))

    async def _rehearse(self, work: Callable[[Unit], T]) -> T:
        results: list[T] = []

        def taken_back(session: Session) -> None:
            results.append(self._work(work, session)[0])
            raise _TakenBack

        with suppress(_TakenBack):
            await self._database.writing(taken_back)
        return results[0]

    async def scrub(self, *, erased: bool = False) -> None:
        """Let nothing of what was erased stay in the database's search index and log."""
        try:
            await self._database.scrub(erased=erased)
        except DatabaseUnavailable:
            # What was asked for is done; the hourly tidying comes back to this.
            _LOG.warning("scrub_put_off")

    async def look(self, work: Callable[[Unit], T]) -> T:
        """Run ``work``, which only reads."""
        began = time.perf_counter()
        try:
            return await _to_its_end(self._look(work))
        finally:
            self.meters.unit(Work.READ, time.perf_counter() - began)

    async def _look(self, work: Callable[[Unit], T]) -> T:
        return await self._database.reading(lambda session: self._work(work, session)[0])

    async def ping(self) -> None:
        """Answer if the database lives.

        :raises DatabaseUnavailable: it does not.
        """
        await _to_its_end(self._database.ping())


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await a unit of work; cancelled in the middle, it would leave the database locked for a while."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=_PATIENCE)
        if not task.done():
            _LOG.error("unit_hangs_while_stopping")
        elif not task.cancelled() and (error := task.exception()):
            _LOG.warning("unit_failed_while_stopping", error=type(error).__name__)
        raise
