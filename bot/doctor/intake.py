"""The bot's web server: is its address free or the bot's own, and can people get through to the form."""

import asyncio
from typing import Final

import aiohttp

from bot.config import Config
from bot.doctor.findings import Finding, bad, good, poor

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - as configured, to be asked from here


async def examine_intake(config: Config, *, running: bool) -> list[Finding]:
    """The address, the form, and the way that people take to it; ``running``: a bot should answer."""
    intake = config.intake
    what = f"intake {intake.listen}:{intake.port}"
    if not running:
        return [await _free(what, intake.listen, intake.port)]
    if intake.port == 0:
        return [poor(what, "a free port, which the log tells", "Set `intake.port`, so that it is found.")]
    host = _EVERYWHERE.get(intake.listen, intake.listen)
    base = f"http://[{host}]:{intake.port}" if ":" in host else f"http://{host}:{intake.port}"
    found = [await _alive(what, base)]
    if intake.form.enabled:
        found.append(await _form("form", base, "Look into the bot's log (`intake_failed`)."))
    if intake.form.enabled and intake.public_url is not None:
        public = str(intake.public_url)
        hint = (
            f"Does the web server before it pass requests on to {base}, and is the name right? "
            "It may also be reachable from outside only."
        )
        found.append(await _form(f"form {public}", public, hint))
    return found


def examine_keys(count: int) -> Finding:
    """Whether anything can file tickets over the API."""
    if count:
        return good("API keys", f"{count} valid")
    return good("API keys", "none", "If a website is to file tickets: `tickettruhe apikey create NAME`.")


async def _free(what: str, host: str, port: int) -> Finding:
    try:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), host, port)
    except OSError as error:
        hint = f"End what listens there (`ss -ltnp 'sport = :{port}'`), or set another `intake.port`."
        return bad(what, f"cannot be had ({error.strerror or error})", hint)
    server.close()
    await server.wait_closed()
    return good(what, "free")


async def _alive(what: str, base: str) -> Finding:
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"{base}/readyz") as answer,
        ):
            if answer.headers.get("Server") != "Tickettruhe":
                hint = "Another program has the port: end it or set another `intake.port`, then restart."
                return bad(what, "something else answers", hint)
            body = await answer.json()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        hint = "The bot runs and does not answer: is this the config that it was started with?"
        return bad(what, f"no answer ({type(error).__name__})", hint)
    problems = body.get("problems", {})
    if problems:
        told = "; ".join(f"{part}: {reason}" for part, reason in problems.items())
        return bad(what, f"the bot answers and says: {told}", "The other lines here say more.")
    return good(what, "the bot answers and is well")


async def _form(what: str, url: str, hint: str) -> Finding:
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as answer:
            text = await answer.text()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return bad(what, f"no answer ({type(error).__name__})", hint)
    if answer.status != 200 or "<form" not in text:
        return bad(what, f"answers {answer.status} and shows no form", hint)
    return good(what, "is shown")
