"""The recovery key of the bot's account, shown to the person who sets it up."""

from sqlalchemy import make_url

from bot import trusting, wiring
from bot.config import Config
from bot.services.unit import Units
from bot.setup.terminal import DONE, NOTE, Terminal
from bot.setup.texts import Texts
from storage import inspection
from storage.database import Database


async def show(config: Config, terminal: Terminal, say: Texts, *, somebody: bool) -> None:
    """Show the key, if it still waits to be stored away; it is removed once somebody says that it is.

    :param somebody: whether a person looks; else the key could end in a log, and is only told of.
    :raises DatabaseUnavailable: it cannot be looked at.
    """
    if inspection.is_missing(make_url(config.database_url())):
        return
    database = Database(config.database_url())
    try:
        await _show(Units(database, wiring.policy(config)), config, terminal, say, somebody=somebody)
    finally:
        await database.close()


async def _show(units: Units, config: Config, terminal: Terminal, say: Texts, *, somebody: bool) -> None:
    try:
        key = await trusting.kept_recovery_key(units, config)
    except trusting.RecoveryKeyTaken:
        return
    except trusting.NoIdentityYet:
        terminal.tell(say("the bot has no recovery key yet; later: tickettruhe recovery-key"), NOTE)
        return
    if not somebody:
        terminal.tell(say("the bot's recovery key waits to be stored away: tickettruhe recovery-key"), NOTE)
        return
    terminal.tell("")
    terminal.explain(
        say(
            "This is the recovery key of the bot's account. If its database is ever lost, only this key "
            "makes clients trust the bot again. Store it where you keep passwords:"
        )
    )
    terminal.tell("")
    terminal.tell(f"    {key}")
    terminal.tell("")
    if terminal.confirm(say("Is it stored away? Then it is removed here."), default=False):
        await trusting.forget_recovery_key(units)
        terminal.tell(say("the recovery key is removed here"), DONE)
    else:
        terminal.tell(say("it stays here, and can be shown again: tickettruhe recovery-key"), NOTE)
