"""Frozen views of lists of tickets, of a search and of what to do next."""

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.finding import Query
from bot.services.views import CardView, LineView, Paged


class ListKind(StrEnum):
    """Which question a list of tickets answers."""

    OPEN = "open"
    MINE = "mine"
    WAITING = "waiting"
    ALL = "all"
    """Closed, spam and archived ones too."""
    ALL_MINE = "all_mine"

    @property
    def own(self) -> bool:
        """Whether it lists what is one person's."""
        return self in (ListKind.MINE, ListKind.ALL_MINE)


@dataclass(frozen=True, slots=True)
class ListView(Paged):
    """A page of a list of tickets."""

    kind: ListKind
    lines: tuple[LineView, ...]
    topic: str | None = None
    """Only tickets of this topic."""
    age: int | None = None
    """Only tickets to which nothing has happened for so many days; on the waiting list, that wait so long."""
    show_team: bool = False
    """Whether lines of several teams may be among them, so that each must name its own."""


@dataclass(frozen=True, slots=True)
class HitView:
    """A ticket that a search found. ``name`` and ``excerpt`` say where, if its subject does not tell."""

    line: LineView
    name: str | None = None
    excerpt: str | None = None


@dataclass(frozen=True, slots=True)
class SearchView(Paged):
    """A page of what a search found, the best first. The query marks the places; it may be empty."""

    query: Query
    hits: tuple[HitView, ...] = ()
    show_team: bool = False

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        return frozenset(hit.line.number for hit in self.hits)


@dataclass(frozen=True, slots=True)
class NextView:
    """Answer to `next`: the ticket to take next, as its card and as a line of a list; none if all is done.

    ``line.status`` tells whether nobody has taken it yet or it waits on the waiting list.
    """

    card: CardView | None = None
    line: LineView | None = None
