"""Calendar weeks of a place: Monday to Sunday as its people live them, whatever the clocks do (ISO 8601)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Weeks:
    """Several weeks in a row; ``first`` is a Monday."""

    first: date
    count: int

    @classmethod
    def until(cls, today: date, count: int) -> "Weeks":
        """The week of ``today``, which is not over yet, and those before it."""
        return cls(today - timedelta(days=today.weekday()) - (count - 1) * _WEEK, count)

    @property
    def mondays(self) -> tuple[date, ...]:
        """The day on which each begins."""
        return tuple(self.first + index * _WEEK for index in range(self.count))

    def begin(self, zone: ZoneInfo) -> datetime:
        """The moment at which the first week begins there, in UTC."""
        return datetime.combine(self.first, time(), zone).astimezone(UTC)

    def index(self, moment: datetime, zone: ZoneInfo) -> int | None:
        """In which of them an aware moment falls there; ``None`` if before all of them.

        Where the next week has begun already, the last one goes on until it has begun for the readers too.
        """
        days = (moment.astimezone(zone).date() - self.first).days
        return None if days < 0 else min(days // 7, self.count - 1)
