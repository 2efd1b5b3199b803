"""`make demo` as a person starts it: what it shows, how it ends, and that nothing stays behind."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.demo.bot_process import BotProcess
from bot.demo.homeserver import Homeserver
from bot.demo.post import Post
from bot.demo.show import judge
from bot.demo.stage import Stage
from bot.demo.verdict import Verdict
from bot.demo.watch import Watch
from tests.desk import free_port

BEGIN = 60.0
END = 30.0


@asynccontextmanager
async def demo(folder: Path, *options: str, stdin: int = PIPE) -> AsyncIterator[Process]:
    """The demo as a process of its own, with children of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--folder", str(folder), *options),
        stdin=stdin,
        stdout=PIPE,
        stderr=STDOUT,
        # A setting of the bot that its operator runs besides, which the demo's bot must not take.
        env={**os.environ, "TICKETTRUHE_DATABASE": "postgresql://nowhere/none", "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def read_until(process: Process, text: str) -> str:
    """What it prints, up to the line with that text."""
    assert process.stdout is not None
    seen = ""
    async with asyncio.timeout(BEGIN):
        while text not in seen:
            line = await process.stdout.readline()
            assert line, f"it ended before it said {text!r}:\n{seen}"
            seen += line.decode()
    return seen


def children(folder: Path) -> list[str]:
    """Processes that work in the folder: homeserver and bot."""
    listed = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True)
    parts = (str(folder / "homeserver"), str(folder / "bot"))
    return [line for line in listed.stdout.splitlines() if any(part in line for part in parts)]


async def leftover(folder: Path) -> list[str]:
    """The children that are still there after ``END`` seconds; returns as soon as there are none."""
    for _ in range(int(END * 5)):
        if not children(folder):
            return []
        await asyncio.sleep(0.2)
    return children(folder)


async def test_the_scripted_round_finds_all_as_it_should_be(tmp_path: Path) -> None:
    async with demo(tmp_path / "demo", "--once", stdin=DEVNULL) as process:
        output, _ = await asyncio.wait_for(process.communicate(), 150)
    told = output.decode()

    assert process.returncode == 0, told
    assert "The first ticket was in its room after" in told
    for expectation in (
        "Anna takes it (✅)",
        "Ben cannot take it too and is told whose it is",
        "a mail from Leyla Aydin is a card in Freiburg's room",
        "she answers by mail, from the thread (✅)",
        "Leyla Aydin has that mail, in one conversation with hers",
        "her answer comes into the thread, without its quote, and rings for Anna",
        "and opens the ticket again",
        "opening it, and the page to withdraw, changes nothing",
        "a command just before kill -9 is carried out (✅)",
        "a mail of that time is fetched and has its card",
        "each request was acknowledged by mail, once",
        "every card and every answer is there exactly once",
    ):
        assert f"✓ {expectation}" in told, told
    assert " to leyla@example.org: Re: Laptop startet nicht mehr" in told
    assert "expectations came true" in told
    assert "✗" not in told
    assert not children(tmp_path / "demo")


async def test_the_round_fails_if_the_bot_is_dead(tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    bot = BotProcess(tmp_path / "bot", free_port())
    watch = Watch({})
    post = Post(tmp_path / "mail", watch.look_again)
    stage = Stage(Homeserver(tmp_path), bot, "@bot:x", {}, {}, "", watch, post, kept=False)
    verdict = Verdict(watch.until, lambda name, met: told.append((name, met)))

    await judge(stage, verdict)

    assert not verdict.good
    assert [met for _, met in told] == [False]
    assert "does not answer" in told[0][0]


async def test_what_is_typed_is_done_and_kept_after_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    async with demo(folder) as process:
        assert process.stdin is not None
        begin = await read_until(process, "The first ticket was in its room after")
        process.stdin.write(b"/as ben\n!take 1\n/tickt\n!reply 1 Passt Freitag?\n")
        typed = await read_until(process, " to samira@example.org: Re: Laptop für Ausbildung")
        process.stdin.write(b"/answer 1 Lieber Montag.\n")
        typed += await read_until(process, "Lieber Montag.")
        typed += await read_until(process, "Samira Haddad hat zu #1 geschrieben")
        process.kill()
        await process.wait()
    assert await leftover(folder) == []

    async with demo(folder, "--keep") as process:
        assert process.stdin is not None
        process.stdin.write(b"!show 1\n/mails\n")
        seen = await read_until(process, "samira@example.org")
        seen += await read_until(process, " from samira@example.org: Re: Laptop")
        process.stdin.close()
        rest = (await asyncio.wait_for(process.stdout.read(), END)).decode() if process.stdout else ""
        assert await asyncio.wait_for(process.wait(), END) == 0

    assert "http://127.0.0.1:" in begin
    assert "Laptop für Ausbildung gesucht" in begin
    assert "Ben: !take 1" in typed
    assert "✅ on “!take 1”" in typed
    assert "Did you mean /ticket?" in typed
    assert "Tickettruhe Freiburg" in typed
    assert "Lieber Montag." in seen
    assert "has filled in the contact form" not in seen + rest
    assert not children(folder)


@pytest.mark.parametrize("way", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_outlives_a_demo_that_is_ended_early(tmp_path: Path, way: signal.Signals) -> None:
    async with demo(tmp_path / "demo") as process:
        await read_until(process, "Inviting the people")
        assert children(tmp_path / "demo")
        process.send_signal(way)
        status = await asyncio.wait_for(process.wait(), END)

    assert status == (0 if way is signal.SIGTERM else -signal.SIGKILL)
    assert await leftover(tmp_path / "demo") == []
