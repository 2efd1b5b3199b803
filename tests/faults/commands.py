"""The commands that the workload's members give."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MANY: Final = 6
"""So many tickets at once that the bot asks whether that is meant."""


@dataclass(frozen=True)
class Wanted:
    """A command before it is said."""

    verb: str
    words: str
    numbers: tuple[int, ...] = ()
    token: str = ""
    """A word that only this command has, where it brings words."""

    @property
    def text(self) -> str:
        """As it is typed."""
        return f"!{self.verb} {self.words}".strip()


def a_token(dice: random.Random) -> str:
    """A word that nobody else has."""
    return f"word{dice.getrandbits(48):x}"


def one_of(dice: random.Random, numbers: Sequence[int]) -> int:
    """Mostly a young ticket, so that commands meet on it."""
    return dice.choice(numbers[-15:]) if dice.random() < 0.8 else dice.choice(numbers)


def a_members_command(dice: random.Random, numbers: Sequence[int]) -> Wanted:
    """Anything that a member may say in the team's room."""
    one, token = one_of(dice, numbers), a_token(dice)
    several = tuple(dict.fromkeys(dice.choice(numbers) for _ in range(3)))
    many = tuple(dict.fromkeys(numbers[-MANY:]))
    about = dice.choice(
        (
            ("take", f"{one}"), ("take", f"{one}"), ("take", f"--force {one}"), ("wait", f"{one} {token}"),
            ("close", f"{one} {token}"), ("reopen", f"{one}"), ("release", f"{one}"), ("spam", f"{one}"),
            ("undo", f"{one}"), ("assign", f"{one} Anna"), ("assign", f"{one} Ben"),
            ("message", f"{one} {token}"), ("note", f"{one} {token}"), ("task add", f"{one} {token}"),
            ("task done", f"{one} 1"), ("transfer", f"{one} berlin"), ("transfer", f"{one} freiburg"),
            ("topic", f"{one} donation_offer"), ("topic", f"{one} donation_request"), ("show", f"{one}"),
            ("history", f"{one}"), ("close", ""), ("take", ""), ("close many", ""), ("new", token),
            ("list", ""), ("mine", ""), ("waitlist", ""), ("search", token), ("tkae", f"{one}"),
        )
    )  # fmt: skip
    match about:
        case ("close many", _):
            return Wanted("close", " ".join(map(str, many)), many)
        case (("close" | "take") as verb, ""):
            return Wanted(verb, " ".join(map(str, several)), several)
        case (verb, words):
            named = (one,) if str(one) in words.split() and verb != "tkae" else ()
            return Wanted(verb, words, named, token if token in words else "")


def a_command_in_a_thread(dice: random.Random, number: int) -> Wanted:
    """What somebody says under a ticket's card: without its number."""
    token = a_token(dice)
    verb, words = dice.choice(
        (
            ("take", ""),
            ("wait", token),
            ("close", token),
            ("note", token),
            ("message", token),
            ("release", ""),
        )
    )
    return Wanted(verb, words, (number,), token if words else "")


def an_admins_command(dice: random.Random, numbers: Sequence[int]) -> Wanted:
    """What admins do to tickets that are some days old; here minutes."""
    one = dice.choice(numbers)
    verb = dice.choice(("archive", "archive", "delete", "restore", "restore", "status"))
    return Wanted(verb, "" if verb == "status" else f"{one}", () if verb == "status" else (one,))
