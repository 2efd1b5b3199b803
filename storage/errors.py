"""What can be wrong with the database itself.

TickettruheError
└─ StorageError
   ├─ DatabaseUnavailable   it does not answer
   ├─ AlreadyRunning        another process holds the lease
   ├─ SchemaTooNew          made by a newer version of the program
   ├─ SchemaTooOld          needs `migrate`
   └─ BackupFailed          no backup was made
"""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.errors import TickettruheError


@dataclass
class StorageError(TickettruheError):
    """Root of the storage's errors."""

    def __post_init__(self) -> None:
        super().__init__(type(self).__name__)


@dataclass
class DatabaseUnavailable(StorageError):
    """The database does not answer."""

    dialect: str


@dataclass
class AlreadyRunning(StorageError):
    """Another process runs on this database; ``since`` is ``None`` if it has only just begun."""

    host: str
    pid: int
    since: datetime | None = None


@dataclass
class SchemaTooNew(StorageError):
    """The database was made by a newer version: this one must not touch it."""

    found: str
    known: str


@dataclass
class SchemaTooOld(StorageError):
    """The database holds data of an older version and waits for `migrate`."""

    found: str
    known: str


@dataclass
class BackupFailed(StorageError):
    """No backup was made, or none that is whole; ``reason`` says why."""

    reason: str
