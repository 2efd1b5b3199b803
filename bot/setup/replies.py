"""What a person types, read and checked at once."""

import re
import socket
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import TypeAdapter, ValidationError

from bot.config import Language
from bot.config.document import Tree
from bot.config.values import HttpUrl, Room, Schedule, Text, UserId
from bot.setup.errors import Wrong
from bot.setup.settings import full_address, full_id
from bot.setup.terminal import words
from bot.setup.texts import Texts

_USER: Final[TypeAdapter[str]] = TypeAdapter(UserId)
_ROOM: Final[TypeAdapter[str]] = TypeAdapter(Room)
_URL: Final[TypeAdapter[str]] = TypeAdapter(HttpUrl)
_SCHEDULE: Final[TypeAdapter[str | None]] = TypeAdapter(Schedule)
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Text)
_TIME: Final = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")
_NEVER: Final = frozenset({"nie", "never", "false", "-"})
_WAITS: Final = "*"


class Replies:
    """Reads replies; each reader raises :class:`Wrong` with what would do."""

    def __init__(self, say: Texts) -> None:
        self.say = say

    def language(self, given: str) -> Language:
        """German or English, by its code or its name."""
        if given.lower() in ("de", "deutsch", "german"):
            return "de"
        if given.lower() in ("en", "english", "englisch"):
            return "en"
        raise Wrong("de (Deutsch) oder en (English)?")

    def user(self, given: str) -> str:
        """The bot's name, or its whole id."""
        whole = full_id(given, "example.org")
        if not given or not _fits(_USER, whole):
            raise Wrong(self.say("That is no Matrix id. Write it like @tickettruhe:example.org"))
        return f"@{given.removeprefix('@')}" if ":" in given else given.removeprefix("@")

    def something(self, given: str) -> str:
        """Anything but nothing."""
        if not given:
            raise Wrong(self.say("Nothing was typed. Ctrl-C ends this; what you answered is kept."))
        return given

    def people(self, server: str, *, needed: bool) -> Callable[[str], list[str]]:
        """Reads Matrix ids; those of one's own server may be short."""

        def read(given: str) -> list[str]:
            found = [full_id(each, server) for each in re.split(r"[,;\s]+", given) if each]
            bad = [each for each in found if not _fits(_USER, each)]
            if bad:
                raise Wrong(
                    self.say(
                        "{word} is no Matrix id. Write it like @anna:{server}", word=bad[0], server=server
                    )
                )
            if needed and not found:
                raise Wrong(self.say("Name at least one person, yourself for example."))
            return list(dict.fromkeys(found))

        return read

    def names(self, given: str) -> list[str]:
        """One name or more, each once."""
        found = [self.name(each) for each in words(given)]
        if not found:
            raise Wrong(self.say("Give at least one name."))
        twice = next((each for each in found if found.count(each) > 1), None)
        if twice is not None:
            raise Wrong(self.say("{name} stands there twice.", name=twice))
        return found

    def name(self, given: str) -> str:
        """A name that people can read."""
        if not _fits(_NAME, given) or given.lower() == "none":
            raise Wrong(self.say("{name} cannot be a name here.", name=given))
        return given

    def topics(self, given: str) -> list[tuple[str, bool]]:
        """Topics, each with whether it has a waiting list; a star says so."""
        marked = self.names(given)
        return [(self.name(each.rstrip(_WAITS).strip()), each.endswith(_WAITS)) for each in marked]

    def one_of(self, names: Sequence[str]) -> Callable[[str], str]:
        """Reads one of these names, or its number in the list."""

        def read(given: str) -> str:
            if given.isdecimal() and 1 <= int(given) <= len(names):
                return names[int(given) - 1]
            found = [each for each in names if each.lower() == given.lower()]
            if not found:
                raise Wrong(self.say("Give one of: {names}", names=", ".join(names)))
            return found[0]

        return read

    def time_zone(self, given: str) -> str:
        """A time zone of the tz database."""
        try:
            ZoneInfo(given)
        except (KeyError, ValueError, OSError):
            near = get_close_matches(given, sorted(available_timezones()), n=1, cutoff=0.5)
            meant = near[0] if near else "Europe/Berlin"
            raise Wrong(self.say("There is no such time zone. Did you mean {zone}?", zone=meant)) from None
        return given

    def digest(self, given: str) -> str:
        """When the digest comes, as the config has it: a crontab line, or ``false``."""
        if given.lower() in _NEVER:
            return "false"
        time = _TIME.fullmatch(given)
        if time:
            return f"{int(time[2])} {int(time[1])} * * *"
        if _fits(_SCHEDULE, given):
            return " ".join(given.split())
        raise Wrong(
            self.say("Give a time like 08:00, a crontab line like 0 8 * * mon-fri, or the word never.")
        )

    def web_address(self, given: str) -> str:
        """An address that people use, or nothing."""
        address = given if "://" in given or not given else f"https://{given}"
        if address and (not _fits(_URL, address) or "." not in (urlsplit(address).hostname or "")):
            raise Wrong(self.say("That is no web address. Write it like https://help.example.org"))
        return address.rstrip("/")

    def port(self, listen: str) -> Callable[[str], int]:
        """Reads a port that is free on an address."""

        def read(given: str) -> int:
            if not given.isdecimal() or not 1 <= int(given) <= 65535:
                raise Wrong(self.say("A port is a number from 1 to 65535, best above 1023."))
            problem = port_problem(listen, int(given))
            if problem is not None:
                raise Wrong(
                    self.say(
                        "Port {port} cannot be had ({reason}). Try another one.", port=given, reason=problem
                    )
                )
            return int(given)

        return read

    def address(self, server: str) -> Callable[[str], str]:
        """Reads a room's address; one on one's own server may be short."""

        def read(given: str) -> str:
            whole = full_address(given, server)
            if not _fits(_ROOM, whole):
                raise Wrong(
                    self.say("That is no room address. Write it like #tickets:{server}", server=server)
                )
            return whole

        return read


def port_problem(listen: str, port: int) -> str | None:
    """Why nothing can listen there now; ``None``: it can."""
    try:
        with socket.create_server(
            (listen, port), family=socket.AF_INET6 if ":" in listen else socket.AF_INET
        ):
            return None
    except OSError as error:
        return error.strerror or str(error)


def topics_setting(read: Sequence[tuple[str, bool]], keys: Sequence[str]) -> dict[str, Tree]:
    """Topics as the config has them."""
    return {
        key: {"name": name, "waitlist": "true" if waits else "false"}
        for key, (name, waits) in zip(keys, read, strict=True)
    }


def _fits(kind: TypeAdapter[str] | TypeAdapter[str | None], value: str) -> bool:
    try:
        kind.validate_python(value)
    except ValidationError:
        return False
    return True
