"""A command is data: help, usage errors and did-you-mean are made from it."""

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import Final, Generic, TypeVar

from bot.domain.words import Right
from bot.services.views import CommandView, ParameterView

H = TypeVar("H")

# Normalising is not linear, and no name is near this long.
_LONGEST_WORD: Final = 64
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_AS_NEAR: Final = 0.15
_ENDS: Final = ".!?…"
"""What phones and politeness put behind a word."""


class Kind(StrEnum):
    """What a parameter takes from the line."""

    NUMBERS = "numbers"
    """Ticket numbers; none, if the message's context names a ticket."""
    NUMBER = "number"
    """Exactly one ticket number; none, if the message's context names a ticket."""
    PAIR = "pair"
    """Two ticket numbers; one, if the message's context names the other."""
    ITEMS = "items"
    """Numbers of things within the ticket, such as tasks: all the rest."""
    PERSON = "person"
    """A Matrix user id, a link to one, or a name."""
    WORD = "word"
    """One token, such as the name of a topic, team or command."""
    TEXT = "text"
    """All the rest, over several lines if need be."""


NUMERIC: Final = frozenset({Kind.NUMBERS, Kind.NUMBER, Kind.PAIR})
_TO_THE_END: Final = frozenset({Kind.TEXT, Kind.ITEMS})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter by position. ``summary`` is a message id to translate.

    A numeric one may always be left out where the context names a ticket, whatever ``required`` says.
    """

    name: str
    kind: Kind
    summary: str
    required: bool = True

    @property
    def form(self) -> str:
        """As help lists it: ``number …``, ``person``."""
        return f"{self.name} …" if self.kind in (Kind.NUMBERS, Kind.ITEMS) else self.name

    @property
    def usage(self) -> str:
        """As it stands in a usage line: ``[number …]``, ``<person>``."""
        if self.kind is Kind.PAIR:
            return f"[{self.name}] <{self.name}>"
        optional = self.kind in NUMERIC or not self.required
        return f"[{self.form}]" if optional else f"<{self.form}>"


@dataclass(frozen=True, slots=True)
class Option:
    """An option: a flag, or with a value if ``value`` names the placeholder. ``name`` begins with ``--``."""

    name: str
    summary: str
    value: str | None = None

    @property
    def form(self) -> str:
        """``--force`` or ``--email <address>``."""
        return self.name if self.value is None else f"{self.name} <{self.value}>"


@dataclass(frozen=True, slots=True)
class Command(Generic[H]):
    """A command of the chat, generic in the type of its handler.

    The first alias is its German name; where that is the same word, it is given all the same.

    Numbers come first, text comes last: a declaration in another order cannot be parsed without guessing.
    A name may have two words, such as ``task add``; an alias then translates both.

    :raises ValueError: the declaration breaks that order, or an option's name is malformed or given twice.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    group: str
    right: Right
    parameters: tuple[Parameter, ...] = ()
    options: tuple[Option, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    """Line, with "!" for the prefix, and what it does: both message ids."""
    confirm_above: int | None = None
    """For more tickets than that the same person has to confirm it by a tap; ``None``: never."""
    basic: bool = field(default=False, kw_only=True)
    """Whether it is among the few that everybody needs first."""
    related: tuple[str, ...] = field(default=(), kw_only=True)
    """Names of others that go with it."""
    everywhere: bool = field(default=True, kw_only=True)
    """Otherwise only where every team's tickets may be shown."""
    handler: H = field(kw_only=True)

    def __post_init__(self) -> None:
        kinds = [parameter.kind for parameter in self.parameters]
        if any(kind in NUMERIC for kind in kinds[1:]):
            raise ValueError(f"{self.name}: only the first parameter can be numbers")
        if _TO_THE_END.intersection(kinds[:-1]):
            raise ValueError(f"{self.name}: only the last parameter can be text")
        names = [option.name for option in self.options]
        if len(set(names)) < len(names) or not all(name == f"--{fold(name[2:])}" for name in names):
            raise ValueError(f"{self.name}: options are lower case, begin with -- and differ")

    @property
    def german(self) -> str:
        """Its name in German."""
        return self.aliases[0] if self.aliases else self.name

    @property
    def numbers(self) -> Parameter | None:
        """The parameter that takes ticket numbers."""
        return next((each for each in self.parameters if each.kind in NUMERIC), None)

    @property
    def words(self) -> tuple[Parameter, ...]:
        """The parameters that take one token each."""
        return tuple(each for each in self.parameters if each.kind in (Kind.PERSON, Kind.WORD))

    @property
    def text(self) -> Parameter | None:
        """The parameter that takes the rest."""
        return next((each for each in self.parameters if each.kind is Kind.TEXT), None)

    @property
    def items(self) -> Parameter | None:
        """The parameter that takes numbers which are no tickets."""
        return next((each for each in self.parameters if each.kind is Kind.ITEMS), None)

    def usage(self, prefix: str) -> str:
        """The command's form, such as ``!wait [number …] [need]``; options stand before the text."""
        ahead = [each.usage for each in self.parameters if each.kind is not Kind.TEXT]
        options = [f"[{option.form}]" for option in self.options]
        text = [self.text.usage] if self.text else []
        return " ".join([f"{prefix}{self.name}", *ahead, *options, *text])

    def view(self, prefix: str) -> CommandView:
        """What the help shows of it."""
        return CommandView(
            name=self.name,
            aliases=tuple(alias for alias in self.aliases if fold(alias) != fold(self.name)),
            usage=self.usage(prefix),
            summary=self.summary,
            group=self.group,
            parameters=tuple(ParameterView(each.form, each.summary) for each in self.parameters)
            + tuple(ParameterView(each.form, each.summary) for each in self.options),
            examples=self.examples,
            german=self.german,
            right=self.right,
            basic=self.basic,
            related=self.related,
        )


class Registry(Generic[H]):
    """All commands, in the order of their declaration; found by name or alias in any case.

    :raises ValueError: two commands share a name, a name could not be typed as words, or of one of two words
        the first alone is no command.
    """

    def __init__(self, commands: Iterable[Command[H]]) -> None:
        self._commands = tuple(commands)
        self._by_word: dict[str, Command[H]] = {}
        self._forms: dict[str, dict[str, Command[H]]] = {}
        """First word → second word → command. The languages may be mixed."""
        self._declared: dict[str, str] = {}
        for command in self._commands:
            names = [name.split(" ", 1) for name in (command.name, *command.aliases)]
            for word in (word for name in names for word in name if not is_word(word)):
                raise ValueError(f"{word!r} cannot be a command's name")
            for name in names:
                if len(name) == 1:
                    self._enter(self._by_word, name[0], command)
            for first, second in product(names, (name[1] for name in names if len(name) > 1)):
                for spelling in spellings(first[0]):
                    self._enter(self._forms.setdefault(spelling, {}), second, command)
        for first_word in self._forms.keys() - self._by_word.keys():
            raise ValueError(f"{first_word!r} alone cannot be a command's name")

    def _enter(self, index: dict[str, Command[H]], word: str, command: Command[H]) -> None:
        for spelling in spellings(word):
            # One command may list two spellings that compare equal, such as ß and ss.
            if index.setdefault(spelling, command) is not command:
                raise ValueError(f"{word!r} names two commands")
            self._declared.setdefault(spelling, word)

    def __iter__(self) -> Iterator[Command[H]]:
        return iter(self._commands)

    def __len__(self) -> int:
        return len(self._commands)

    def lookup(self, word: str) -> Command[H] | None:
        """The command of that name or alias, also as phones end it: "Help!", "mine."."""
        return self._by_word.get(fold(word.rstrip(_ENDS)))

    def forms(self, word: str) -> Mapping[str, Command[H]]:
        """The commands whose names begin with this word, by their second word."""
        return self._forms.get(fold(word.rstrip(_ENDS)), {})

    def described(self, typed: str) -> tuple[Command[H], ...]:
        """The commands that somebody means who asks about one: by one word all of its forms."""
        first, _, second = typed.partition(" ")
        forms = self.forms(first)
        if second:
            found = forms.get(fold(second.strip()))
            return (found,) if found else ()
        command = self.lookup(first)
        return tuple(dict.fromkeys(forms.values())) or ((command,) if command else ())

    def suggest(self, word: str) -> tuple[str, ...]:
        """Names and aliases that may have been meant, nearest first and one per command."""
        best: dict[str, str] = {}
        for found in near(word.rstrip(_ENDS), self._by_word):
            # The words are folded in the index; people are to see them as they were declared.
            best.setdefault(self._by_word[found].name, self._declared[found])
        return tuple(best.values())


def is_word(word: str) -> bool:
    """Whether the parser would read this as one word: a letter first, no space, no sign of a list."""
    return (
        0 < len(word) <= _LONGEST_WORD
        and word[0].isalpha()
        and not any(c.isspace() or c in "#:," for c in word)
    )


def fold(word: str) -> str:
    """A word as it is compared: without case, and ö the same whether typed as one character or two."""
    return unicodedata.normalize("NFC", word).casefold() if len(word) <= _LONGEST_WORD else word


def without_umlauts(word: str) -> str:
    """The word as it is typed where there are no umlauts: ``zurueck``."""
    return word.translate(_UMLAUTS)


def spellings(word: str) -> tuple[str, ...]:
    """A word as it is compared, with its umlauts and without."""
    return tuple(dict.fromkeys((fold(word), without_umlauts(fold(word)))))


def near(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known words closest to a mistyped one, nearest first; at most three, none far behind the first."""
    typed = fold(word)
    ratios = {
        each: difflib.SequenceMatcher(None, each, typed).ratio()
        for each in difflib.get_close_matches(typed, list(known), n=3)
    }
    # Of two that are as near, the one with the same letters: who types in haste swaps them.
    best = sorted(ratios, key=lambda each: (-ratios[each], sorted(each) != sorted(typed)))
    return tuple(each for each in best if ratios[each] > ratios[best[0]] - _AS_NEAR)
