"""The bot's first words: it is started for a moment, and does what it does at each first start.

So the greeting comes from the bot that goes on living there: in the room's language, encrypted where the room
is, noted in its database, and never twice. It shows besides that all works.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, Protocol

from sqlalchemy import make_url

from bot.config import Config
from bot.services import greetings
from bot.services.unit import Units
from bot.setup.plan import RoomPlan
from bot.waiting import called
from storage import inspection, schema
from storage.errors import DatabaseUnavailable

_START: Final = 60.0
_SENDING: Final = 30.0
_LOOK: Final = 0.2


class Started(Protocol):
    """A bot that was started."""

    @property
    def ready(self) -> asyncio.Event:
        """Set once it knows its rooms and has noted whom to greet."""

    @property
    def identified(self) -> asyncio.Event:
        """Set once its cross-signing keys were looked after."""

    @property
    def units(self) -> Units:
        """Its way to the database."""


Start = Callable[..., Awaitable[Any]]
"""The composition root's ``run``."""


def is_due(config: Config, rooms: Collection[RoomPlan]) -> bool:
    """Whether the bot was never started, or would greet somewhere if it was.

    In an encrypted room nobody is greeted before somebody is there.

    :raises DatabaseUnavailable: PostgreSQL does not answer.
    """
    greeted = _greeted(config)
    if greeted is None:
        return True
    return any(
        room.seen.room_id not in greeted
        for room in rooms
        if (room.to_make and not room.wanted.encrypted) or room.seen.can_be_greeted
    )


def _greeted(config: Config) -> frozenset[str] | None:
    """Rooms that were greeted; ``None``: there is no database that this version has worked with."""
    url = make_url(config.database_url())
    if inspection.is_missing(url):
        return None
    try:
        with inspection.opened(url) as session:
            if inspection.found_schema(session) == schema.newest():
                return frozenset(inspection.greeted(session))
    except DatabaseUnavailable:
        # A SQLite file that cannot be read the bot's own start explains better.
        if url.get_backend_name() != "sqlite":
            raise
    return None


async def say_hello(config: Config, start: Start) -> bool:
    """Start the bot, let it say hello, stop it; whether all was sent in time.

    :raises TickettruheError: of the kinds that a start may raise; AlreadyRunning: a bot is there already.
    """
    stop = asyncio.Event()
    waiting: asyncio.Task[bool] | None = None

    def started(bot: Started) -> None:
        nonlocal waiting
        waiting = asyncio.create_task(_said(bot, stop))

    await start(config, stop, started=started)
    return waiting is not None and await waiting


async def _said(bot: Started, stop: asyncio.Event) -> bool:
    """Wait for the greetings, and have the bot stopped."""
    try:
        if not await called(bot.ready, _START):
            return False
        async with asyncio.timeout(_SENDING):
            await bot.identified.wait()
            while await bot.units.look(greetings.unsaid):  # noqa: ASYNC110 - the courier tells nobody
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        return False
    finally:
        stop.set()
    return True
