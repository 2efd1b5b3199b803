"""One terminal for both: what happens scrolls by above, what is being typed stays in the last row."""

import asyncio
import codecs
import os
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from rich.cells import cell_len
from rich.console import Console, RenderableType

from bot.demo.line_editor import EOF, LineEditor

_ERASE_ROW: Final = "\r\x1b[2K"
_LOCAL_FLAGS: Final = 3


class Terminal:
    """Prints at any time, and hands out the lines that are typed."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._editor: LineEditor | None = None
        self._prompt = ""

    def print(self, what: RenderableType = "") -> None:
        """Prints above the row that is being typed."""
        self._hide()
        self.console.print(what, highlight=False)
        self._draw()

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed."""
        return self._prompt

    @prompt.setter
    def prompt(self, prompt: str) -> None:
        self._hide()
        self._prompt = prompt
        self._draw()

    async def line(self) -> str | None:
        """The next line; ``None`` when there is no more input."""
        return await self._lines.get()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Takes the keyboard, or what standard input is instead, and gives it back."""
        if sys.stdin.isatty() and self.console.is_terminal:
            with self._keyboard(sys.stdin.fileno()):
                yield
        else:
            self._read_stream()
            yield

    def _read_stream(self) -> None:
        """Not every kind of file can be waited for, but any can be read in a thread."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            # Whoever waits in here when the demo has ended finds no loop to tell.
            with suppress(RuntimeError):
                for line in iter(sys.stdin.readline, ""):
                    loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\n"))
                loop.call_soon_threadsafe(self._lines.put_nowait, EOF)

        threading.Thread(target=read, daemon=True).start()

    @contextmanager
    def _keyboard(self, keyboard: int) -> Iterator[None]:
        """Sign by sign and without echo, so that the row can be redrawn; Ctrl-C stays a signal."""
        loop, before = asyncio.get_running_loop(), termios.tcgetattr(keyboard)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")

        def take_over() -> None:
            mode = termios.tcgetattr(keyboard)
            mode[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
            termios.tcsetattr(keyboard, termios.TCSADRAIN, mode)
            self._draw()

        def typed() -> None:
            data = os.read(keyboard, 1024)
            self._typed(decoder.decode(data)) if data else self._lines.put_nowait(EOF)

        self._editor = LineEditor()
        take_over()
        loop.add_reader(keyboard, typed)
        # After Ctrl-Z and `fg` the shell has put its own mode back.
        loop.add_signal_handler(signal.SIGCONT, take_over)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGCONT)
            loop.remove_reader(keyboard)
            self._hide()
            self._editor = None
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)

    def _typed(self, text: str) -> None:
        if self._editor is not None:
            for line in self._editor.feed(text):
                self._lines.put_nowait(line)
            self._hide()
            self._draw()

    def _hide(self) -> None:
        if self._editor is not None:
            self.console.file.write(_ERASE_ROW)
            self.console.file.flush()

    def _draw(self) -> None:
        if self._editor is None:
            return
        line, back = self._editor.shown(self.console.width - cell_len(self._prompt))
        self.console.file.write(f"\x1b[1m{self._prompt}\x1b[0m{line}" + (f"\x1b[{back}D" if back else ""))
        self.console.file.flush()
