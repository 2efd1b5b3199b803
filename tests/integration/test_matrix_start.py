"""How the parts start together: nothing is sent by yesterday's state, and a hiccup ends nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot import app
from bot.demo.homeserver import Homeserver
from bot.domain.request import NewRequest
from bot.domain.words import Intake
from bot.matrix.client import MatrixClient
from bot.services import intake, invitations, reception, room_updates
from bot.services.unit import Unit
from storage.errors import DatabaseUnavailable
from storage.models import OutboxRow
from tests.desk import Desk, make_desk
from tests.people import Crowd

REQUEST = NewRequest(
    name="Kim Doe",
    email="kim@example.org",
    phone=None,
    subject="Laptop wanted",
    text="Hello!",
    intake=Intake.HTTP,
    region="freiburg",
    topic="donation_request",
)


@pytest.fixture
async def desk(homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str) -> Desk:
    """Rooms and config; no bot was ever started."""
    return await make_desk(homeserver, people, tmp_path, sqlite_database)


@asynccontextmanager
async def running(desk: Desk, *, until_ready: bool = True) -> AsyncIterator[app.Bot]:
    """The bot in this process; stopped at the end."""
    stop = asyncio.Event()
    begun: list[app.Bot] = []
    up = asyncio.Event()

    def started(bot: app.Bot) -> None:
        begun.append(bot)
        up.set()

    task = asyncio.create_task(app.run(desk.config, stop, started=started))
    try:
        await _came(up, task)
        if until_ready:
            await _came(begun[0].ready, task)
        yield begun[0]
    finally:
        stop.set()
        await task


async def _came(event: asyncio.Event, task: asyncio.Task[None]) -> None:
    """Wait for something that the bot's task does; fails if the task ends first."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    waiting.cancel()
    assert event.is_set(), task


async def states(bot: app.Bot) -> list[str]:
    """Of the outbox's rows about tickets."""

    def look(unit: Unit) -> list[str]:
        rows = unit.session.exec(select(OutboxRow).where(OutboxRow.kind == "card"))
        return [row.state for row in rows]

    return await bot.units.look(look)


async def test_nothing_is_sent_before_the_first_sync_told_of_the_rooms(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the bot was away, its room may have been opened to strangers."""
    async with running(desk):
        pass
    told = asyncio.Event()
    asked = asyncio.Event()
    sync = MatrixClient.sync

    async def late(self: MatrixClient, since: str | None, wait: int, only: Mapping[str, Any]) -> Any:
        asked.set()
        await told.wait()
        return await sync(self, since, wait, only)

    monkeypatch.setattr(MatrixClient, "sync", late)
    anna, room = desk.person("anna"), desk.rooms["freiburg"]
    opened = await anna.send_state(room, "m.room.join_rules", {"join_rule": "public"})
    async with running(desk, until_ready=False) as bot:
        await bot.units.run(lambda unit: intake.open_ticket(unit, REQUEST))
        await asked.wait()
        await asyncio.sleep(0.5)  # the point is that nothing happens
        told.set()
        await desk.hears("admin", "I cannot use the room Freiburg", "Strangers can join it")
        assert await states(bot) == ["waiting"]
    after = [event.event_id for event in await anna.timeline(room)].index(opened)
    assert [event.sender for event in (await anna.timeline(room))[after + 1 :]] == []


async def test_a_start_at_which_nothing_is_new_is_ready_at_once(desk: Desk) -> None:
    """A long poll would answer only when something happens, and nothing is sent before."""
    async with running(desk):
        pass
    async with running(desk):
        pass  # takes in what the first run did itself
    began = time.monotonic()
    async with running(desk):
        assert time.monotonic() - began < 3


async def test_it_stops_at_once_while_the_first_sync_is_awaited(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def never(*_: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(MatrixClient, "sync", never)
    async with running(desk, until_ready=False):
        await asyncio.wait_for(asked.wait(), 20)
        began = time.monotonic()
    assert time.monotonic() - began < 1


async def test_a_database_that_is_locked_for_a_moment_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_RETRY", 0.01)
    failures: list[str] = []

    def once_locked(module: object, name: str) -> None:
        true: Callable[..., Any] = getattr(module, name)

        def work(*arguments: Any) -> Any:
            if name not in failures:
                failures.append(name)
                raise DatabaseUnavailable("sqlite")
            return true(*arguments)

        monkeypatch.setattr(module, name, work)

    names = ["device_of", "configure_rooms", "start", "receive", "judge_all"]
    for name in names:
        once_locked(room_updates if name == "judge_all" else reception, name)
    async with running(desk) as bot:
        assert await desk.person("anna").members(desk.rooms["freiburg"]) >= {desk.account.user_id}
        assert (await bot.watch.ready()).problems == {}
    assert failures == names


async def test_invitations_are_answered_while_a_room_of_the_config_does_not_exist(desk: Desk) -> None:
    """And those that were left unanswered by the last run are answered by this one."""
    desk.rooms["triage"] = "!typo:localhost"
    desk.write_config()
    async with running(desk) as bot:
        await bot.units.run(lambda unit: intake.open_ticket(unit, REQUEST))
        await desk.card(1)
        assert (await bot.watch.ready()).problems == {"rooms": "triage: the bot is not in it"}
    direct = await desk.person("anna").direct_chat_with(desk.account.user_id)
    answered = asyncio.Event()

    def killed(_unit: Unit) -> tuple[invitations.Invitation, ...]:
        answered.set()
        return ()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(invitations, "pending", killed)
        async with running(desk):
            await asyncio.wait_for(answered.wait(), 5)
    async with running(desk):
        await desk.until_joined("anna", direct)
