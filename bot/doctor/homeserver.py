"""The homeserver: does it answer, does it know the bot, does it show the same time."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

from bot.config import Config
from bot.doctor.findings import Finding, bad, good, poor
from bot.matrix.client import MatrixClient
from bot.matrix.errors import MatrixError, TokenRejected

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_UNLIKE: Final = timedelta(seconds=5)
_FAR_APART: Final = timedelta(seconds=60)
_NTP: Final = "Let both machines get their time from the network (`timedatectl set-ntp true`)."


async def examine_server(url: str, now: datetime) -> list[Finding]:
    """Versions and clock, as anybody may ask for them."""
    what = f"homeserver {url}"
    hint = "Check `matrix.homeserver`: is it the address of the client API (`…/_matrix/client/versions`)?"
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"{url}/_matrix/client/versions") as answer,
        ):
            date, body = answer.headers.get("Date"), await answer.json(content_type=None)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return [bad(what, f"does not answer ({type(error).__name__})", "Is the server up? " + hint)]
    except ValueError:
        return [bad(what, "does not speak Matrix", hint)]
    versions = body.get("versions") if isinstance(body, dict) else None
    if not isinstance(versions, list) or not versions:
        return [bad(what, "does not speak Matrix", hint)]
    return [good(what, f"speaks Matrix up to {versions[-1]}"), _clock(date, now)]


def _clock(date: str | None, now: datetime) -> Finding:
    what = "clock (homeserver)"
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return good(what, "not told by the homeserver")
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    # The header has whole seconds.
    apart = abs(theirs - now)
    detail = f"{apart.total_seconds():.0f} s apart from this machine's"
    if apart > _FAR_APART:
        return bad(what, detail, _NTP + " Digests and reminders come at wrong times, and undo ends too soon.")
    return poor(what, detail, _NTP) if apart > _UNLIKE else good(what, "as here")


async def examine_login(config: Config, client: MatrixClient) -> Finding:
    """Whether the homeserver lets the bot in."""
    what = "login"
    try:
        await client.start()
    except TokenRejected as error:
        hint = "Check `matrix.user` and its password or token."
        return bad(what, f"{config.matrix.homeserver} refuses the login ({error.code})", hint)
    except MatrixError as error:
        hint = "Check `matrix.homeserver`; is the server up?"
        return bad(what, f"{config.matrix.homeserver} does not answer ({error})", hint)
    return good(what, f"{client.user_id}, device {client.device_id}")
