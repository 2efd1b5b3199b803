"""What the set-up takes where nothing is said."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import tzlocal

from bot.config.document import Tree, parse
from bot.setup.texts import Texts

EXAMPLE: Final = "config.example.yaml"
_FALLBACK_ZONE: Final = "Europe/Berlin"
_PLACELESS: Final = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Universal", "Etc/UCT", "UCT"})
"""What servers are set to: it says nothing of where the people are."""
_GERMAN: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_LONGEST_KEY: Final = 32


@cache
def example() -> str:
    """The text of config.example.yaml: in a source tree its own, in an installed package a copy."""
    source = Path(__file__).parents[2] / EXAMPLE
    if source.is_file():
        return source.read_text(encoding="utf-8")
    return files("bot").joinpath("setup", EXAMPLE).read_text(encoding="utf-8")


def example_section(key: str) -> Mapping[str, Tree]:
    """A section of the example, read."""
    section = parse(example(), EXAMPLE).tree[key]
    assert isinstance(section, dict)  # noqa: S101 - a test holds the example to it
    return section


def time_zone() -> str:
    """The zone that this machine is set to, if that is a place."""
    try:
        found = tzlocal.get_localzone_name()
    except (LookupError, ValueError, OSError):
        # tzlocal finds two settings that contradict each other, or none that it knows.
        return _FALLBACK_ZONE
    return _FALLBACK_ZONE if not found or found in _PLACELESS else found


def key_of(name: str, taken: Mapping[str, object]) -> str:
    """A key for what people call so; another one than those that are taken."""
    simple = unicodedata.normalize("NFKD", name.lower().translate(_GERMAN)).encode("ascii", "ignore").decode()
    key = re.sub(r"[^a-z0-9]+", "-", simple).strip("-")[: _LONGEST_KEY - 3].strip("-") or "team"
    key = f"{key}-1" if key == "none" else key
    candidates = (key, *(f"{key}-{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in candidates if each not in taken)


def alias(key: str, server: str) -> str:
    """The usual address of a room; ``key`` is the team's, or ``admin`` or ``triage``."""
    special = {"admin": "#ticket-admins", "triage": "#ticket-triage"}
    return f"{special.get(key, f'#tickets-{key}')}:{server}"


def room_name(key: str, team: str | None, say: Texts) -> str:
    """What a new room is called."""
    if team is not None:
        return say("Tickets: {team}", team=team)
    return say("Tickets: Admins") if key == "admin" else say("Tickets: Triage")


def room_topic(key: str, team: str | None, say: Texts, prefix: str) -> str:
    """What a new room's members read above it."""
    if team is not None:
        return say(
            "Requests to {team}. Whoever is in this room may work on them. {prefix}help explains how.",
            team=team,
            prefix=prefix,
        )
    if key == "admin":
        return say("Whoever is in this room is an admin of Tickettruhe. It reports problems here.")
    return say(
        "Requests that belong to no team yet. {prefix}help explains what can be done with them.",
        prefix=prefix,
    )
