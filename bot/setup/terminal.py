"""The person at the terminal: one decision a screen, and what is done, line by line."""

import getpass
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from bot.setup.errors import Wrong
from bot.setup.texts import Texts

T = TypeVar("T")
DONE: Final = "[green]✓[/]"
NOTE: Final = "[yellow]![/]"
_YES: Final = frozenset({"y", "yes", "j", "ja"})
_NO: Final = frozenset({"n", "no", "nein"})


class Terminal(Protocol):
    """Who asks and tells."""

    def tell(self, line: str, mark: str = "") -> None:
        """A line on what is going on."""

    def explain(self, text: str) -> None:
        """Prose, broken between words; nothing that somebody copies."""

    def screen(self, title: str, *lines: str) -> None:
        """Begin a screen for the next question."""

    def ask(self, prompt: str, check: Callable[[str], T], default: str = "", *, hidden: bool = False) -> T:
        """What the check makes of an answer; as long as it is wrong, it says why and asks again."""

    def confirm(self, prompt: str, *, default: bool) -> bool:
        """Yes or no."""

    def decide(self, prompt: str, highest: int) -> bool | int:
        """Yes, no, or a number from 1 on."""


class ConsoleTerminal:
    """A :class:`Terminal` on the console."""

    def __init__(self, console: Console, say: Texts) -> None:
        self._console = console
        self.say = say

    def tell(self, line: str, mark: str = "") -> None:
        self._console.print(f"{mark} {escape(line)}" if mark else escape(line), soft_wrap=True)

    def explain(self, text: str) -> None:
        self._console.print(escape(text))

    def screen(self, title: str, *lines: str) -> None:
        self._console.clear()
        self._console.rule(f"[bold]{escape(title)}", align="left")
        for line in lines:
            self._console.print(Padding(escape(line), (1, 0, 0, 0)))
        self._console.print()

    def ask(self, prompt: str, check: Callable[[str], T], default: str = "", *, hidden: bool = False) -> T:
        shown = f"{prompt} [{default}]: " if default else f"{prompt}: "
        while True:
            given = getpass.getpass(shown) if hidden else input(shown)
            try:
                return check(given.strip() or default)
            except Wrong as error:
                self._console.print(f"[red]✗[/] {escape(error.told)}", soft_wrap=True)

    def confirm(self, prompt: str, *, default: bool) -> bool:
        yes, no = self.say("y"), self.say("n")
        return self.ask(f"{prompt} ({yes}/{no})", self._yes_or_no, yes if default else no)

    def decide(self, prompt: str, highest: int) -> bool | int:
        def check(given: str) -> bool | int:
            if given.isdecimal() and 1 <= int(given) <= highest:
                return int(given)
            return self._yes_or_no(given)

        yes, no = self.say("y"), self.say("n")
        return self.ask(f"{prompt} ({yes}/{no}/1–{highest})", check, yes)

    def _yes_or_no(self, given: str) -> bool:
        word = given.lower()
        if word not in _YES | _NO:
            raise Wrong(self.say("Please answer y (yes) or n (no)."))
        return word in _YES


def words(given: str) -> Sequence[str]:
    """The items of an answer that names several, apart by commas or lines."""
    return [each.strip() for each in given.replace("\n", ",").replace(";", ",").split(",") if each.strip()]
