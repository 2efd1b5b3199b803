"""Whether the rooms show what they should: each expectation by its name, and the whole."""

from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE: Final = 30.0
IMPATIENCE: Final = 5.0

Until = Callable[[Callable[[], bool], float], Awaitable[bool]]
"""Waits until something holds, for so many seconds at most; whether it does."""


class Verdict:
    """Collects what was expected and what came of it."""

    def __init__(self, until: Until, tell: Callable[[str, bool], None]) -> None:
        """:param tell: is told each expectation as soon as it is decided."""
        self._until = until
        self._tell = tell
        self._decided: list[tuple[str, bool]] = []

    @property
    def met(self) -> tuple[str, ...]:
        """Expectations that came true."""
        return tuple(name for name, met in self._decided if met)

    @property
    def unmet(self) -> tuple[str, ...]:
        """Expectations that did not."""
        return tuple(name for name, met in self._decided if not met)

    @property
    def good(self) -> bool:
        """Whether something was expected and nothing was in vain."""
        return bool(self.met) and not self.unmet

    async def expect(self, name: str, holds: Callable[[], bool]) -> bool:
        """Waits for it. After the first disappointment the others are waited for less patiently, as one
        thing that goes wrong mostly takes others with it."""
        return self.note(name, await self._until(holds, IMPATIENCE if self.unmet else PATIENCE))

    def note(self, name: str, met: bool) -> bool:
        """Decides an expectation at once."""
        self._decided.append((name, met))
        self._tell(name, met)
        return met
