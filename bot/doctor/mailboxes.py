"""The mailboxes: does each answer, let the bot in, and have its folders."""

import asyncio
from collections.abc import AsyncIterator

from bot import wiring
from bot.config import Config
from bot.doctor.findings import Finding, bad, good, poor
from bot.intake.email.account import LoginRefused, MailboxError, MailboxSettings
from bot.intake.email.imap import Connection


async def examine_mailboxes(config: Config) -> AsyncIterator[Finding]:
    """Each mailbox that mail is fetched from. Nothing in it is marked or moved."""
    for settings in wiring.mailboxes(config):
        yield await asyncio.to_thread(examine_mailbox, settings)


def examine_mailbox(settings: MailboxSettings) -> Finding:
    """One of them; it blocks until the server has answered."""
    name = settings.box.name
    what, connection = f"mailbox {name}", Connection(settings)
    try:
        connection.open()
        waiting, missing = len(connection.waiting()), connection.missing_folders()
        marks = connection.lets_mark
        told = (
            "tells of new mail by itself" if connection.can_idle else f"is asked every {settings.poll:.0f} s"
        )
    except LoginRefused:
        hint = f"Check `user` and password of `mail.mailboxes.{name}`; some want a password for programs."
        return bad(what, f"{settings.host} refuses the login", hint)
    except MailboxError as error:
        hint = f"Check `host`, `port`, `security` and `folder` of `mail.mailboxes.{name}`; is the server up?"
        return bad(what, f"{settings.host} {error.reason}", hint)
    finally:
        connection.close()
    detail = f"{settings.user}, {waiting} waiting, {told}"
    if not marks:
        hint = f"Let {settings.user} mark mails in {settings.folder} as read and delete them."
        return poor(what, f"{detail}; mails that were received cannot be marked or moved", hint)
    made = f"The bot makes the folders {', '.join(missing)} when it needs them." if missing else ""
    return good(what, detail, made)
