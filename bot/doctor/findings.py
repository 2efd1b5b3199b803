"""What was looked at, how it was found, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a thing was found."""

    GOOD = "good"
    POOR = "poor"
    """It works, but not as it could, or not for long."""
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``hint`` says how to mend it, or what would be better."""

    what: str
    level: Level
    detail: str
    hint: str = ""


def good(what: str, detail: str, hint: str = "") -> Finding:
    """All is well; a hint may say what would be better still."""
    return Finding(what, Level.GOOD, detail, hint)


def poor(what: str, detail: str, hint: str) -> Finding:
    """To be looked at soon."""
    return Finding(what, Level.POOR, detail, hint)


def bad(what: str, detail: str, hint: str) -> Finding:
    """Does not work, and how to mend it."""
    return Finding(what, Level.BAD, detail, hint)
