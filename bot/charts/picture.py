"""What a picture shows, in words and numbers: all that the drawing process is told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that one should see first, with the words under it."""

    number: str
    words: str


@dataclass(frozen=True, slots=True)
class Weeks:
    """Two bars per week, oldest first; the last week is not over."""

    finding: str
    """What there is to see, as a sentence."""
    opened_words: str
    closed_words: str
    opened: tuple[int, ...]
    closed: tuple[int, ...]
    days: tuple[str, ...]
    """On which each week begins."""
    unfinished: str
    """What to call the last week."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ages:
    """One bar per age, youngest first."""

    finding: str
    words: tuple[str, ...]
    counts: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One team in a line. ``key`` stands in for a name that no font here can write."""

    name: str
    key: str
    opened: tuple[int, ...]
    closed: tuple[int, ...]
    ages: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Teams:
    """Several teams under each other."""

    finding: str
    plain: str
    """Instead of the finding, if it names the first row and no font here can write that name."""
    weeks_words: str
    ages_words: str
    rows: tuple[Row, ...]
    more: str = ""
    """What is to be said of those for which there is no room."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, from top to bottom."""

    title: str
    title_key: str
    """Stands in for a title that no font here can write."""
    period: str
    tiles: tuple[Tile, ...]
    weeks: Weeks
    ages: Ages
    teams: Teams | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept and sent to the drawing process."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Picture":
        """The inverse of :meth:`to_json`.

        :raises TypeError: or KeyError: it is none.
        """
        teams = kept["teams"]
        return cls(
            kept["title"],
            kept["title_key"],
            kept["period"],
            tuple(Tile(**tile) for tile in kept["tiles"]),
            Weeks(**_tuples(kept["weeks"])),
            Ages(**_tuples(kept["ages"])),
            None
            if teams is None
            else Teams(**{**teams, "rows": tuple(Row(**_tuples(row)) for row in teams["rows"])}),
        )


def _tuples(kept: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
