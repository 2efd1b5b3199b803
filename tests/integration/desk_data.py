"""A help desk without a homeserver: rooms, people and tickets in a real database, and a settable clock."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Table
from sqlmodel import SQLModel, col, select

from bot.domain.errors import NameKind
from bot.domain.request import NewRequest
from bot.domain.words import Action, Intake, Team
from bot.services import delivery, intake, moves, outcomes, people, reception, seeds
from bot.services.jobs import Clear, Job, Seed, Send
from bot.services.moves import Done, Wish
from bot.services.people import Caller
from bot.services.reception import Batch, RoomUpdate
from bot.services.unit import Policy, Unit, Units
from bot.services.views import CardView
from storage import posted, schema, tickets
from storage.database import Database
from storage.models import ALL, Greeting, HistoryEntry, OutboxRow, Ticket
from tests.integration.templates import filled

START: Final = datetime(2026, 11, 23, 13, 5, 0, 123456, tzinfo=UTC)

BOT: Final = "@bot:example.org"
ANNA: Final = "@anna:example.org"
BEN: Final = "@ben:example.org"
CARLA: Final = "@carla:example.org"
TIM: Final = "@tim:example.org"
DORA: Final = "@dora:example.org"
OLGA: Final = "@olga:example.org"

FREIBURG: Final = "!freiburg:example.org"
BERLIN: Final = "!berlin:example.org"
TRIAGE: Final = "!triage:example.org"
ADMINS: Final = "!admins:example.org"
ROOMS: Final[Mapping[str, str]] = {
    "team:freiburg": FREIBURG,
    "team:berlin": BERLIN,
    "triage": TRIAGE,
    "admin": ADMINS,
}
MEMBERS: Final[Mapping[str, Sequence[str]]] = {
    FREIBURG: (ANNA, BEN),
    BERLIN: (CARLA,),
    TRIAGE: (TIM,),
    ADMINS: (DORA,),
}
HOME: Final[Mapping[str, str]] = {user: room for room, users in MEMBERS.items() for user in users}

POLICY: Final = Policy(
    bot_user=BOT,
    topics={"donation_request": True, "donation_offer": False, "other": False},
    default_topic="donation_request",
    regions={"freiburg": "freiburg", "breisgau": "freiburg", "berlin": "berlin", "elsewhere": None},
    teams={"freiburg": "Freiburg", "berlin": "Berlin"},
    spoken={
        NameKind.TEAM: {"freiburg": "freiburg", "Berlin": "berlin"},
        NameKind.TOPIC: {"Spendenanfrage": "donation_request", "other": "other"},
    },
)


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        """Let time pass, as in ``timedelta``."""
        self.now += timedelta(**span)


@dataclass
class Homeserver:
    """What a homeserver would hold: per room the events that are not redacted, by transaction id once."""

    events: dict[str, Send] = field(default_factory=dict)
    by_tx: dict[str, str] = field(default_factory=dict)
    reactions: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The bot's own: event id → what it is on, and the emoji."""
    rounds: dict[tuple[str, str], int] = field(default_factory=dict)

    def send(self, job: Send) -> str:
        """Keep an event; a repeated transaction id gives the first one."""
        event_id = self.by_tx.setdefault(job.tx_id, f"$event{len(self.by_tx) + 1}")
        self.events.setdefault(event_id, job)
        return event_id

    def redact(self, event_id: str) -> None:
        """Take an event away."""
        self.events.pop(event_id, None)
        gone = self.reactions.pop(event_id, None)
        if gone is not None:
            self.rounds[gone] = self.rounds.get(gone, 0) + 1

    def react(self, target: str, key: str) -> str:
        """Keep a reaction; the same once more is the first one."""
        event_id = f"$reaction-{target}-{key}-{self.rounds.get((target, key), 0)}"
        self.reactions[event_id] = (target, key)
        return event_id

    def on(self, target: str) -> list[str]:
        """The reactions that stand on an event."""
        return [key for where, key in self.reactions.values() if where == target]

    def cards(self, number: int) -> dict[str, str]:
        """Event and room of each card of a ticket that can be seen, edits not counted."""
        return {
            event_id: job.room_id
            for event_id, job in self.events.items()
            if isinstance(job.view, CardView) and job.view.number == number and job.edits is None
        }


@dataclass
class Desk:
    """The rooms, the people, and one bot's view of them."""

    database: Database
    units: Units
    clock: Clock
    homeserver: Homeserver = field(default_factory=Homeserver)

    async def open(self, **changes: Any) -> int:
        """File a request; its number."""
        wanted = request(**changes)
        return (await self.units.run(lambda unit: intake.open_ticket(unit, wanted))).number

    async def do(
        self,
        action: Action,
        number: int,
        by: str = ANNA,
        /,
        *,
        room: str | None = None,
        cause: str | None = None,
        **wish: str,
    ) -> Done:
        """One move by a person, in their team's room unless said otherwise."""

        def work(unit: Unit) -> Done:
            caller = people.caller_of(unit, by, room or HOME[by], cause)
            return moves.move(unit, action, number, caller, Wish(**wish))

        return await self.units.run(work)

    async def caller(self, person: str, room: str | None = None) -> Caller:
        """Person and place as they are now."""
        where = room or HOME[person]
        return await self.units.look(lambda unit: people.caller_of(unit, person, where))

    async def update(self, room_id: str, **changes: Any) -> None:
        """A sync that tells something of a room."""
        batch = Batch(f"t{id(changes)}", rooms=(RoomUpdate(room_id, **changes),))
        await self.units.run(lambda unit: reception.receive(unit, batch))

    async def ticket(self, number: int) -> Ticket:
        """The ticket's row."""
        with self.database.read() as session:
            ticket = tickets.get(session, number)
        assert ticket is not None
        return ticket

    async def history(self, number: int) -> list[HistoryEntry]:
        """What happened to a ticket."""
        with self.database.read() as session:
            return list(tickets.history(session, number))

    async def outbox(self, **having: object) -> list[OutboxRow]:
        """Rows of the outbox with these values, in order."""
        query = select(OutboxRow).order_by(col(OutboxRow.id))
        for name, value in having.items():
            query = query.where(getattr(OutboxRow, name) == value)
        with self.database.read() as session:
            return list(session.exec(query).all())

    async def alerts(self, what: str) -> list[OutboxRow]:
        """Rows that still wait and tell something of this sort."""
        rows = await self.outbox(state="waiting")
        return [row for row in rows if (row.payload or {}).get("what") == what]

    async def claim(self, busy: Sequence[int] = ()) -> tuple[Job, ...]:
        """What the courier would do next."""
        return (await self.units.run(lambda unit: delivery.claim(unit, busy, 100))).jobs

    async def finish(self, job: Job) -> list[str]:
        """Do a job and tell the database; ids of what was sent."""
        if isinstance(job, Send):
            event_id = self.homeserver.send(job)
            await self.sent(job, event_id)
            return [event_id]
        return await (self._seed(job) if isinstance(job, Seed) else self._clear(job))

    async def sent(self, job: Send, event_id: str) -> None:
        """The homeserver's answer, or the echo."""
        await self.units.run(
            lambda unit: outcomes.sent(unit, job.tx_id, event_id, job.room_id, job.thread)
        )  # fmt: skip

    async def _seed(self, job: Seed) -> list[str]:
        plan = job.plan
        for _key, event_id in plan.remove:
            await self._redact(plan.shows[0] if plan.shows else 0, event_id)
        placed = [(key, self.homeserver.react(plan.event_id, key)) for key in plan.add]
        for key, event_id in placed:
            await self.units.run(partial(outcomes.seed_placed, plan=plan, key=key, event_id=event_id))
        await self.units.run(lambda unit: seeds.looked_after(unit, job.row_id, plan))
        return [event_id for _key, event_id in placed]

    async def seeded(self, number: int) -> list[str]:
        """The reactions that the ticket's card offers, in the order in which they were seeded."""
        with self.database.read() as session:
            card = posted.card(session, number)
        return self.homeserver.on(card.event_id) if card else []

    async def _clear(self, job: Clear) -> list[str]:
        for _room_id, event_id in job.events:
            await self._redact(job.number, event_id)
        posted = await self.finish(job.then) if job.then else []
        await self.units.run(lambda unit: outcomes.cleared(unit, job.row_id))
        return posted

    async def _redact(self, number: int, event_id: str) -> None:
        self.homeserver.redact(event_id)
        await self.units.run(lambda unit: outcomes.redacted(unit, event_id, number))

    async def deliver(self) -> list[Job]:
        """Deliver until nothing is due; what was done, in order."""
        done: list[Job] = []
        for _round in range(50):
            jobs = await self.claim()
            if not jobs:
                return done
            for job in jobs:
                await self.finish(job)
            done += jobs
        raise AssertionError("the outbox never becomes empty")

    async def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Everything in the database: table → rows."""
        with self.database.engine.connect() as connection:
            return {
                table.name: [dict(row._mapping) for row in connection.execute(table.select())]
                for table in ALL.sorted_tables
                if isinstance(table, Table)
            }


def request(**changes: Any) -> NewRequest:
    """A request from outside."""
    fields: dict[str, Any] = {
        "name": "Kim Doe",
        "email": "kim@example.org",
        "phone": "0761 123",
        "subject": "Laptop wanted",
        "text": "Hello!",
        "intake": Intake.HTTP,
        "region": "freiburg",
        "topic": "donation_request",
    }
    return NewRequest(**{**fields, **changes})


def first_sync() -> Batch:
    """What the first sync tells of the rooms."""
    return Batch(
        "start",
        rooms=tuple(
            RoomUpdate(
                room_id,
                membership="join",
                name=room_id[1:].partition(":")[0].title(),
                members={BOT: "Tickettruhe", **{user: user[1:].partition(":")[0].title() for user in users}},
            )
            for room_id, users in MEMBERS.items()
        ),
    )


async def put(database: Database, *rows: SQLModel) -> None:
    """Insert rows as they are."""
    with database.write() as session:
        for row in rows:
            session.add(row)
            session.flush()


@asynccontextmanager
async def bare_database(url: str) -> AsyncIterator[Database]:
    """A database with its tables and nothing in them."""
    await filled(url, "bare", schema.ensure)
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def desk_on(url: str, policy: Policy = POLICY, *, greeted: bool = True) -> AsyncIterator[Desk]:
    """A desk whose rooms the bot has seen and may use; nothing waits to be sent, but greetings if wanted."""
    await filled(url, f"desk, greeted: {greeted}", partial(_first_rows, greeted=greeted))
    database, clock = Database(url), Clock()
    try:
        yield Desk(database, Units(database, policy, clock), clock)
    finally:
        await database.close()


async def _first_rows(database: Database, *, greeted: bool) -> None:
    """What the bot's first start writes. Of the policy nothing is in it but who the bot is."""
    await schema.ensure(database)
    if greeted:
        await put(database, *(Greeting(room_id=room_id, at=START) for room_id in ROOMS.values()))
    units = Units(database, POLICY, Clock())
    rooms = {key: (room_id, room_id) for key, room_id in ROOMS.items()}
    await units.run(lambda unit: reception.start(unit, BOT, "DEVICE"))
    await units.run(lambda unit: reception.configure_rooms(unit, rooms))
    await units.run(lambda unit: reception.receive(unit, first_sync()))


def room_of(team: Team) -> str:
    """A team's room."""
    return TRIAGE if team is None else ROOMS[f"team:{team}"]
