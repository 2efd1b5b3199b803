"""Whether clients trust the bot's device: its account has to have signed it."""

from bot.config import Config
from bot.doctor.findings import Finding, bad, good, poor
from bot.matrix.client import MatrixClient
from bot.matrix.encryption.account import Account, Published
from bot.matrix.encryption.canonical import verified
from bot.matrix.errors import MatrixError
from storage.inspection import Trust

_WHAT = "cross-signing"
_SECTION = 'docs/operations.md, "What clients think of the bot"'


async def examine_trust(config: Config, client: MatrixClient, kept: Trust) -> Finding:
    """What the homeserver tells others of the account and its device."""
    try:
        told = await Account(client, None).published(kept.device_id)
    except MatrixError as error:
        return poor(_WHAT, f"the homeserver does not tell ({error})", "Look again when it is up.")
    return _before(config, told) if kept.device_id is None else _of_device(kept.device_id, kept, told)


def _before(config: Config, told: Published) -> Finding:
    """Before the first start."""
    if told.identity is None:
        return good(_WHAT, "not there yet, will be set up by `run`")
    if config.matrix.recovery_key is not None:
        return good(_WHAT, "the account has keys, which `run` takes over by the recovery key")
    hint = f"Put the account's recovery key into `matrix.recovery_key_file` ({_SECTION})."
    return poor(_WHAT, "the account has keys that the bot does not have", hint)


def _of_device(device_id: str, kept: Trust, told: Published) -> Finding:
    identity = told.identity
    if identity is None:
        return poor(_WHAT, "the account has no keys", f"Start the bot; the log tells why not. {_SECTION}")
    signer = identity.self_signing
    if not told.device:
        return bad(_WHAT, f"the homeserver knows no keys of device {device_id}", "Start the bot once more.")
    if signer is None or not verified(told.device, identity.user_id, signer, signer):
        hint = f"Some clients warn of the bot or share no keys with it. {_SECTION} says what to do."
        return poor(_WHAT, f"device {device_id} is not signed by its account", hint)
    if kept.recovery_key_waits:
        hint = "Run `tickettruhe recovery-key` and keep what it shows apart from the backups."
        return poor(_WHAT, f"device {device_id} is signed; nobody has taken the recovery key", hint)
    return good(_WHAT, f"device {device_id} is signed by its account")
