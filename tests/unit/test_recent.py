"""A value that many ask for is found out once at a time and not too often."""

import asyncio

import pytest

from bot.recent import Recent


class Source:
    """Counts how often it is asked; answers once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()
        self.may.set()
        self.error: Exception | None = None

    async def find(self) -> int:
        """The how-manieth answer it is."""
        self.asked += 1
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return self.asked


async def test_many_askers_are_one_search() -> None:
    source = Source()
    recent = Recent(source.find, keep=60, patience=5)
    assert await asyncio.gather(*(recent.get() for _ in range(10))) == [1] * 10
    assert await recent.get() == 1


async def test_what_is_no_longer_recent_is_found_out_again() -> None:
    source = Source()
    recent = Recent(source.find, keep=0, patience=5)
    assert [await recent.get(), await recent.get()] == [1, 2]


async def test_a_search_that_hangs_is_not_begun_again() -> None:
    source = Source()
    source.may.clear()
    recent = Recent(source.find, keep=0, patience=0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await recent.get()
    source.may.set()
    assert await recent.get() == 1


async def test_an_error_is_told_and_kept_no_longer_than_a_value() -> None:
    source = Source()
    source.error = ValueError("no")
    recent = Recent(source.find, keep=0, patience=5)
    with pytest.raises(ValueError, match="no"):
        await recent.get()
    source.error = None
    assert await recent.get() == 2


async def test_an_error_is_kept_for_a_moment_however_long_a_value_is(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source()
    source.error = ValueError("no")
    recent = Recent(source.find, keep=900, patience=5)
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await recent.get()
    assert source.asked == 1
    monkeypatch.setattr("bot.recent._KEEP_FAILURE", 0.0)
    recent = Recent(source.find, keep=900, patience=5)
    with pytest.raises(ValueError, match="no"):
        await recent.get()
    source.error = None
    assert [await recent.get(), await recent.get()] == [3, 3]


async def test_closing_ends_a_search() -> None:
    source = Source()
    source.may.clear()
    before = asyncio.all_tasks()
    recent = Recent(source.find, keep=60, patience=0.01)
    with pytest.raises(TimeoutError):
        await recent.get()
    assert asyncio.all_tasks() - before
    await recent.close()
    assert not asyncio.all_tasks() - before
