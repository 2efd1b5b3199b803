"""What counts as a command: in a team's room what begins as one, in a direct chat every word to the bot.

People on phones write ``! Take 42``, ``!42 take`` and ``!take42``; where a known command is meant beyond
doubt, it is put right here, so that the parser need not know of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.commands import text, tokens
from bot.commands.spec import Command, Registry
from bot.domain.errors import UsageError, UsageProblem

# Nothing is read twice (possessive): these see whatever anybody sends, at any length.
_NUMBERS: Final = r"#?[0-9][0-9#,]*+(?: ++#?[0-9][0-9#,]*+)*+"
_NUMBER_FIRST: Final = re.compile(
    rf"(?P<numbers>{_NUMBERS}) *+:? *+(?P<word>[^\s#:,]++)(?P<rest>.*)", re.DOTALL
)
_JOINED: Final = re.compile(
    r"(?P<word>[^\W\d_]++)(?P<numbers>#?[0-9][0-9#,]*+)(?P<rest>(?:\s.*)?)", re.DOTALL
)
_WORD_FIRST: Final = re.compile(r"(?P<word>[^\s#:,]++)(?P<rest>.*)", re.DOTALL)
_NO_MORE_BUT_NUMBERS: Final = re.compile(rf"[\s:]*+(?:{_NUMBERS})?[\s.!?]*+")
_A_NUMBER: Final = re.compile(r"[\s:]*+#?[0-9]")
_NUMBER_OR_OPTION: Final = re.compile(r"[\s:]*+(?:#?[0-9]|--)")
_EVERYDAY: Final = frozenset({"wait", "zu"})
"""Commands with which sentences begin, also before a number: "Wait 5 minutes", "Zu 42 fällt mir ein"."""


@dataclass(frozen=True, slots=True)
class Identity:
    """How people call the bot in the chat."""

    user_id: str
    names: tuple[str, ...]
    prefix: str


class Hearing:
    """Tells commands from talk."""

    def __init__(self, registry: Registry[Any], identity: Identity) -> None:
        self._registry = registry
        self._me = identity

    def concerns(self, content: Mapping[str, object], *, private: bool) -> bool:
        """Whether a message is for the bot: in a direct chat every text is."""
        said = self._said(content)
        return bool(said) if private else said is not None and self._command(said) is not None

    def command(self, content: Mapping[str, object], *, private: bool) -> str | None:
        """The command line of a message, beginning with the prefix; ``None`` if the message is no command.

        :raises UsageError: in a direct chat, what may be a command or a sentence.
        """
        said = self._said(content)
        if said is None:
            return None
        found = self._command(said)
        return self._bare(said) if found is None and private else found

    def _said(self, content: Mapping[str, object]) -> str | None:
        return text.said(content, self._me.user_id, self._me.names, self._me.prefix)

    def _command(self, said: str) -> str | None:
        """With the prefix. After a space only what looks like nothing else: an exclamation is no command."""
        prefix = self._me.prefix
        if not said.startswith(prefix):
            return None
        line = said.removeprefix(prefix)
        if tokens.is_command(said, prefix):
            return prefix + (self._apart(line) or line)
        line = line.lstrip(" ")
        word = _WORD_FIRST.fullmatch(line)
        if word and self._known(word["word"]) and _NO_MORE_BUT_NUMBERS.fullmatch(word["rest"]):
            return prefix + line
        return self._number_first(line)

    def _bare(self, said: str) -> str | None:
        """Without the prefix: a known command, or an unknown word before a number, which is a slip.

        Nothing is done to a ticket because a sentence happens to begin like a command: "Zu 42: she rang".
        """
        prefix = self._me.prefix
        word = _WORD_FIRST.fullmatch(said)
        if word is None or not word["word"][0].isalpha():
            return self._number_first(said)
        if apart := self._apart(said):
            return prefix + apart
        command, rest = self._known(word["word"]), word["rest"]
        if command is None:
            slip = _A_NUMBER.match(rest) and self._registry.suggest(word["word"])
            return prefix + said if slip else None
        clear = _NO_MORE_BUT_NUMBERS.fullmatch(rest) or self._registry.forms(word["word"])
        if not clear and _is_doubtful(command, word["word"], rest):
            line, start, length = tokens.quote_line(prefix + said, 0, len(prefix))
            raise UsageError(UsageProblem.NEEDS_PREFIX, line, start, length)
        return prefix + said

    def _number_first(self, line: str) -> str | None:
        found = _NUMBER_FIRST.fullmatch(line)
        if found is None or not self._takes_numbers(found["word"]):
            return None
        return f"{self._me.prefix}{found['word']} {found['numbers']}{found['rest']}"

    def _apart(self, line: str) -> str | None:
        found = _JOINED.fullmatch(line)
        if found is None or not self._takes_numbers(found["word"]):
            return None
        return f"{found['word']} {found['numbers']}{found['rest']}"

    def _known(self, word: str) -> Command[Any] | None:
        return self._registry.lookup(word)

    def _takes_numbers(self, word: str) -> bool:
        command = self._known(word)
        return command is not None and command.numbers is not None


def _is_doubtful(command: Command[Any], word: str, rest: str) -> bool:
    if word.casefold() in _EVERYDAY:
        return not rest.lstrip().startswith("--")
    if command.numbers is None:
        # A search that was not meant costs nothing, a ticket does.
        return command.name == "new" and rest.rstrip().endswith("?")
    return not _NUMBER_OR_OPTION.match(rest)
