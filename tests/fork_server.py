"""Starts the program by forking, which costs a tenth of a second: ``python -m tests.fork_server``.

All that the program imports is imported once here. A fork then is what ``python -m bot`` is after its
imports, but for the wall clock: that may be another one, and jumps when the clock file says so.

Orders come as lines of JSON on standard input, reports go to standard output; with the end of the input all
programs end.
"""

import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NoReturn

import time_machine

from bot import __main__ as program

CLOCK_CHANGED: Final = signal.SIGUSR1


def main() -> None:
    """Fork and report until the input ends."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    children: set[int] = set()
    orders = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 1024)
        _report_ended(children)
        if 0 not in ready:
            continue
        read = os.read(0, 65536)
        if not read:
            break
        *lines, orders = (orders + read).split(b"\n")
        for line in lines:
            children.add(_forked(json.loads(line)))
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _report_ended(children: set[int]) -> None:
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        children.discard(pid)
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(report: Mapping[str, int]) -> None:
    os.write(1, json.dumps(report).encode() + b"\n")


def _forked(order: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _be_the_program(order)
    _say({"started": pid})
    return pid


def _be_the_program(order: Mapping[str, Any]) -> NoReturn:
    """What a new process is, from its first instruction to its exit status."""
    code: object = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.clear()
        os.environ.update(order["environment"])
        log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        if order["clock"] is not None:
            _set_clock(Path(order["clock"]))
        sys.argv = ["tickettruhe", *order["words"]]
        program.main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - as the interpreter would tell of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _set_clock(file: Path) -> None:
    """Let the wall clock be ahead by the seconds in the file. The monotonic one stays what it is."""

    def ahead() -> timedelta:
        return timedelta(seconds=float(file.read_text()))

    def jump(*_: object) -> None:
        clock.move_to(time_machine.escape_hatch.datetime.datetime.now(UTC) + ahead())

    clock = time_machine.travel(datetime.now(UTC) + ahead(), tick=True).start()
    signal.signal(CLOCK_CHANGED, jump)


if __name__ == "__main__":
    main()
