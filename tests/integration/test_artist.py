"""Pictures come from a process of their own: the bot goes on meanwhile, and no process is left behind."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from bot.charts import artist
from bot.charts.artist import Artist, CannotDraw
from bot.presentation import Names, Renderer
from tests.stats_data import stats


def description(*teams: str | None) -> dict[str, Any]:
    """Of a picture."""
    found = Renderer(Names()).picture(stats(*teams), "de", ZoneInfo("Europe/Berlin"))
    assert found is not None
    return found[1].to_json()


def drawing() -> list[psutil.Process]:
    """Drawing processes of this one that have not ended."""
    return [each for each in psutil.Process().children() if "bot.charts" in each.cmdline()]


async def until_drawing() -> None:
    """Wait for a drawing process."""
    async with asyncio.timeout(20):
        while not drawing():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    yield
    assert drawing() == []


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


async def test_the_same_picture_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    same, started = Artist(), 0
    start = artist._start

    async def counted() -> asyncio.subprocess.Process:
        nonlocal started
        started += 1
        return await start()

    monkeypatch.setattr(artist, "_start", counted)
    first, second = await asyncio.gather(same.draw(description("a")), same.draw(description("a")))
    assert first is second
    assert started == 1
    await same.draw(description("b"))
    assert started == 2


async def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(CannotDraw, match=r"not done after 0\.05 s"):
        await Artist(patience=0.05).draw(description("freiburg"))


async def test_a_bot_that_stops_ends_the_drawing_at_once() -> None:
    task = asyncio.create_task(Artist().draw(description("freiburg")))
    await until_drawing()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_cannot_be_drawn_is_told_without_its_content() -> None:
    for wanted in ({"nonsense": "secret"}, {**description("a"), "tiles": [{"secret": 1}]}):
        with pytest.raises(CannotDraw) as raised:
            await Artist().draw(wanted)
        assert raised.value.reason.startswith("ended with 1: ")
        assert "secret" not in raised.value.reason


async def test_a_drawing_process_that_is_killed_is_told() -> None:
    task = asyncio.create_task(Artist().draw(description("freiburg")))
    await until_drawing()
    for process in drawing():
        process.kill()
    with pytest.raises(CannotDraw, match="ended with -9"):
        await task


async def test_the_drawing_process_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKETTRUHE_MATRIX__ACCESS_TOKEN", "secret")
    task = asyncio.create_task(Artist().draw(description("freiburg")))
    await until_drawing()
    (process,) = drawing()
    assert "secret" not in process.environ().values()
    assert process.environ()["PYTHONPATH"] not in os.environ.get("PYTHONPATH", "").split(os.pathsep)
    await task


async def test_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.charts.artist.sys.executable", "/nowhere/python")
    with pytest.raises(CannotDraw, match="no process"):
        await Artist().draw(description("freiburg"))
