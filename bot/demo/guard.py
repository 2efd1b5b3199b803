"""Child processes that end with whoever started them, even by kill -9."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

# Reading standard input ends when the starter is gone: a server that outlives its demo or its tests would
# hold port and memory for ever. Unlike PR_SET_PDEATHSIG this needs neither Linux nor that the thread which
# started it lives on.
_LAUNCHER: Final = """\
import os, runpy, signal, sys, threading, time
grace, module = float(sys.argv[1]), sys.argv[2]
def end_with_parent():
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
del sys.argv[1:3]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


async def spawn(
    module: str,
    *arguments: str,
    console: Path,
    grace: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> asyncio.subprocess.Process:
    """Starts ``python -m module``; :func:`end` stops it, and the end of this process does.

    :param console: file to which its output is appended.
    :param grace: seconds from SIGTERM until it is killed, when this process is gone.
    :param folder: its working directory, if not this process's.
    :param environment: its environment, if not this process's.
    """
    with console.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _LAUNCHER, str(grace), module, *arguments),
            cwd=folder,
            env=dict(os.environ if environment is None else environment),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            # A Ctrl-C in the terminal is for the demo, which then stops its children in its own order.
            start_new_session=True,
        )


async def end(process: asyncio.subprocess.Process, grace: float) -> None:
    """Ends the process: SIGTERM first, SIGKILL after ``grace`` seconds."""
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()
