"""The program as an operator starts it: the bot that runs, and commands that end by themselves."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

START_TIMEOUT: Final = 30.0


class Running(Protocol):
    """A process that was started, as :mod:`asyncio.subprocess` gives it."""

    @property
    def pid(self) -> int:
        """Its id."""

    @property
    def returncode(self) -> int | None:
        """How it ended; ``None`` while it runs."""

    def send_signal(self, signal: int, /) -> None:
        """Send a signal; nothing happens if it has ended."""

    async def wait(self) -> int:
        """Wait for the end."""


Start = Callable[[Sequence[str], Path], Awaitable[Running]]
"""Starts the program with these words; what it says is appended to the file."""


async def as_operators_do(words: Sequence[str], log: Path) -> Running:
    """``python -m bot …``"""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words,
            stdout=output, stderr=output, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip


_start: Start = as_operators_do


@contextmanager
def started_by(start: Start) -> Iterator[None]:
    """Let bots and commands be started in this way from now on."""
    global _start
    before, _start = _start, start
    try:
        yield
    finally:
        _start = before


class BotProcess:
    """The bot that runs."""

    def __init__(self, config: Path, log: Path, start: Start | None = None) -> None:
        self._config = config
        self._log = log
        self._start = start
        self._process: Running | None = None

    async def start(self, *, until_ready: bool = True) -> None:
        """Start; wait until the first sync is done."""
        mark = self.log_size
        self._log.touch()
        self._process = await (self._start or _start)(("run", "--config", str(self._config)), self._log)
        if until_ready:
            await self.wait_for_log('"event": "ready"', mark)

    async def wait_for_log(self, text: str, mark: int = 0, timeout: float = START_TIMEOUT) -> None:  # noqa: ASYNC109
        """Wait until the log says something; fails with the log if the process ends first."""
        async with asyncio.timeout(timeout):
            while text not in self.logged_since(mark):
                if self._process is None or self._process.returncode is not None:
                    raise AssertionError(f"the bot ended:\n{self.log[-4000:]}")
                await asyncio.sleep(0.02)

    @property
    def log(self) -> str:
        """All that it has logged, over all starts."""
        return self.logged_since(0)

    @property
    def log_size(self) -> int:
        """In bytes, over all starts."""
        return self._log.stat().st_size if self._log.exists() else 0

    def logged_since(self, mark: int) -> str:
        """What it has logged since the log had that many bytes."""
        with self._log.open("rb") as log:
            log.seek(mark)
            return log.read().decode(errors="replace")

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; gives the return code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await asyncio.wait_for(self._process.wait(), 10)

    async def ended(self, timeout: float = 20) -> int:  # noqa: ASYNC109
        """Wait until it ends by itself; gives the return code."""
        assert self._process is not None
        return await asyncio.wait_for(self._process.wait(), timeout)

    async def kill(self) -> None:
        """Kill -9."""
        await self.stop(signal.SIGKILL)


async def command_line(config: Path, *words: str) -> tuple[int, str]:
    """Run one of the program's commands to its end; gives return code and all output."""
    with tempfile.NamedTemporaryFile(prefix="output-") as output:
        process = await _start((*words, "--config", str(config)), Path(output.name))
        try:
            code = await asyncio.wait_for(process.wait(), START_TIMEOUT)
        except TimeoutError:
            process.send_signal(signal.SIGKILL)
            await process.wait()
            raise
        return code, output.read().decode()
