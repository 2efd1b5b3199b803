"""A disk that can be full: a small file system of its own, where this process may make one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SIZE: Final = "96m"


@dataclass(frozen=True)
class SmallDisk:
    """A mounted tmpfs; a ballast file takes what is free of it."""

    folder: Path

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / "ballast").open("ab", buffering=0) as ballast:
            for size in (2**20, 2**12, 1):
                block = b"\0" * size
                try:
                    while True:
                        ballast.write(block)
                except OSError:
                    continue

    def clear(self) -> None:
        """Take the ballast away."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk | None]:
    """Mounts it; without the right to, the folder is one of the usual disk and nothing can be filled."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tickettruhe-faults", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield SmallDisk(folder) if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
