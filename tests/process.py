"""The program as an operator starts it: the bot that runs, and commands that end by themselves."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import BinaryIO, Final, Protocol

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


class BotProcess:
    """``python -m bot run`` as an operator starts it."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config = config
        self._log = log
        self._process: Running | None = None

    async def start(self, *, until_ready: bool = True) -> None:
        """Start; wait until the first sync is done."""
        with self._log.open("ab") as log:
            mark = self._log.stat().st_size
            self._process = await self._spawned(log)
        if until_ready:
            await self.wait_for_log('"event": "ready"', mark)

    async def _spawned(self, log: BinaryIO) -> Running:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", "--config", str(self._config),
            stdout=log, stderr=log, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip

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
    """Run ``python -m bot …`` as an operator does, to its end; gives return code and all output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), START_TIMEOUT)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode()
