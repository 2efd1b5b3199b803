"""The demo's terminal, at a pseudo-terminal: what happens never garbles what is being typed."""

import asyncio
import os
import sys
import termios
from collections.abc import Iterator

import pytest
from rich.console import Console

from bot.demo.terminal import Terminal


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Terminal, int]]:
    """A terminal, and the end of it that a person sits at."""
    person, program = os.openpty()
    os.set_blocking(person, False)
    with (
        open(program, closefd=False) as keyboard,
        open(program, "w", closefd=False) as output,
    ):
        monkeypatch.setattr(sys, "stdin", keyboard)
        yield Terminal(Console(file=output, force_terminal=True, width=60)), person
    os.close(person)
    os.close(program)


async def seen_with(person: int, text: str) -> str:
    """What the person sees, until the text is there."""
    seen = b""
    async with asyncio.timeout(10):
        while text not in seen.decode(errors="replace"):
            await asyncio.sleep(0.01)
            try:
                seen += os.read(person, 4096)
            except BlockingIOError:
                continue
    return seen.decode()


async def test_what_happens_is_printed_above_what_is_typed(screen: tuple[Terminal, int]) -> None:
    terminal, person = screen
    with terminal.reading():
        terminal.prompt = "Anna> "
        os.write(person, "!tü".encode())
        await seen_with(person, "!tü")
        terminal.print("a card")
        after = await seen_with(person, "!tü")
        os.write(person, b"\x7fake 1\r")
        line = await asyncio.wait_for(terminal.line(), 10)

    assert line == "!take 1"
    erased, _, rest = after.partition("a card")
    assert erased.endswith("\r\x1b[2K")
    assert rest.replace("\x1b[1m", "").replace("\x1b[0m", "") == "\r\nAnna> !tü"


async def test_the_keyboard_is_given_back_as_it_was(screen: tuple[Terminal, int]) -> None:
    terminal, person = screen
    before = termios.tcgetattr(sys.stdin)
    with terminal.reading():
        taken = termios.tcgetattr(sys.stdin)
        os.write(person, b"\x04")
        assert await asyncio.wait_for(terminal.line(), 10) is None

    assert taken != before
    assert termios.tcgetattr(sys.stdin) == before
