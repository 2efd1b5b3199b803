"""Pictures come from a process of their own: the bot goes on meanwhile, and no process is left behind."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from bot.charts import artist
from bot.charts.artist import Artist, CannotDraw
from bot.presentation import Names, Renderer
from tests.stats_data import stats

_START: Final = artist._start


def description(*teams: str | None) -> dict[str, Any]:
    """Of a picture."""
    found = Renderer(Names()).picture(stats(*teams), "de", ZoneInfo("Europe/Berlin"))
    assert found is not None
    return found[1].to_json()


@dataclass
class Studio:
    """The drawing processes that were started."""

    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> asyncio.subprocess.Process:
        """As the artist does."""
        process = await _START()
        self.processes.append(process)
        self.started.set()
        return process


@pytest.fixture(autouse=True)
async def studio(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Studio]:
    """Watches, and sees in the end that no process is left."""
    studio = Studio()
    monkeypatch.setattr(artist, "_start", studio.start)
    yield studio
    assert [each for each in studio.processes if each.returncode is None] == []


async def test_the_loop_goes_on_while_a_picture_is_drawn() -> None:
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    heart = asyncio.create_task(beat())
    drawn = await Artist().draw(description("freiburg", "berlin", None))
    heart.cancel()
    assert (drawn.width, drawn.png[:8]) == (1080, b"\x89PNG\r\n\x1a\n")
    assert drawn.height > drawn.width
    # Drawn in this process, however quickly, it would not come to a single one.
    assert beats > 5


async def test_the_same_picture_is_drawn_once(studio: Studio) -> None:
    one = Artist()
    first, second = await asyncio.gather(one.draw(description("a")), one.draw(description("a")))
    assert first is second
    assert len(studio.processes) == 1
    await one.draw(description("b"))
    assert len(studio.processes) == 2


async def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(CannotDraw, match=r"not done after 0\.05 s"):
        await Artist(patience=0.05).draw(description("freiburg"))


async def test_a_bot_that_stops_ends_the_drawing_at_once(studio: Studio) -> None:
    task = asyncio.create_task(Artist().draw(description("freiburg")))
    await studio.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [each.returncode for each in studio.processes] == [-signal.SIGKILL]


async def test_what_cannot_be_drawn_is_told_without_its_content() -> None:
    for wanted in ({"nonsense": "secret"}, {**description("a"), "tiles": [{"secret": 1}]}):
        with pytest.raises(CannotDraw) as raised:
            await Artist().draw(wanted)
        assert raised.value.reason.startswith("ended with 1: ")
        assert "secret" not in raised.value.reason


async def test_a_drawing_process_that_is_killed_is_told(studio: Studio) -> None:
    task = asyncio.create_task(Artist().draw(description("freiburg")))
    await studio.started.wait()
    studio.processes[0].kill()
    with pytest.raises(CannotDraw, match="ended with -9"):
        await task


def test_the_drawing_process_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETTRUHE_MATRIX__ACCESS_TOKEN", "secret")
    assert "secret" not in artist._environment().values()


async def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.charts.artist.sys.executable", "/nowhere/python")
    with pytest.raises(CannotDraw, match="no process"):
        await Artist().draw(description("freiburg"))
