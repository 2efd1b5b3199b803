"""The demo's scratch folder: nobody else's files are ever touched, and two demos never share one."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bot.demo.errors import DemoError
from bot.demo.homeserver import Account
from bot.demo.synapse_config import write_private

DEFAULT: Final = Path(".demo")
_LOCK: Final = "lock"
_MEMORY: Final = "demo.json"
_PARTS: Final = ("homeserver", "bot", "mail", _MEMORY)


@dataclass(frozen=True, slots=True)
class Memory:
    """What a later demo needs in order to go on with this one's rooms and people."""

    password: str
    """Of all people."""
    rooms: dict[str, str]
    """Key → id."""
    bot: Account


class Folder:
    """A folder that this demo holds alone."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.homeserver = path / "homeserver"
        self.bot = path / "bot"
        self.mail = path / "mail"

    def recall(self) -> Memory | None:
        """The last demo, if it was set up to its end."""
        file = self.path / _MEMORY
        if not file.exists():
            return None
        told = json.loads(file.read_text())
        return Memory(told["password"], told["rooms"], Account(**told["bot"]))

    def remember(self, memory: Memory) -> None:
        """Keeps it for :meth:`recall`."""
        write_private(self.path / _MEMORY, json.dumps(asdict(memory)))

    def clear(self) -> None:
        """Removes what an earlier demo left."""
        for part in _PARTS:
            path = self.path / part
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@contextmanager
def held(path: Path) -> Iterator[Folder]:
    """Makes the folder and keeps other demos out of it as long as this process lives.

    :raises DemoError: it holds something else than a demo, or another demo runs in it.
    """
    path = path.absolute()
    lock = path / _LOCK
    if path.exists() and not (path.is_dir() and (lock.exists() or not any(path.iterdir()))):
        raise DemoError(f"{path} is not a folder of the demo. Name an empty or a new one with --folder.")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo runs in {path}. End it first, or name another --folder.") from None
        yield Folder(path)
