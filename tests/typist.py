"""Somebody at a terminal: reads what a program shows there, and types."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_PATIENCE: Final = 90.0
# The program gets the terminal as its controlling one, as a shell would give it: Ctrl-C is a signal then.
_AT_TERMINAL: Final = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored in what a shell starts in the background
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "bot", *sys.argv[1:]])
"""
_CODES: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Typist:
    """Types at the terminal of a program that runs."""

    def __init__(self, terminal: int, process: asyncio.subprocess.Process) -> None:
        self._terminal = terminal
        self.process = process
        self._raw = b""
        self._mark = 0
        os.set_blocking(terminal, False)

    @property
    def shown(self) -> str:
        """All that was shown so far, without colours."""
        self._read()
        return _CODES.sub("", self._raw.decode(errors="replace")).replace("\r", "")

    def _read(self) -> None:
        try:
            while part := os.read(self._terminal, 65536):
                self._raw += part
        except (BlockingIOError, OSError):
            # Nothing more for now; an error once the program has ended.
            return

    async def sees(self, text: str) -> str:
        """Wait until a text comes up; what was shown since the last one that was waited for."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while text not in self.shown[self._mark :]:
                    if self.process.returncode is not None:
                        raise AssertionError(f"ended without {text!r}:\n{self.shown}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"no {text!r}:\n{self.shown[self._mark :]}") from None
        shown = self.shown
        before, self._mark = self._mark, shown.index(text, self._mark) + len(text)
        return shown[before : self._mark]

    async def answers(self, prompt: str, text: str = "") -> str:
        """Wait for a question and answer it; an empty answer takes what is offered."""
        seen = await self.sees(prompt)
        os.write(self._terminal, f"{text}\n".encode())
        return seen

    def presses(self, key: str) -> None:
        """Type a single key."""
        os.write(self._terminal, key.encode())

    async def ended(self) -> int:
        """Wait for the end; its exit status."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"has not ended:\n{self.shown[self._mark :]}") from None


@asynccontextmanager
async def typist(*words: str, environ: Mapping[str, str], folder: Path) -> AsyncIterator[Typist]:
    """``python -m bot …`` at a terminal of its own."""
    terminal, other = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _AT_TERMINAL, *words,
            stdin=other, stdout=other, stderr=other, cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "TERM": "xterm", **environ},
        )  # fmt: skip
    finally:
        os.close(other)
    try:
        yield Typist(terminal, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(terminal)
