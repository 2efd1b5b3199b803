"""Files that are there whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

from bot.setup.errors import SetupStopped
from bot.setup.texts import Texts

PRIVATE: Final = 0o600
SHARED: Final = 0o640
"""For what holds no secret; the group may be that of those who look after the bot."""


def write(path: Path, text: str, mode: int, say: Texts) -> None:
    """Put a file in its place; nobody ever sees half of it, or a private one with wider rights.

    :raises SetupStopped: the folder cannot be written to.
    """
    try:
        # The database will lie there, too.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise SetupStopped(_told(path, error, say)) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(handle, mode)
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        if isinstance(error, OSError):
            raise SetupStopped(_told(path, error, say)) from error
        raise
    _keep(path.parent)


def _keep(folder: Path) -> None:
    """Have the disk know of the folder's new entry, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _told(path: Path, error: OSError, say: Texts) -> str:
    return say(
        "{path} cannot be written ({reason}). Choose another folder with --folder, or run this as a user who "
        "may write there.",
        path=path,
        reason=error.strerror or error,
    )
