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

from bot.demo.folder import held
from bot.demo.show import judge
from bot.demo.stage import set_up
from bot.demo.verdict import Verdict

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
    assert "✓ Anna takes it (✅)" in told
    assert "✓ Ben cannot take it too and is told whose it is" in told
    assert "✓ a command just before kill -9 is carried out (✅)" in told
    assert "✓ every card and every answer is there exactly once" in told
    assert "expectations came true" in told
    assert "✗" not in told
    assert not children(tmp_path / "demo")


async def test_the_round_fails_if_the_bot_is_dead(tmp_path: Path) -> None:
    told: list[tuple[str, bool]] = []
    with held(tmp_path / "demo") as folder:
        async with set_up(folder, keep=False, tell=lambda _: None) as stage:
            verdict = Verdict(stage.watch.until, lambda name, met: told.append((name, met)))
            await stage.bot.kill()
            await judge(stage, verdict)

    assert not verdict.good
    assert [met for _, met in told] == [False]
    assert "does not answer" in told[0][0]


async def test_typed_lines_are_said_and_the_end_of_the_input_is_the_end(tmp_path: Path) -> None:
    async with demo(tmp_path / "demo") as process:
        assert process.stdin is not None
        begin = await read_until(process, "The first ticket was in its room after")
        process.stdin.write(b"/as ben\n!take 1\n/tickt\n")
        seen = await read_until(process, "✅ on “!take 1”")
        process.stdin.close()
        rest = (await asyncio.wait_for(process.stdout.read(), END)).decode() if process.stdout else ""
        status = await asyncio.wait_for(process.wait(), END)

    assert "http://127.0.0.1:" in begin
    assert "Laptop für Ausbildung gesucht" in begin
    assert "Ben: !take 1" in seen
    assert "Did you mean /ticket?" in seen + rest
    assert status == 0
    assert not children(tmp_path / "demo")


async def test_a_kept_demo_still_has_its_tickets(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    async with demo(folder) as process:
        await read_until(process, "The first ticket was in its room after")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), END) == 0
    assert not children(folder)

    async with demo(folder, "--keep") as process:
        assert process.stdin is not None
        process.stdin.write(b"!show 1\n")
        seen = await read_until(process, "samira@example.org")
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), END) == 0

    assert seen.count("🟢 #1 · Laptop für Ausbildung gesucht") == 2, seen
    assert "has filled in the contact form" not in seen
    assert not children(folder)


@pytest.mark.parametrize("moment", ["Inviting the people", "The first ticket was in its room after"])
async def test_nothing_outlives_a_demo_that_is_killed(tmp_path: Path, moment: str) -> None:
    async with demo(tmp_path / "demo") as process:
        await read_until(process, moment)
        assert children(tmp_path / "demo")
        process.kill()
        await process.wait()

    assert await leftover(tmp_path / "demo") == []
