"""Whether the keys to encrypted rooms can be opened."""

from typing import Final

from bot import wiring
from bot.config import Config
from bot.doctor.findings import Finding, bad, good
from bot.matrix.encryption import pickle_key
from bot.matrix.encryption.own import KeysUnreadable, opened_account
from bot.matrix.encryption.pickle_key import PickleKeyUnusable
from bot.matrix.encryption.sealing import Sealer
from bot.services.keys import KeyAccount

_WHAT: Final = "keys to encrypted rooms"
_BACK: Final = "Bring it back from where the secrets are kept; without it the bot does not start."


def examine_room_keys(config: Config, kept: KeyAccount | None) -> Finding:
    """Whether the pickle key is there, and opens what the database holds; ``None``: it holds nothing yet."""
    path = config.pickle_key_path()
    try:
        key = wiring.pickle_key(config) or pickle_key.read(path)
        if key is not None and kept is not None:
            opened_account(kept, Sealer(key))
    except PickleKeyUnusable as error:
        return bad(_WHAT, f"`{error.path}` cannot be used: {error.reason}", f"chmod 600 {error.path}")
    except KeysUnreadable:
        return bad(_WHAT, "the pickle key is not the one that they are kept under", _BACK)
    if key is None:
        if kept is not None:
            return bad(_WHAT, f"`{path}`, which opens them, is not there", _BACK)
        return good(_WHAT, "made at the first start")
    where = f"under the key in {path}" if wiring.pickle_key(config) is None else "under the config's key"
    return good(_WHAT, where, "Keep a copy of that key, apart from the database's backups.")
