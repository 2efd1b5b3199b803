"""The key under which the database's keys are kept: from the config, or made at first start beside it.

A copy of the database alone opens nothing; a restored one needs the file as well.
"""

import asyncio
import os
import secrets
import stat
from pathlib import Path
from typing import Final

import structlog

from bot.domain.errors import TickettruheError
from bot.matrix.encryption.own import opened_account
from bot.matrix.encryption.sealing import Sealer
from bot.services import keys
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)
_BYTES: Final = 32
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class PickleKeyMissing(TickettruheError):
    """The database holds keys, but the file of the key that opens them is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


class PickleKeyUnusable(TickettruheError):
    """The key's file can be read by others, not be read or not be made. ``reason`` holds no secret."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


async def sealer_for(units: Units, given: str | None, path: Path) -> Sealer:
    """The sealer with the given key, or else with that of the file, which is made if there are no keys yet.

    :raises PickleKeyMissing: there are keys, and no such file.
    :raises PickleKeyUnusable: the file cannot be used.
    :raises KeysUnreadable: there are keys, and it is not theirs.
    """
    kept = await units.look(keys.kept)
    if given is None:
        given = await asyncio.to_thread(_in_file, path, may_make=kept.account is None)
    sealer = Sealer(given)
    if kept.account is not None:
        opened_account(kept.account, sealer)
    return sealer


def read(path: Path) -> str | None:
    """The key in a file; ``None`` if there is no such file.

    :raises PickleKeyUnusable: others can read it, or nobody.
    """
    try:
        if path.stat().st_mode & _OTHERS:
            raise PickleKeyUnusable(path, "others on this machine can read it")
        key = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeError) as error:
        raise PickleKeyUnusable(path, getattr(error, "strerror", None) or "it is no text") from error
    if not key:
        raise PickleKeyUnusable(path, "it is empty")
    return key


def _in_file(path: Path, *, may_make: bool) -> str:
    if (known := read(path)) is not None:
        return known
    if not may_make:
        raise PickleKeyMissing(path)
    key = secrets.token_hex(_BYTES)
    try:
        _write(path, key)
    except OSError as error:
        raise PickleKeyUnusable(path, error.strerror or "it cannot be made") from error
    _LOG.warning("pickle_key_made", path=str(path))
    return key


def _write(path: Path, key: str) -> None:
    """All of it or nothing, and on the disk before any key is kept under it."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
