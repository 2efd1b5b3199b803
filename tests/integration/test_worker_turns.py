"""The worker's turns: what can be done at once, what takes more, and what fails on the way."""

from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from bot.commands import worker as module
from bot.commands.executor import Executor
from bot.domain.errors import NotPermitted, TakenBy, UsageError
from bot.domain.words import Status
from bot.services.list_views import ListView
from bot.services.reception import Batch, ReceivedEvent, receive, waiting
from bot.services.unit import DatabaseUnavailable
from bot.services.views import CommandFailed, ConfirmView
from tests.integration.desk_data import ANNA, BEN, HOME, Desk, desk_on
from tests.integration.test_worker_taps import Chat


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


@pytest.fixture
def chat(desk: Desk) -> Chat:
    return Chat(desk)


async def write(desk: Desk, *lines: tuple[str, str], room: str | None = None) -> None:
    """People write; nothing is handled yet."""
    events = tuple(
        ReceivedEvent(
            f"$line{index}", room or HOME[who], who, {"msgtype": "m.text", "body": body}, desk.clock.now
        )
        for index, (who, body) in enumerate(lines)
    )
    await desk.units.run(lambda unit: receive(unit, Batch("t", events=events)))


@pytest.fixture
def units(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The units of work that are done, as they come."""
    done: list[str] = []
    for name in ("run", "look"):
        real = getattr(desk.units, name)

        def counted(work: object, real: object = real, name: str = name) -> object:
            done.append(name)
            return real(work)  # type: ignore[operator]

        monkeypatch.setattr(desk.units, name, counted)
    return done


async def test_a_change_is_done_in_the_unit_that_finds_it(desk: Desk, chat: Chat, units: list[str]) -> None:
    number = await desk.open()
    await write(desk, (ANNA, f"!take {number}"))
    units.clear()
    with capture_logs() as lines:
        assert await chat.worker.turn(woken=True)
    assert units == ["run"]
    assert (await desk.ticket(number)).assignee == ANNA
    (answer,) = await desk.outbox(kind="reaction")
    assert answer.payload is not None
    assert answer.payload["content"]["m.relates_to"]["event_id"] == "$line0"
    about = {"event_id": "$line0", "command": "take", "ticket": number}
    assert [line["event"] for line in lines if about.items() <= line.items()] == ["change", "command"]
    assert not await chat.worker.turn(woken=True)
    assert not await chat.worker.turn(woken=False)


async def test_a_refusal_by_the_gate_is_told_at_once(desk: Desk, chat: Chat, units: list[str]) -> None:
    number = await desk.open()
    await write(desk, (BEN, f"!take {number}"), (ANNA, f"!take {number}"))
    units.clear()
    assert await chat.worker.turn(woken=True)
    assert await chat.worker.turn(woken=True)
    assert units == ["run", "run"]
    assert (await desk.ticket(number)).assignee == BEN
    (refusal,) = chat.speaker.said
    assert isinstance(refusal, TakenBy)


@pytest.mark.parametrize("woken", [False, True])
async def test_what_takes_more_is_done_the_long_way(desk: Desk, chat: Chat, *, woken: bool) -> None:
    number, other, *more = [await desk.open() for _ in range(8)]
    lines = [
        (ANNA, "!list"), (ANNA, "!archive 1"), (ANNA, "!what"), (ANNA, f"!close {' '.join(map(str, more))}"),
        (ANNA, f"!take {number} {other}"),
    ]  # fmt: skip
    await write(desk, *lines)
    for _line in lines:
        assert await chat.worker.turn(woken=woken)
    assert not await chat.worker.turn(woken=woken)
    listed, refused, unknown, asked = chat.speaker.said
    assert isinstance(listed, ListView)
    assert isinstance(refused, NotPermitted)
    assert isinstance(unknown, UsageError)
    assert isinstance(asked, ConfirmView)
    assert [(await desk.ticket(each)).assignee for each in (number, other)] == [ANNA, ANNA]


@pytest.mark.parametrize("woken", [False, True])
async def test_strangers_are_not_answered(desk: Desk, chat: Chat, *, woken: bool) -> None:
    number = await desk.open()
    await write(desk, (ANNA, f"!take {number}"), room="!strange:example.org")
    assert await chat.worker.turn(woken=woken)
    assert (await desk.ticket(number)).assignee is None
    assert await desk.outbox(kind="reaction") == []
    assert await desk.units.look(waiting) == ()


async def test_a_fault_changes_nothing_is_counted_and_told(
    desk: Desk, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await desk.open()
    await write(desk, (ANNA, f"!take {number}"))

    def breaks(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(module, "_PAUSE", 0)
    monkeypatch.setattr(Executor, "_report", breaks)
    for _attempt in range(2):
        assert await chat.worker.turn(woken=True)
        assert (await desk.ticket(number)).assignee is None
        assert len(await desk.units.look(waiting)) == 1
    assert chat.speaker.said == []
    assert await chat.worker.turn(woken=True)
    assert [type(said) for said in chat.speaker.said] == [CommandFailed]
    assert (await desk.ticket(number)).status == Status.OPEN.value
    assert await desk.units.look(waiting) == ()


async def test_a_database_that_is_away_is_waited_for(
    desk: Desk, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await desk.open()
    await write(desk, (ANNA, f"!take {number}"))

    async def away(_work: object) -> None:
        raise DatabaseUnavailable("test")

    with monkeypatch.context() as patch:
        patch.setattr(desk.units, "run", away)
        with pytest.raises(DatabaseUnavailable):
            await chat.worker.turn(woken=True)
    assert await chat.worker.turn(woken=True)
    assert (await desk.ticket(number)).assignee == ANNA
