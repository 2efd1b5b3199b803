"""The composition root: the only file that knows all parts. Starts them, and stops them in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Final, TypeVar

import structlog

from bot import trusting, wiring
from bot.charts.artist import Artist
from bot.commands import unreadable
from bot.commands.declarations import build_registry
from bot.commands.helping import german_names
from bot.commands.worker import Worker
from bot.config import Config
from bot.intake.email.mailbox import Mailbox
from bot.intake.server import build_app, serve
from bot.mail.courier import MailCourier
from bot.mail.server import MailServer
from bot.matrix.client import MatrixClient
from bot.matrix.courier import Courier
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.pickle_key import sealer_for
from bot.matrix.encryption.sealing import Sealer
from bot.matrix.errors import MatrixError, TokenRejected
from bot.matrix.events import Reader
from bot.matrix.media import Uploader
from bot.matrix.rooms import Doorkeeper
from bot.matrix.sync import SyncLoop
from bot.matrix.unsealing import Unsealer
from bot.schedule import Schedule
from bot.seeing import Insight, counted
from bot.services import mail_ids, reception, restoring, room_updates
from bot.services.status import Program
from bot.services.unit import Clock, Units, utc_now
from bot.waiting import called
from bot.watch import Watch
from storage import schema
from storage.database import Database
from storage.errors import DatabaseUnavailable

_LOG = structlog.get_logger(__name__)
T = TypeVar("T")
_DRAIN: Final = 3.0
_RETRY: Final = 5.0
_ROUND: Final = 10.0
_GHOST: Final = 20.0
"""Seconds in which PostgreSQL may still think that a connection lives that broke on this side only."""


@dataclass(slots=True)
class Bot:
    """A running bot's parts, and what is known of their state."""

    config: Config
    database: Database
    clock: Clock
    units: Units
    sealer: Sealer
    """For what the database keeps of secrets."""
    speaker: wiring.Speaker
    worker: Worker
    watch: Watch
    insight: Insight
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the first sync is in the database."""
    mailboxes: list[Mailbox] = field(default_factory=list)
    identified: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the account's cross-signing keys were looked after for the first time."""
    behind: bool = False
    """Whether the database may be a backup, so that no number is given before the first sync."""
    mail: MailCourier | None = None
    port: int = 0
    """Of the HTTP intake."""
    metrics_port: int | None = None


async def run(
    config: Config,
    stop: asyncio.Event,
    *,
    clock: Clock = utc_now,
    started: Callable[[Bot], None] | None = None,
) -> None:
    """Run the bot until ``stop`` is set; then drain and return within five seconds.

    :raises AlreadyRunning: another process runs on this database.
    :raises CannotListen: the intake's address is taken, or that of the metrics.
    :raises SchemaTooNew: or SchemaTooOld: the database is of another version.
    :raises TemplateBroken: a template of mails cannot be used.
    :raises TokenRejected: (in an exception group) the login is over.
    """
    database = Database(config.database_url())
    try:
        await schema.ensure(database)
        await database.hold(clock())
        bot = await _assemble(config, database, clock)
        async with _serving(bot), _fetching(bot):
            if started:
                started(bot)
            await _run_tasks(bot, stop)
    finally:
        await database.close()
    _LOG.info("stopped")


def _guarded(bot: Bot) -> Units:
    """For what comes in from outside: it waits until it is known which numbers were given."""
    return restoring.GuardedUnits(bot.units, lambda: bot.behind and not bot.ready.is_set())


@asynccontextmanager
async def _serving(bot: Bot) -> AsyncIterator[None]:
    """The web servers: the intake for the world, and another one for those who look after the bot."""
    intake, metrics = bot.config.intake, bot.config.metrics
    units = _guarded(bot)
    # Made before anything comes in: two mails at once would make two.
    await bot.units.run(mail_ids.key_of)
    app = await build_app(units, wiring.intake_settings(bot.config), bot.insight.checks, bot.clock)
    bot.behind = await bot.units.look(restoring.is_behind)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(bot.insight.close)
        bot.port = await stack.enter_async_context(serve(app, intake.listen, intake.port))
        _LOG.info("listening", address=intake.listen, port=bot.port)
        if metrics.port is not None:
            inside = serve(bot.insight.app(), metrics.listen, metrics.port)
            bot.metrics_port = await stack.enter_async_context(inside)
            _LOG.info("listening_for_metrics", address=metrics.listen, port=bot.metrics_port)
        yield


@asynccontextmanager
async def _fetching(bot: Bot) -> AsyncIterator[None]:
    """Mail comes in like requests do: also while the homeserver is away."""
    tasks = [asyncio.create_task(mailbox.run(), name=mailbox.name) for mailbox in bot.mailboxes]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_DRAIN)


async def _assemble(config: Config, database: Database, clock: Clock) -> Bot:
    program = Program(version("tickettruhe"), clock(), database.dialect)
    registry = build_registry(program, config.prefix)
    counts = counted(command.name for command in registry)
    units = Units(database, wiring.policy(config), clock, counts.meters)
    sealer = await sealer_for(units, wiring.pickle_key(config), config.pickle_key_path())
    composer = wiring.composer(config)
    speaker = wiring.Speaker(config, german_names(registry), clock, composer)
    worker = Worker(units, registry, speaker, wiring.identity(config))
    watch = Watch(units, schema.newest())
    watch.over("worker", lambda: worker.turned_at)
    insight = Insight(units, watch, program, counts.registry)
    bot = Bot(config, database, clock, units, sealer, speaker, worker, watch, insight)
    server = wiring.mail_server(config)
    if server is not None and composer is not None:
        bot.mail = mail = MailCourier(units, composer, MailServer(server))
        watch.over("mail", lambda: mail.turned_at)
        watch.mail_in_trouble = lambda: mail.trouble
    for settings in wiring.mailboxes(config):
        mailbox = Mailbox(_guarded(bot), settings)
        bot.mailboxes.append(mailbox)
        watch.over_mailbox(mailbox)
    return bot


async def _run_tasks(bot: Bot, stop: asyncio.Event) -> None:
    """All tasks, as long as all go well. One that fails ends the others and the program."""
    async with _connected(bot, stop) as client:
        machine = await _machine(bot, client, stop) if client is not None else None
        if client is None or machine is None:
            return
        doorkeeper = Doorkeeper(client, bot.units, wiring.rooms(bot.config))
        uploader = Uploader(client, machine, bot.units, wiring.fetch(Artist(), bot.units))
        courier = Courier(client, machine, bot.units, bot.speaker.render, uploader)
        trust = trusting.trust(bot.config, client, machine, bot.units)
        bot.watch.logged_in = True
        bot.watch.over("courier", lambda: courier.turned_at)
        async with asyncio.TaskGroup() as group:
            sending = [group.create_task(_once_ready(bot, trust.settled, courier.run), name="courier")]
            if bot.mail is not None:
                sending.append(group.create_task(_once_ready(bot, bot.mail.run), name="mail"))
            others = [
                group.create_task(_receive(bot, client, machine, doorkeeper), name="sync"),
                group.create_task(machine.upkeep.run(), name="keys"),
                group.create_task(machine.hand_over(), name="verifications"),
                group.create_task(_once_ready(bot, bot.worker.run), name="worker"),
                group.create_task(_once_ready(bot, _schedule(bot).run), name="schedule"),
                group.create_task(_rounds(bot, machine, doorkeeper), name="rounds"),
                group.create_task(_keep_lease(bot), name="lease"),
            ]
            others += [group.create_task(work, name=name) for name, work in trust.tasks().items()]
            others.append(group.create_task(trust.tell(bot.identified), name="identified"))
            await stop.wait()
            _LOG.info("stopping")
            bot.watch.stopping = True
            for task in others:
                task.cancel()
            courier.stop()
            if bot.mail is not None:
                bot.mail.stop()
            if bot.ready.is_set():
                # What is under way may finish; what is cut off is sent again after the next start.
                await asyncio.wait(sending, timeout=_DRAIN)
            for task in sending:
                task.cancel()


def _schedule(bot: Bot) -> Schedule:
    quiet_hours = tuple(bot.units.policy.quiet.values())
    return Schedule(bot.units, wiring.digest_plans(bot.config), quiet_hours)


@asynccontextmanager
async def _connected(bot: Bot, stop: asyncio.Event) -> AsyncIterator[MatrixClient | None]:
    """Log in, however long the homeserver is away; the intake works meanwhile."""
    client = await _until_up(lambda: _client(bot), stop)
    if client is None:
        yield None
        return

    async def started() -> MatrixClient:
        await client.start()
        return client

    try:
        yield await _until_up(started, stop)
    finally:
        await client.close()


async def _machine(bot: Bot, client: MatrixClient, stop: asyncio.Event) -> Machine | None:
    """The encryption's machine, with the keys of the last run; ``None`` if stopped before."""
    allowed = wiring.readers(bot.config)
    return await _until_up(lambda: Machine.started(client, bot.units, bot.sealer, allowed), stop)


async def _client(bot: Bot) -> MatrixClient:
    user = bot.config.matrix.user
    device = await bot.units.look(lambda unit: reception.device_of(unit, user))
    return MatrixClient(wiring.login(bot.config, device))


async def _until_up(attempt: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T | None:
    """What the attempt gives once the homeserver and the database answer; ``None`` if stopped before."""
    while not stop.is_set():
        try:
            return await attempt()
        except TokenRejected:
            raise
        except MatrixError as error:
            _LOG.warning("homeserver_unavailable", error=repr(error))
        except DatabaseUnavailable:
            _LOG.warning("database_unavailable", doing="start")
        await called(stop, _RETRY)
    return None


async def _once_ready(bot: Bot, *works: Callable[[], Awaitable[None]]) -> None:
    """Begin when the database knows the rooms as they are today, and whether it is a restored one."""
    await bot.ready.wait()
    for work in works:
        await work()


async def _receive(bot: Bot, client: MatrixClient, machine: Machine, doorkeeper: Doorkeeper) -> None:
    await _until_up(doorkeeper.settle, asyncio.Event())

    async def synced() -> None:
        bot.watch.synced_at = bot.clock()
        if not bot.ready.is_set():
            await bot.units.run(room_updates.judge_all)
            bot.ready.set()
            bot.units.signals.rooms.set()
            _LOG.info("ready")

    reader = Reader(client.user_id, bot.worker.concerns, machine.labels)
    bot.watch.sync = SyncLoop(client, bot.units, reader, machine, bot.units.signals.rooms.set, synced)
    async with asyncio.TaskGroup() as group:
        group.create_task(_once_ready(bot, Unsealer(bot.units, machine, reader).run), name="unsealing")
        group.create_task(bot.watch.sync.run(), name="syncing")


async def _rounds(bot: Bot, machine: Machine, doorkeeper: Doorkeeper) -> None:
    """What wants looking at now and then: rooms, invitations, and messages that cannot be read."""
    look = bot.units.signals.rooms
    while True:
        await called(look, _ROUND)
        look.clear()
        if not bot.ready.is_set():
            continue
        try:
            await doorkeeper.retry()
            await doorkeeper.move()
            await doorkeeper.answer_invitations()
            await doorkeeper.leave_strangers()
            await unreadable.tell(bot.units, bot.speaker, machine.is_withheld)
        except DatabaseUnavailable as error:
            _LOG.warning("round_failed", error=repr(error))


async def _keep_lease(bot: Bot) -> None:
    """PostgreSQL drops the lease with its connection, as when it is restarted: take it again.

    :raises AlreadyRunning: another process was quicker; this one must not go on.
    """
    while True:
        await asyncio.sleep(_ROUND)
        bot.watch.lease_held = await bot.database.still_held()
        if bot.watch.lease_held:
            continue
        try:
            await bot.database.hold(bot.clock(), _GHOST)
            bot.watch.lease_held = True
            _LOG.warning("lease_taken_again")
        except DatabaseUnavailable:
            _LOG.warning("database_unavailable", doing="lease")
