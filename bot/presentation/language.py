"""The languages of the chat: catalogs, dates and spans of time, through gettext and Babel."""

import datetime as dt
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from bot.catalogs import CHAT, LANGUAGES, catalog, locale

# Day and month with and without the year, as people write them in the chat.
_DAY_PATTERNS: Final = MappingProxyType({"de": ("dd.MM.", "dd.MM.y"), "en": ("d MMM", "d MMM y")})


@dataclass(frozen=True, slots=True)
class Language:
    """One of :data:`LANGUAGES`. Message ids are the English texts.

    :raises UnknownLocaleError: there is no catalog for the code.
    """

    code: str

    def __post_init__(self) -> None:
        if self.code not in LANGUAGES:
            raise UnknownLocaleError(self.code)

    def gettext(self, message: str) -> str:
        """The text in this language; the empty one stays empty, for which gettext has the header."""
        return catalog(CHAT, self.code).gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The text in this language that fits the count."""
        return catalog(CHAT, self.code).ngettext(singular, plural, count)

    def date(self, day: dt.date, *, year: bool = True) -> str:
        """A day, with the year unless told otherwise."""
        return format_date(day, _DAY_PATTERNS[self.code][year], locale=self._locale)

    def datetime(self, moment: dt.datetime, zone: ZoneInfo, *, year: bool = False) -> str:
        """Day and time of an aware moment in the zone."""
        return f"{self.date(moment.astimezone(zone).date(), year=year)}, {self.time(moment, zone)}"

    def time(self, moment: dt.datetime, zone: ZoneInfo) -> str:
        """The time of an aware moment in the zone."""
        return format_time(moment.astimezone(zone), "short", locale=self._locale)

    def number(self, number: int) -> str:
        """A count, its thousands apart."""
        return format_decimal(number, locale=self._locale)

    def when(self, moment: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> str:
        """Day and time as one says it in the zone: "yesterday at 14:05"; all moments are aware."""
        local, today = moment.astimezone(zone), now.astimezone(zone).date()
        template = {
            today: self.gettext("today at {time}"),
            today - dt.timedelta(days=1): self.gettext("yesterday at {time}"),
        }.get(local.date())
        if template is None:
            return self.datetime(moment, zone)
        return template.format(time=format_time(local, "short", locale=self._locale))

    def age(self, since: dt.datetime, now: dt.datetime) -> str:
        """How long something has been so: "for 12 days", "just now"; both moments are aware."""
        return self.lasting(max(now.astimezone(dt.UTC) - since.astimezone(dt.UTC), dt.timedelta()))

    def lasting(self, passed: dt.timedelta) -> str:
        """A span up to now, in its largest unit: "for 12 days", "for 3 hours"."""
        if passed.days:
            return self.days(passed.days)
        if hours := passed.seconds // 3600:
            return self.ngettext("for {count} hour", "for {count} hours", hours).format(count=hours)
        if minutes := passed.seconds // 60:
            return self.ngettext("for {count} minute", "for {count} minutes", minutes).format(count=minutes)
        return self.gettext("just now")

    def days(self, count: int) -> str:
        """A span of whole days: "for 12 days"."""
        return self.ngettext("for {count} day", "for {count} days", count).format(count=count)

    def more(self, count: int) -> str:
        """The last line of a list that was cut."""
        return self.ngettext("… and {count} more", "… and {count} more", count).format(count=count)

    def file_size(self, size: int) -> str:
        """A size in bytes as people read it, in units of 1000 as file managers show it."""
        for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
            if size >= unit:
                return f"{format_decimal(round(size / unit, 1), locale=self._locale)} {name}"
        return f"{size} B"

    @property
    def _locale(self) -> Locale:
        return locale(self.code)
