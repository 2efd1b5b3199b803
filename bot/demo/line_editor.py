"""A line that is being typed, in a terminal that shows other things at the same time."""

from collections.abc import Callable, Mapping
from typing import Final

from rich.cells import cell_len

EOF: Final = None
_ESCAPE: Final = "\x1b"
_CTRL_D: Final = "\x04"


class LineEditor:
    """Takes what the keyboard sends and keeps line and cursor; always fits into one row when shown."""

    def __init__(self) -> None:
        self._signs: list[str] = []
        self._cursor = 0
        self._history: list[str] = []
        self._recalled = 0
        self._sequence = ""

    def feed(self, typed: str) -> list[str | None]:
        """The lines that this finishes; ``EOF`` where the person ended the input."""
        finished: list[str | None] = []
        for sign in typed:
            if self._sequence or sign == _ESCAPE:
                self._escaped(sign)
            elif sign in "\r\n":
                finished.append(self._finish())
            elif sign == _CTRL_D:
                if not self._signs:
                    finished.append(EOF)
            elif sign in _CONTROLS:
                _CONTROLS[sign](self)
            elif sign.isprintable() or sign in _JOINERS:
                self._signs.insert(self._cursor, sign)
                self._cursor += 1
        return finished

    def shown(self, width: int) -> tuple[str, int]:
        """What of the line fits into so many cells, and how many cells the cursor stands before its end."""
        line, before = "".join(self._signs), "".join(self._signs[: self._cursor])
        if cell_len(line) < width:
            return line, cell_len(line) - cell_len(before)
        while before and cell_len(before) >= width - 1:
            before = before[1:]
        return f"…{before}", 0

    def _finish(self) -> str:
        line = "".join(self._signs)
        if line and self._history[-1:] != [line]:
            self._history.append(line)
        self._replace("")
        self._recalled = len(self._history)
        return line

    def _replace(self, line: str) -> None:
        self._signs, self._cursor = list(line), len(line)

    def _escaped(self, sign: str) -> None:
        """Collects an escape sequence (ECMA-48) and does what it means; unknown ones do nothing."""
        self._sequence += sign
        ended = len(self._sequence) > 1 and sign not in "[O" and not ("0" <= sign <= "?")
        if ended:
            action = _SEQUENCES.get(self._sequence[1:].replace("O", "[", 1))
            self._sequence = ""
            if action is not None:
                action(self)

    def move(self, steps: int) -> None:
        """Moves the cursor; negative: to the left."""
        self._cursor = min(max(self._cursor + steps, 0), len(self._signs))

    def backspace(self) -> None:
        """Removes the sign before the cursor."""
        if self._cursor:
            self.move(-1)
            self.delete()

    def delete(self) -> None:
        """Removes the sign under the cursor."""
        del self._signs[self._cursor : self._cursor + 1]

    def to_start(self) -> None:
        """Moves the cursor before the first sign."""
        self._cursor = 0

    def to_end(self) -> None:
        """Moves the cursor behind the last sign."""
        self._cursor = len(self._signs)

    def clear_before(self) -> None:
        """Removes everything before the cursor."""
        del self._signs[: self._cursor]
        self._cursor = 0

    def delete_word(self) -> None:
        """Removes the word before the cursor."""
        while self._cursor and self._signs[self._cursor - 1] == " ":
            self.backspace()
        while self._cursor and self._signs[self._cursor - 1] != " ":
            self.backspace()

    def recall(self, steps: int) -> None:
        """Brings back an earlier line (negative) or a later one."""
        self._recalled = min(max(self._recalled + steps, 0), len(self._history))
        self._replace(self._history[self._recalled] if self._recalled < len(self._history) else "")


_JOINERS: Final = "\u200d\ufe0f"
"""Parts of emoji that are no printable signs of their own."""
_Edit = Callable[[LineEditor], None]
_CONTROLS: Final[Mapping[str, _Edit]] = {
    "\x7f": LineEditor.backspace,
    "\x08": LineEditor.backspace,
    "\x01": LineEditor.to_start,
    "\x05": LineEditor.to_end,
    "\x15": LineEditor.clear_before,
    "\x17": LineEditor.delete_word,
}
_SEQUENCES: Final[Mapping[str, _Edit]] = {
    "[A": lambda editor: editor.recall(-1),
    "[B": lambda editor: editor.recall(1),
    "[C": lambda editor: editor.move(1),
    "[D": lambda editor: editor.move(-1),
    "[H": LineEditor.to_start,
    "[F": LineEditor.to_end,
    "[3~": LineEditor.delete,
}
