"""Quiet hours: when nobody's phone is to ring."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo


class What(StrEnum):
    """What would have rung."""

    CARD = "card"
    """A new ticket, for the whole room."""
    MESSAGE = "message"
    GIVEN = "given"
    LOST = "lost"
    WITHDRAWN = "withdrawn"


_SPAN: Final = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")
_DAY: Final = timedelta(days=1)


def parse_span(text: str) -> tuple[time, time]:
    """Begin and end of ``22:00-07:00``.

    :raises ValueError: it is not two times of day that differ.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hours = [int(part) for part in found.groups()]
    begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
    if begin == end:
        raise ValueError(text)
    return begin, end


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A time of day in which it is quiet, day after day; it may go over midnight."""

    begin: time
    end: time
    zone: ZoneInfo

    def ends_at(self, now: datetime) -> datetime | None:
        """When the quiet that reigns at an aware moment is over (UTC); ``None`` if it is not quiet.

        A time that the clocks skip is as far into the day as without the change (02:30 comes at 03:30);
        one that they repeat counts once, the first time.
        """
        today = now.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            over = self._at(day if self.begin < self.end else day + _DAY, self.end)
            if self._at(day, self.begin) <= now < over:
                return over
        return None

    def _at(self, day: date, moment: time) -> datetime:
        return datetime.combine(day, moment, self.zone).astimezone(UTC)
