"""What many may ask for and is found out only now and then."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
_KEEP_FAILURE: Final = 5.0
"""Seconds at most for which nobody asks again after a search that failed: what was away may be back."""


class Recent(Generic[T]):
    """A value that is found out at most so often and by one search at a time, however many ask for it.

    A search that takes too long goes on, and whoever asks meanwhile is told so at once or after their own
    patience: a database that hangs is asked once, not once per asker.
    """

    def __init__(self, find: Callable[[], Awaitable[T]], *, keep: float, patience: float) -> None:
        """:param keep: seconds for which a value is recent; :param patience: seconds that one asker waits."""
        self._find = find
        self._keep = keep
        self._patience = patience
        self._search: asyncio.Task[T] | None = None
        self._until = 0.0

    async def get(self) -> T:
        """The value.

        :raises TimeoutError: it is not found in time.
        """
        loop = asyncio.get_running_loop()
        if self._search is None or (self._search.done() and loop.time() >= self._until):
            self._search = loop.create_task(self._searched())
        await asyncio.wait({self._search}, timeout=self._patience)
        if not self._search.done():
            raise TimeoutError
        return self._search.result()

    async def _searched(self) -> T:
        keep = min(self._keep, _KEEP_FAILURE)
        try:
            found = await self._find()
            keep = self._keep
        finally:
            self._until = asyncio.get_running_loop().time() + keep
        return found

    async def close(self) -> None:
        """End a search that is under way."""
        if self._search is not None and not self._search.done():
            self._search.cancel()
            await asyncio.wait({self._search}, timeout=self._patience)
