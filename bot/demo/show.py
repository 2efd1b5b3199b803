"""``make demo``: a whole help desk on this machine, to type into or to watch."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.markup import escape

from bot.demo.cast import ROOMS
from bot.demo.errors import DemoError
from bot.demo.folder import DEFAULT, Folder, held
from bot.demo.interactive import Desk
from bot.demo.orders import ORDERS
from bot.demo.pictures import Pictures
from bot.demo.script import Round
from bot.demo.stage import Stage, set_up
from bot.demo.terminal import Terminal
from bot.demo.verdict import Verdict

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def start(*, once: bool, folder: Path | None, keep: bool) -> int:
    """Runs the demo to its end; the exit code.

    :param once: play a scripted round without a keyboard; 0 only if the rooms then show what they should.
    :param folder: where everything is kept; ``.demo`` in the working directory if not given.
    :param keep: go on with the rooms and tickets of the last demo in that folder.
    """
    terminal = Terminal(Console())
    started = time.monotonic()
    try:
        with held(folder or DEFAULT) as scratch:
            async with _stoppable(terminal):
                if once:
                    return await _once(scratch, terminal, started, keep=keep)
                return await _live(scratch, terminal, started, keep=keep)
    except DemoError as error:
        terminal.print(f"[red]✗[/] {escape(str(error))}")
        return 1
    except asyncio.CancelledError:
        terminal.print("Nothing of the demo is running any more.")
        return 1 if once else 0


@asynccontextmanager
async def _stoppable(terminal: Terminal) -> AsyncIterator[None]:
    """The first signal cancels what is inside; further ones do not disturb the tidying up."""
    task, loop, stopping = asyncio.current_task(), asyncio.get_running_loop(), False

    def stop() -> None:
        nonlocal stopping
        if task is not None and not stopping:
            stopping = True
            terminal.print("Ending bot and homeserver …")
            task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


async def _live(folder: Folder, terminal: Terminal, started: float, *, keep: bool) -> int:
    async with set_up(folder, keep=keep, tell=terminal.print) as stage:
        await Desk(stage, terminal, started, ORDERS).run()
        terminal.print("Ending bot and homeserver …")
    terminal.print(
        f"`make demo ARGS=--keep` goes on with these rooms; they are in {escape(str(folder.path))}."
    )
    return 0


async def _once(folder: Folder, terminal: Terminal, started: float, *, keep: bool) -> int:
    def told(name: str, met: bool) -> None:
        terminal.print(f"{'[green]✓' if met else '[red]✗'}[/] {escape(name)}")

    async with set_up(folder, keep=keep, tell=terminal.print) as stage:
        terminal.print(f"Ready after {time.monotonic() - started:.1f} s. The round begins.")
        verdict = Verdict(stage.watch.until, told)
        await judge(stage, verdict)
        _transcripts(stage, terminal)
    if (first := stage.seconds_to_first_card(started)) is not None:
        terminal.print(f"The first ticket was in its room after {first:.1f} s.")
    total = f"{time.monotonic() - started:.1f} s"
    if verdict.good:
        terminal.print(f"[green]✓ All {len(verdict.met)} expectations came true[/] ({total}).")
        return 0
    terminal.print(f"[red]✗ {len(verdict.unmet)} of {len(verdict.met) + len(verdict.unmet)} in vain:[/]")
    for name in verdict.unmet:
        terminal.print(f"  [red]✗[/] {escape(name)}")
    terminal.print(f"The bot's log: {escape(str(stage.bot.log_path))}")
    return 1


async def judge(stage: Stage, verdict: Verdict) -> None:
    """Plays the round; one that cannot go on is an expectation in vain."""
    try:
        await Round(stage, verdict).play()
    except (DemoError, aiohttp.ClientError, TimeoutError) as error:
        verdict.note(f"the round is played to its end ({error})", met=False)


def _transcripts(stage: Stage, terminal: Terminal) -> None:
    pictures = Pictures(terminal.console, stage.name_of)
    for room in ROOMS:
        terminal.print()
        terminal.print(pictures.room(room, stage.watch.view(room)))
    terminal.print()
    terminal.print(pictures.letters(stage.post.letters))
    for letter in stage.post.letters:
        if not letter.automatic:
            terminal.print(pictures.letter(letter))
    terminal.print()
