"""Reads what stands after a command's name: tickets, words, options and text.

What a bare number means is the delicate part: in the thread of #42, ``!close 2 laptops given`` must not close
ticket 2. Where a number could be a ticket or the beginning of the text, the parser asks instead of guessing.
"""

import re
from dataclasses import replace
from types import MappingProxyType
from typing import Generic, Literal, NoReturn, TypeVar

from bot.commands import tokens
from bot.commands.call import Call
from bot.commands.spec import NUMERIC, Command, Kind, Option, Parameter, fold, near
from bot.domain.errors import UsageError, UsageProblem

H = TypeVar("H")


class Line(Generic[H]):
    """A cursor in the text after the command's name, and what was read so far."""

    def __init__(self, text: str, at: int, command: Command[H], usage: str, default: int | None) -> None:
        self.text, self.at = text, at
        self.command, self.usage, self.default = command, usage, default
        self.head_end = tokens.line_end(text, at)
        # A dict keeps the order and makes the test for a repeated number cheap.
        self.numbers: dict[int, None] = {}
        self.words: dict[str, str] = {}
        self.options: dict[str, str | Literal[True]] = {}
        self.pending = list(command.words)
        # Whether the command takes something that a bare number could belong to.
        self.free = bool(command.words or command.text or command.items)
        self.numbers_open = command.numbers is not None
        self.numbers_end: int | None = None
        self.options_open = True
        if text[at : at + 1] in (":", ","):
            self.at += 1

    def told_ahead(self, numbers: tuple[tokens.Number, ...]) -> None:
        """Take the numbers that stood before the second word: nothing else can be meant by them."""
        for number in numbers:
            self._add_number(replace(number, explicit=True))
        if numbers:
            self._close_numbers()

    def read(self) -> Call[H]:
        self._skip_space()
        if self.command.items:
            self._items(self.command.items)
        while self.at < len(self.text) and (self._option() or self._number() or self._word()):
            self._skip_space()
        self._need_ticket()
        self._rest()
        self._need_words()
        return Call(
            self.command, tuple(self.numbers), MappingProxyType(self.words), MappingProxyType(self.options)
        )

    def _skip_space(self) -> None:
        token = tokens.TOKEN.search(self.text, self.at)
        self.at = token.start() if token else len(self.text)

    def _token(self) -> re.Match[str]:
        token = tokens.TOKEN.match(self.text, self.at)
        assert token is not None  # noqa: S101 - for the type checker, the cursor never rests on a space
        return token

    # --- options ---

    def _option(self) -> bool:
        match = tokens.OPTION.match(self.text, self.at) if self.options_open else None
        if match is None:
            return False
        if match["name"] is None:
            if self.command.text and self.at > self.head_end:
                return False  # a dash that begins a line of the text
            self.options_open = False
            self._close_numbers()
            self.at = match.end()
            return True
        option, token = self._known_option(match), self._token()
        self.at = match.end()
        if option.value is not None:
            self.options[option.name] = self._option_value(option, match)
        elif match["equals"]:
            self._fail(UsageProblem.UNEXPECTED, match.start("equals"), token.end())
        else:
            self.options[option.name] = True
        return True

    def _known_option(self, match: re.Match[str]) -> Option:
        name = f"--{fold(match['name'])}"
        known = {option.name: option for option in self.command.options}
        if name not in known:
            self._fail(UsageProblem.UNKNOWN_OPTION, match.start(), match.end("name"), near=near(name, known))
        if known[name].value is not None and name in self.options:
            self._fail(UsageProblem.UNEXPECTED, match.start(), match.end("name"))
        return known[name]

    def _option_value(self, option: Option, match: re.Match[str]) -> str:
        if not match["equals"]:
            self._skip_space()
        broken = "\n" in self.text[match.end() : self.at]
        token = tokens.TOKEN.match(self.text, self.at)
        another = not match["equals"] and tokens.OPTION.match(self.text, self.at)
        value = "" if token is None or broken or another else self._value()
        if not value:
            self._fail(
                UsageProblem.OPTION_NEEDS_VALUE, match.start(), match.end("name"), expected=option.name
            )
        return value

    # --- numbers ---

    def _number(self) -> bool:
        """Take a token of one or more numbers, if numbers may still stand here."""
        token = self._token()
        if self.numbers_open and token[0] == "," and self.numbers:
            self.at = token.end()
            return True
        # With a ticket known already, a number that begins a further line begins the text.
        below = self.command.text and self.at > self.head_end and (self.numbers or self.default is not None)
        found = tokens.numbers_in(token) if self.numbers_open and not below else ()
        if not found:
            self._close_numbers()
            return False
        for number in found:
            self._add_number(number)
        self.at = token.end()
        # "42: 7 laptops": the colon ends the list, where something else can follow.
        self.numbers_open = not (token[0].endswith(":") and self.free)
        return True

    def _add_number(self, number: tokens.Number) -> None:
        parameter = self.command.numbers
        name = parameter.name if parameter else ""
        if parameter and parameter.kind is Kind.NUMBER and self.numbers:
            self._fail(UsageProblem.ONE_NUMBER_ONLY, number.start, number.end, expected=name)
        if parameter and parameter.kind is Kind.PAIR and len(self.numbers) > 1:
            self._fail(UsageProblem.TWO_NUMBERS, number.start, number.end, expected=name)
        surely = number.explicit or not self.free or self.default is None
        if not surely and (number.value != self.default or number.value in self.numbers):
            self._fail(UsageProblem.UNCLEAR_NUMBER, number.start, number.end, expected=name)
        self.numbers[number.value] = None

    def _close_numbers(self) -> None:
        if self.numbers_open:
            self.numbers_open, self.numbers_end = False, self.at

    def _items(self, parameter: Parameter) -> None:
        """Take numbers to the end. Unless the context tells the ticket, the first one is the ticket's."""
        found: list[tokens.Number] = []
        while self.at < len(self.text):
            if not self._option():
                token = self._token()
                found += tokens.numbers_in(token) or self._fail(
                    UsageProblem.NOT_A_NUMBER, token.start(), token.end(), expected=parameter.name
                )
                self.at = token.end()
            self._skip_space()
        if not self.numbers:
            bare = [number for number in found if not number.explicit]
            # As everywhere, a number that is the thread's own ticket's names it, if others follow.
            first = bare[:1] if self.default is None or (bare[1:] and bare[0].value == self.default) else []
            ticket = [number for number in found if number.explicit] or first
            self.told_ahead(tuple(ticket))
            found = [number for number in found if number not in ticket]
        if found:
            self.words[parameter.name] = " ".join(str(number.value) for number in found)

    def _need_ticket(self) -> None:
        parameter = self.command.numbers
        if parameter is not None and parameter.kind is Kind.PAIR:
            self._need_pair(parameter)
        if parameter is None or self.numbers:
            return
        if self.default is not None:
            self.numbers[self.default] = None
            return
        if self.numbers_end is None:
            self._fail_at_end(UsageProblem.NO_TICKET, parameter)
        token = tokens.TOKEN.match(self.text, self.numbers_end)
        end = token.end() if token else self.numbers_end + 1
        meant = not self.free or tokens.MEANT_AS_NUMBER.match(self.text, self.numbers_end)
        problem = UsageProblem.NOT_A_NUMBER if meant and self.options_open else UsageProblem.NO_TICKET
        self._fail(problem, self.numbers_end, end, expected=parameter.name)

    def _need_pair(self, parameter: Parameter) -> None:
        if self.at < len(self.text):
            return  # what stands there is no number, and that is to be told
        if len(self.numbers) == 1 and self.default is not None and self.default not in self.numbers:
            self.numbers = {self.default: None, **self.numbers}
        if len(self.numbers) == 1 or (not self.numbers and self.default is not None):
            self._fail_at_end(UsageProblem.TWO_NUMBERS, parameter)

    # --- words and text ---

    def _word(self) -> bool:
        if not self.pending:
            return False
        parameter, start = self.pending.pop(0), self.at
        value = self._value()
        if not value:
            self._fail(UsageProblem.MISSING, start, self.at, expected=parameter.name)
        self.words[parameter.name] = value
        return True

    def _value(self) -> str:
        """Take a token, or what stands in quotes on the same line."""
        start, closing = self.at, tokens.CLOSING.get(self.text[self.at])
        if closing is None:
            self.at = self._token().end()
            return self.text[start : self.at]
        end = closing.search(self.text, start + 1, tokens.line_end(self.text, start))
        if end is None:
            self._fail(UsageProblem.UNCLOSED_QUOTE, start, start + 1)
        self.at = end.end()
        return self.text[start + 1 : end.start()].strip()

    def _rest(self) -> None:
        rest = self.text[self.at :].strip()
        if not rest:
            return
        if self.command.text:
            self.words[self.command.text.name] = rest
            return
        token, numbers = self._token(), self.command.numbers
        if numbers and self.options_open and not self.free:
            self._fail(UsageProblem.NOT_A_NUMBER, token.start(), token.end(), expected=numbers.name)
        self._fail(UsageProblem.UNEXPECTED, token.start(), token.end())

    def _need_words(self) -> None:
        for parameter in self.command.parameters:
            if parameter.required and parameter.kind not in NUMERIC and parameter.name not in self.words:
                self._fail_at_end(UsageProblem.MISSING, parameter)

    # --- errors ---

    def _fail_at_end(self, problem: UsageProblem, parameter: Parameter) -> NoReturn:
        end = len(self.text.rstrip())
        self._fail(problem, end, end + 1, expected=parameter.name)

    def _fail(
        self, problem: UsageProblem, start: int, end: int, *, expected: str = "", near: tuple[str, ...] = ()
    ) -> NoReturn:
        line, column, length = tokens.quote_line(self.text, start, end)
        raise UsageError(problem, line, column, length, expected, near, self.usage)
