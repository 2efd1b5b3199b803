"""The bot as an operator starts it: a process of its own, which can be killed."""

import asyncio
import os
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from bot.demo import guard
from bot.demo.errors import BotFailed
from bot.demo.synapse_config import write_private

START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 8.0
_POLL_SECONDS: Final = 0.05
_LOG_LINES_SHOWN: Final = 15


class BotProcess:
    """``python -m bot run`` with its config, database and log in one folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self.port = port
        self._process: asyncio.subprocess.Process | None = None

    @property
    def config_path(self) -> Path:
        """Where its config is."""
        return self._folder / "config.yaml"

    @property
    def log_path(self) -> Path:
        """Where its log is."""
        return self._folder / "bot.log"

    @property
    def form_url(self) -> str:
        """Address of the contact form."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    def configure(self, config: dict[str, Any]) -> None:
        """Writes its config; only this user may read it, as it holds the bot's access token."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.config_path, yaml.safe_dump(config, allow_unicode=True, sort_keys=False))

    async def start(self) -> None:
        """Starts it and returns when it is in touch with homeserver and database.

        :raises BotFailed: it ended, or was not ready within ``START_TIMEOUT``.
        """
        if self.running:
            return
        # Settings of a bot that this user runs besides are none of the demo's.
        own = {name: value for name, value in os.environ.items() if not name.startswith("TICKETTRUHE_")}
        self._process = await guard.spawn(
            *("bot", "run", "--config", str(self.config_path)),
            console=self.log_path,
            grace=STOP_TIMEOUT,
            environment=own,
        )
        try:
            await self._until_ready(self._process)
        except BaseException:
            await self.stop()
            raise

    async def kill(self) -> None:
        """Kill -9: it cannot finish anything."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def stop(self) -> None:
        """Ends it in good order."""
        if self._process is not None:
            await guard.end(self._process, STOP_TIMEOUT)

    async def ended(self) -> int:
        """Waits for its end; the exit status, negative for a signal."""
        return await self._process.wait() if self._process is not None else 0

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT), aiohttp.ClientSession() as session:
                while not await _is_ready(session, f"{self.form_url}readyz"):
                    if process.returncode is not None:
                        raise self._failure(f"The bot ended with exit status {process.returncode}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise self._failure(f"The bot was not ready within {START_TIMEOUT:.0f} s") from None

    def _failure(self, what: str) -> BotFailed:
        lines = self.log_path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        return BotFailed("\n".join([f"{what}. The end of its log {self.log_path}:", *lines]))


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
