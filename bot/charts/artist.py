"""Has pictures drawn by a process of its own.

Drawing holds Python's one lock for long, also in a thread, and matplotlib stays in memory once it is loaded.
A process per picture costs the start of one and leaves nothing behind, whoever dies first.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bot.domain.errors import TickettruheError

_PATIENCE: Final = 30.0
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEPT: Final = ("HOME", "LANG", "MPLCONFIGDIR", "PATH", "SYSTEMROOT", "TMPDIR", "XDG_CACHE_HOME")
"""Environment of the drawing process: the bot's own may hold secrets."""


class CannotDraw(TickettruheError):
    """No picture came of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture; width and height in pixels."""

    png: bytes
    width: int
    height: int


class Artist:
    """Draws one picture after the other; the last one is kept, as several people may ask for the same."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._one = asyncio.Lock()
        self._last: tuple[bytes, Drawn] | None = None

    async def draw(self, picture: Mapping[str, Any]) -> Drawn:
        """The picture of a description (:meth:`bot.charts.picture.Picture.to_json`).

        :raises CannotDraw: the drawing process failed, or took too long.
        """
        wanted = json.dumps(picture).encode()
        async with self._one:
            if self._last is None or self._last[0] != wanted:
                self._last = wanted, _checked(await self._drawn(wanted))
            return self._last[1]

    async def _drawn(self, wanted: bytes) -> bytes:
        process = await _start()
        try:
            async with asyncio.timeout(self._patience):
                png, complaint = await process.communicate(wanted)
        except TimeoutError as error:
            raise CannotDraw(f"not done after {self._patience:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
            raise CannotDraw(f"ended with {process.returncode}: {last.partition(':')[0]}")
        return png


async def _start() -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "bot.charts",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            # Ctrl+C in a terminal is for the bot, which ends this process itself.
            process_group=0,
        )  # fmt: skip
    except OSError as error:
        raise CannotDraw(f"no process: {os.strerror(error.errno or 0)}") from error


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2])}


def _checked(png: bytes) -> Drawn:
    """Width and height stand behind the signature (PNG specification, "IHDR")."""
    if not png.startswith(_SIGNATURE) or len(png) < 24:
        raise CannotDraw("what came is no picture")
    return Drawn(png, int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big"))
