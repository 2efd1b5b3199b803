"""Errors that a person can mend, as the command line tells them: one line, and what to do."""

from functools import singledispatch

from bot.domain.errors import InvalidInput, TickettruheError
from bot.intake.server import CannotListen
from bot.mail.errors import TemplateBroken
from bot.matrix.encryption.own import KeysUnreadable, NoDevice
from bot.matrix.encryption.pickle_key import PickleKeyMissing, PickleKeyUnusable
from bot.matrix.encryption.recovery_key import NoRecoveryKey
from bot.matrix.errors import TokenRejected
from bot.matrix.rooms import SameRoom
from bot.services.apikeys import KeyNameTaken, UnknownKey
from bot.trusting import NoIdentityYet, RecoveryKeyTaken
from storage.errors import AlreadyRunning, BackupFailed, DatabaseUnavailable, SchemaTooNew, SchemaTooOld


@singledispatch
def explained(error: TickettruheError) -> str:
    """What happened and what to do."""
    return f"{type(error).__name__}: {error}"


@explained.register
def _(error: AlreadyRunning) -> str:
    since = f" since {error.since:%Y-%m-%d %H:%M:%S} UTC" if error.since else ""
    return f"Another process runs on this database: pid {error.pid} on {error.host}{since}. Stop it first."


@explained.register
def _(error: SchemaTooNew) -> str:
    return f"The database was made by a newer version (schema {error.found}). Install that one."


@explained.register
def _(error: SchemaTooOld) -> str:
    return f"The database has schema {error.found}. Back it up, then run `tickettruhe migrate`."


@explained.register
def _(error: DatabaseUnavailable) -> str:
    return f"The database ({error.dialect}) does not answer. Is it running, is the URL right?"


@explained.register
def _(error: TokenRejected) -> str:
    return f"The homeserver refuses the login ({error.code}). Check `matrix.user` and its secret."


@explained.register
def _(error: PickleKeyMissing) -> str:
    return (
        f"The database holds keys to encrypted rooms, and `{error.path}`, with which they are kept, is not "
        "there. Bring it back from where the backups are, or name it in `matrix.pickle_key_file`."
    )


@explained.register
def _(error: PickleKeyUnusable) -> str:
    return f"`{error.path}` cannot be used: {error.reason}. It must be the bot's alone (chmod 600)."


@explained.register
def _(_error: NoDevice) -> str:
    return (
        "The access token belongs to no device, and only devices can read and write in encrypted rooms. Log "
        "in with a password, as `tickettruhe init` does, or use the token of such a login."
    )


@explained.register
def _(_error: KeysUnreadable) -> str:
    return (
        "The pickle key is not the one with which the database's keys to encrypted rooms are kept. Look for "
        "the right one beside the database's backup (`matrix.pickle_key`, or the file that ends in `.key`)."
    )


@explained.register
def _(_error: NoRecoveryKey) -> str:
    return (
        "`matrix.recovery_key` is no recovery key: twelve groups of four letters, of which the first begins "
        "with E. Is it whole?"
    )


@explained.register
def _(_error: NoIdentityYet) -> str:
    return (
        "There is no recovery key to show: the bot has not set up cross-signing for its account. Start it "
        "once; `tickettruhe doctor` says whether anything stands against it."
    )


@explained.register
def _(_error: RecoveryKeyTaken) -> str:
    return (
        "The recovery key was shown already, or the bot was given it: it is kept nowhere here. If it is lost "
        "and the database too, cross-signing has to be reset with another client."
    )


@explained.register
def _(error: SameRoom) -> str:
    return f"These settings lead to the same room: {' and '.join(error.keys)}. Each needs its own."


@explained.register
def _(_error: KeyNameTaken) -> str:
    return "There is a key of that name already; `apikey list` shows it."


@explained.register
def _(_error: UnknownKey) -> str:
    return "There is no key of that name; `apikey list` shows them all."


@explained.register
def _(error: InvalidInput) -> str:
    return f"`{error.field}` is not valid ({error.problem})."


@explained.register
def _(error: CannotListen) -> str:
    return (
        f"Cannot listen on {error.address}:{error.port}: {error.reason}. End what has it, or set another "
        "port (`intake.port`, `metrics.port`)."
    )


@explained.register
def _(error: TemplateBroken) -> str:
    return f"{error}. Mend this template (docs/operations.md), or remove it: then the packed one is used."


@explained.register
def _(error: BackupFailed) -> str:
    return f"No backup was made: {error.reason}."
