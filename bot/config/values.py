"""The kinds of values that settings have, each with an error that says what to do instead."""

import re
from collections.abc import Callable
from datetime import UTC
from difflib import get_close_matches
from typing import Annotated, Final, Literal, LiteralString
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger
from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from bot.domain.quiet import parse_span

Language = Literal["de", "en"]

_SERVER: Final = r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_USER: Final = re.compile(rf"@[!-9;-~]+:{_SERVER}")
# From room version 12 on, a room id has no server part (MSC4291).
_ROOM: Final = re.compile(rf"![!-9;-~]+(?::{_SERVER})?|#[^:\s\x00]+:{_SERVER}")
_KEY: Final = re.compile(r"[a-z0-9_-]{1,32}")
_MATRIX_ID_BYTES: Final = 255


def refuse(message: LiteralString, hint: LiteralString, **named: str) -> PydanticCustomError:
    """An error for a validator to raise; ``{word}`` in both texts is filled from ``named``."""
    return PydanticCustomError("setting", message, {"hint": hint.format(**named), **named})


def _matching(pattern: re.Pattern[str], message: LiteralString, hint: LiteralString) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value) or len(value.encode()) > _MATRIX_ID_BYTES:
            raise refuse(message, hint)
        return value

    return check


def _line_of_text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise refuse("must be one line of text that is not empty", "Give it a name that people can read.")
    return value.strip()


def _prefix(value: str) -> str:
    if not re.fullmatch(r"\S{1,3}", value) or not value.isprintable():
        raise refuse("must be 1 to 3 signs without spaces", 'The usual one is "!" (in quotes).')
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        # A folder of the zone database ("Europe") raises OSError, a path ("../x") ValueError.
        near = get_close_matches(value, sorted(available_timezones()), n=1)
        hint = f"Did you mean `{near[0]}`?" if near else "Zones are named like `Europe/Berlin`."
        raise PydanticCustomError("setting", "is not a known time zone", {"hint": hint}) from None
    return value


def _http_url(value: str) -> str:
    hint: LiteralString = "Write it like `https://matrix.example.org`."
    try:
        url = urlsplit(value)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        valid = False
    if not valid or not value.isprintable() or " " in value:
        raise refuse("must be a web address that begins with https:// or http://", hint)
    if url.username is not None or url.password is not None:
        raise refuse("must not hold a user name or password", hint)
    return value.rstrip("/")


def _never(value: object) -> object:
    return None if value is False or value in ("false", "no", "off") else value


def _crontab(value: str) -> str:
    hint: LiteralString = (
        'Five fields: minute, hour, day, month, weekday. `"0 8 * * mon-fri"` is 8:00 on workdays.'
    )
    fields = value.split()
    if len(fields) != 5:
        raise refuse("must be a crontab line of five fields", hint)
    if re.search(r"\d", fields[4]):
        # crontab(5) counts from Sunday, APScheduler from Monday: `1-5` would silently be Tuesday to Saturday.
        raise refuse("must name the weekdays", "Write `mon-fri` or `mon,thu` instead of numbers.")
    try:
        CronTrigger.from_crontab(value, timezone=UTC)
    except ValueError:
        raise refuse("is not a valid crontab line", hint) from None
    return " ".join(fields)


def _span(value: str) -> str:
    try:
        begin, end = parse_span(value)
    except ValueError:
        raise refuse(
            "must be two different times of day",
            'Write it like "22:00-07:00", in quotes; `false` means that it is never quiet.',
        ) from None
    return f"{begin:%H:%M}-{end:%H:%M}"


def _team_key(value: str) -> str:
    if value == "none":
        raise refuse("is a reserved word: `transfer 42 none` leads to triage", "Use another key.")
    return _key(value)


_key = _matching(
    _KEY, "must be 1 to 32 of a-z, 0-9, _ and -", "Write it in lower case, without spaces or umlauts."
)

Text = Annotated[str, AfterValidator(_line_of_text), Field(max_length=200)]
Prefix = Annotated[str, AfterValidator(_prefix)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
Key = Annotated[str, AfterValidator(_key)]
TeamKey = Annotated[str, AfterValidator(_team_key)]
UserId = Annotated[
    str,
    AfterValidator(
        _matching(_USER, "must be a full Matrix id", 'Write it like "@anna:example.org", in quotes.')
    ),
]
Room = Annotated[
    str,
    AfterValidator(
        _matching(
            _ROOM,
            "must be a room id or alias",
            'Write it like "#room:example.org" or "!opaque:example.org", in quotes.',
        )
    ),
]
Schedule = Annotated[
    Annotated[str, AfterValidator(_crontab)] | None,
    BeforeValidator(_never),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"const": False}, {"type": "null"}]}),
]
"""A crontab line; ``false`` or nothing means never."""
Quiet = Annotated[
    Annotated[str, AfterValidator(_span)] | None,
    BeforeValidator(_never),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "examples": ["22:00-07:00"]}, {"const": False}, {"type": "null"}]}
    ),
]
"""Two times of day, from and to; ``false`` or nothing means never."""
MIB: Final = 1024**2
Size = Annotated[
    ByteSize,
    Field(ge=1024, le=1024**3),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "examples": ["8 MiB"]}]}),
]
"""Bytes; in the file a number or a text like ``8 MiB``."""
Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """Base of everything in the config: frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )


class LocalNames(Section):
    """A name in each language that the bot speaks."""

    de: Text
    en: Text

    def in_language(self, language: Language) -> str:
        """The name to show in that language."""
        return self.de if language == "de" else self.en


def _for_all(value: object) -> object:
    return {"de": value, "en": value} if isinstance(value, str) else value


Names = Annotated[LocalNames, BeforeValidator(_for_all, json_schema_input_type=str | LocalNames)]
"""Written as ``{de: …, en: …}``, or as one text for both."""
