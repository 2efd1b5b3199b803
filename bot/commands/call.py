"""What the parser is given beside the line, and what it makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from bot.commands.spec import Command

H = TypeVar("H")


@dataclass(frozen=True, slots=True)
class Context:
    """The tickets that the thread's root or the message replied to shows."""

    tickets: tuple[int, ...] = ()

    @property
    def ticket(self) -> int | None:
        """The ticket that is meant when no number is given: only if there is no choice."""
        return self.tickets[0] if len(set(self.tickets)) == 1 else None


@dataclass(frozen=True, slots=True)
class Call(Generic[H]):
    """A command line that was understood.

    ``numbers`` are in the order given, each once. ``words`` maps names of parameters (person, word and text)
    to what was typed; ``options`` maps names such as ``--force`` to their value, ``True`` for a flag.
    """

    command: Command[H]
    numbers: tuple[int, ...]
    words: Mapping[str, str]
    options: Mapping[str, str | Literal[True]]
    page: int = 0
    """Which page of a long answer is wanted, from 0 on; a line always asks for the first."""
