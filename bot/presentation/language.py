"""The languages of the chat: catalogs, dates and spans of time, through gettext and Babel."""

import datetime as dt
import io
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations
from importlib.resources import files
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

# Day and month with and without the year, as people write them in the chat.
_DAY_PATTERNS: Final = MappingProxyType({"de": ("dd.MM.", "dd.MM.y"), "en": ("d MMM", "d MMM y")})
_LOCALES: Final = MappingProxyType({"de": "de_DE", "en": "en_GB"})
LANGUAGES: Final = tuple(_LOCALES)


@lru_cache
def _catalog(code: str) -> GNUTranslations:
    """The catalog, compiled in memory: an operator who corrects a text needs no tool for it."""
    source = files("bot").joinpath("locale", code, "LC_MESSAGES", "tickettruhe.po")
    with source.open("rb") as po, io.BytesIO() as mo:
        write_mo(mo, read_po(po, locale=code))
        mo.seek(0)
        return GNUTranslations(mo)


@dataclass(frozen=True, slots=True)
class Language:
    """One of :data:`LANGUAGES`. Message ids are the English texts.

    :raises UnknownLocaleError: there is no catalog for the code.
    """

    code: str

    def __post_init__(self) -> None:
        if self.code not in LANGUAGES:
            raise UnknownLocaleError(self.code)
        _catalog(self.code)

    def gettext(self, message: str) -> str:
        """The text in this language; the empty one stays empty, for which gettext has the header."""
        return _catalog(self.code).gettext(message) if message else ""

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The text in this language that fits the count."""
        return _catalog(self.code).ngettext(singular, plural, count)

    def date(self, day: dt.date, *, year: bool = True) -> str:
        """A day, with the year unless told otherwise."""
        return format_date(day, _DAY_PATTERNS[self.code][year], locale=self._locale)

    def datetime(self, moment: dt.datetime, zone: ZoneInfo, *, year: bool = False) -> str:
        """Day and time of an aware moment in the zone."""
        local = moment.astimezone(zone)
        return f"{self.date(local.date(), year=year)}, {format_time(local, 'short', locale=self._locale)}"

    def age(self, since: dt.datetime, now: dt.datetime) -> str:
        """How long something has been so: "for 12 days"; both moments are aware."""
        return self.lasting(max(now.astimezone(dt.UTC) - since.astimezone(dt.UTC), dt.timedelta()))

    def lasting(self, passed: dt.timedelta) -> str:
        """A span up to now, in its largest unit: "for 12 days", "for 3 hours"."""
        if passed.days:
            return self.days(passed.days)
        if hours := passed.seconds // 3600:
            return self.ngettext("for {count} hour", "for {count} hours", hours).format(count=hours)
        return self.gettext("for less than an hour")

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
        return Locale.parse(_LOCALES[self.code])
