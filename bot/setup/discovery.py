"""Finds a homeserver by what people know of it: its name, an address, or somebody's Matrix id.

Source: client-server API, "Well-known URI".
"""

from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from pydantic import TypeAdapter, ValidationError

from bot.config.values import HttpUrl
from bot.matrix.json_text import parsed
from bot.setup.errors import Wrong
from bot.setup.texts import Texts

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)
_LARGEST: Final = 256 * 1024
_HERE: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""This machine, where a homeserver may well be reached without TLS."""
_WELL_KNOWN: Final = "/.well-known/matrix/client"
_URL: Final[TypeAdapter[str]] = TypeAdapter(HttpUrl)


@dataclass(frozen=True, slots=True)
class Found:
    """Where the homeserver is, and its name if that is what was given."""

    url: str
    name: str | None = None


async def discover(given: str, say: Texts) -> Found:
    """The homeserver that is meant.

    :raises Wrong: there is none, or it does not answer.
    """
    given = given.strip()
    given = given if given.endswith("://") else given.rstrip("/")
    if given.startswith(("http://", "https://")):
        return Found(await _speaking(_checked(given, say), say))
    name = given.partition(":")[2] if given.startswith("@") else given
    scheme = "http" if name.partition(":")[0] in _HERE or name.startswith("[::1]") else "https"
    home = _checked(f"{scheme}://{name}", say)
    told = await _well_known(home, say)
    if told is None:
        return Found(await _speaking(home, say, name), name)
    try:
        return Found(await _speaking(told or home, say), name)
    except Wrong as wrong:
        raise _misled(home, told, wrong, say) from None


def _misled(home: str, told: str, wrong: Wrong, say: Texts) -> Wrong:
    """The website's word is what led there: say so."""
    where = home + _WELL_KNOWN
    if not told:
        return Wrong(
            say("{where} does not say in JSON where the homeserver is (m.homeserver, base_url). Mend that "
                "file, or give the homeserver's own address (https://…).", where=where)
        )  # fmt: skip
    because = say("{where} names that homeserver. Mend that file, or give its own address.", where=where)
    return Wrong(f"{wrong.told} {because}")


def _checked(url: str, say: Texts) -> str:
    try:
        return _URL.validate_python(url)
    except ValidationError:
        raise Wrong(
            say(
                "That is neither a name nor an address. Write it like example.org or https://matrix.example.org"
            )
        ) from None


async def _well_known(home: str, say: Texts) -> str | None:
    """What the name's website says of its homeserver: ``None`` if it says nothing, empty if it says rubbish.

    Many websites answer whatever they are asked for with a page, so that rubbish alone proves no mistake.
    """
    try:
        status, told = await _fetch(f"{home}{_WELL_KNOWN}")
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None
    if status != 200:
        return None
    section = told.get("m.homeserver") if isinstance(told, dict) else None
    url = section.get("base_url") if isinstance(section, dict) else None
    if not isinstance(url, str):
        return ""
    try:
        return _URL.validate_python(url)
    except ValidationError:
        raise Wrong(
            say("{where} names a homeserver that is no web address. Mend that file, or give the homeserver's "
                "own address (https://…).", where=home + _WELL_KNOWN)
        ) from None  # fmt: skip


async def _speaking(url: str, say: Texts, name: str | None = None) -> str:
    """The address, if a homeserver answers there."""
    try:
        status, told = await _fetch(f"{url}/_matrix/client/versions")
    except aiohttp.ClientConnectorCertificateError as error:
        raise Wrong(
            say("{url} has a certificate that this machine does not trust ({reason}). If it is your own "
                "authority's, name that in SSL_CERT_FILE.", url=url, reason=error.certificate_error)
        ) from error  # fmt: skip
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Wrong(
            say("{url} does not answer ({reason}). Is it spelt right, and is the server up?",
                url=url, reason=type(error).__name__)
        ) from error  # fmt: skip
    versions = told.get("versions") if isinstance(told, dict) else None
    if status == 200 and isinstance(versions, list) and versions:
        return url
    if name is not None:
        raise Wrong(
            say("{url} is no Matrix homeserver. If {name} keeps it elsewhere, give that address: "
                "https://matrix.{name} perhaps?", url=url, name=name)
        )  # fmt: skip
    raise Wrong(
        say("{url} is no Matrix homeserver. In clients, its address stands on the login page.", url=url)
    )


async def _fetch(url: str) -> tuple[int, Any]:
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as answer:
        body = bytearray()
        async for part in answer.content.iter_chunked(_LARGEST):
            body += part
            if len(body) > _LARGEST:
                return answer.status, None
        return answer.status, parsed(bytes(body))
