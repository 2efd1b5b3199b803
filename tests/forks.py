"""The program started at once: as a fork of a process that has imported everything."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from tests.fork_server import CLOCK_CHANGED
from tests.process import START_TIMEOUT, BotProcess


class Clock:
    """The wall clock of the bots, kept in a file as seconds ahead of the real one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ahead = timedelta()
        self.set(self._ahead)

    @property
    def now(self) -> datetime:
        """What it shows."""
        return datetime.now(UTC) + self._ahead

    def set(self, ahead: timedelta) -> None:
        """Bots that start from now on see it so; one that runs is told by a signal."""
        self._ahead = ahead
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(ahead.total_seconds()))
        fresh.replace(self.file)

    def set_to(self, moment: datetime) -> None:
        """Show this moment now."""
        self.set(moment - datetime.now(UTC))


@dataclass(eq=False)
class Fork:
    """One process, a child of the fork server."""

    pid: int
    returncode: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self) -> int:
        """Wait for the end; gives the return code."""
        await self.ended.wait()
        assert self.returncode is not None
        return self.returncode


class Launcher:
    """The fork server; leaving the context ends it and its forks."""

    def __init__(self, errors: Path) -> None:
        """:param errors: file for what the launcher itself has to complain about."""
        self._errors = errors
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._started: deque[asyncio.Future[Fork]] = deque()
        self._forks: dict[int, Fork] = {}

    async def __aenter__(self) -> Self:
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.fork_server", stdin=PIPE, stdout=PIPE, stderr=errors
            )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reading is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reading

    def bot(self, config: Path, log: Path, clock: Clock) -> "ForkedBot":
        """A bot to be started by this launcher, with a clock of its own."""
        return ForkedBot(self, config, log, clock)

    async def start(self, words: Sequence[str], log: Path, clock: Path | None = None) -> Fork:
        """Start the program with these words, and append what it says to a file."""
        assert self._process is not None
        assert self._process.stdin is not None
        order = {
            "words": words,
            "log": str(log),
            "clock": str(clock) if clock else None,
            "environment": dict(os.environ),
        }
        started: asyncio.Future[Fork] = asyncio.get_running_loop().create_future()
        self._started.append(started)
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(START_TIMEOUT):
            return await started

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            report = json.loads(line)
            if "started" in report:
                fork = Fork(report["started"])
                self._forks[fork.pid] = fork
                self._started.popleft().set_result(fork)
            else:
                fork = self._forks.pop(report["ended"])
                fork.returncode = report["code"]
                fork.ended.set()


class ForkedBot(BotProcess):
    """``run`` with a clock of its own."""

    def __init__(self, launcher: Launcher, config: Path, log: Path, clock: Clock) -> None:
        super().__init__(config, log, lambda words, log: launcher.start(words, log, clock.file))
        self._clock = clock

    def set_clock(self, moment: datetime) -> None:
        """Let the wall clock jump, also that of the bot if it runs."""
        self._clock.set_to(moment)
        if self.running:
            assert self._process is not None
            self._process.send_signal(CLOCK_CHANGED)
