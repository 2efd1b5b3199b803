"""A real Matrix homeserver for `make demo` and the tests: Synapse from PyPI, reachable from here only."""

import asyncio
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from bot.demo import guard
from bot.demo.errors import HomeserverError
from bot.demo.synapse_config import prepare

__all__ = ["Account", "Homeserver", "HomeserverError"]

START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 10.0
_POLL_SECONDS: Final = 0.05
_LOG_LINES_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the local homeserver with a device that is logged in."""

    user_id: str
    access_token: str
    device_id: str


class Homeserver:
    """A Synapse whose whole state is one folder; leaving the context stops it and keeps the folder.

    The same folder may be used again: port, keys, accounts and rooms are then those of before. Accounts are
    registered by a secret that is in the folder; there is no federation and no request leaves the machine.
    """

    def __init__(
        self, folder: Path, *, server_name: str = "localhost", settings: Mapping[str, Any] | None = None
    ) -> None:
        """:param settings: Synapse's own, which go before those that fit a demo."""
        self._folder = folder.resolve()
        self._config_path = self._folder / "homeserver.yaml"
        self._server_name = server_name
        self._settings = settings or {}
        self._process: asyncio.subprocess.Process | None = None
        self._config: dict[str, Any] = {}

    @property
    def url(self) -> str:
        """Base URL for clients; known once the server was started."""
        return str(self._config["public_baseurl"]).rstrip("/")

    @property
    def server_name(self) -> str:
        """What stands after the colon in user ids."""
        return self._server_name

    @property
    def pid(self) -> int | None:
        """Process id while the server is running."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the server and returns when it answers.

        :raises HomeserverError: Synapse is not installed, died, or did not answer within ``START_TIMEOUT``.
        """
        if self.pid is not None:
            return
        if find_spec("synapse") is None:
            raise HomeserverError("The local homeserver is not installed: pip install 'tickettruhe[demo]'")
        self._config = await asyncio.to_thread(
            prepare, self._folder, self._config_path, self._server_name, self._settings
        )
        self._process = await guard.spawn(
            "synapse.app.homeserver",
            *("--config-path", str(self._config_path)),
            console=self._folder / "console.log",
            grace=STOP_TIMEOUT,
            folder=self._folder,
        )
        try:
            await self._until_it_answers(self._process)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the server: SIGTERM first, SIGKILL after ``STOP_TIMEOUT`` seconds."""
        process, self._process = self._process, None
        if process is not None:
            await guard.end(process, STOP_TIMEOUT)

    async def restart(self) -> None:
        """Stops and starts the server with the same port and data."""
        await self.stop()
        await self.start()

    async def register(
        self, localpart: str, password: str, display_name: str, *, admin: bool = False
    ) -> Account:
        """Makes the account, or logs in if there is one by that name; each call is a new device.

        :raises HomeserverError: the name or, for an account that exists, the password is refused.
        """
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(self.url, timeout=timeout) as session:
            status, answer = await self._sign_up(session, localpart, password, display_name, admin=admin)
            if answer.get("errcode") == "M_USER_IN_USE":
                status, answer = await _log_in(session, localpart, password)
        if status != 200:
            raise HomeserverError(f"No account {localpart!r}: {status} {answer.get('errcode')}")
        return Account(answer["user_id"], answer["access_token"], answer["device_id"])

    async def _sign_up(
        self, session: aiohttp.ClientSession, localpart: str, password: str, display_name: str, *, admin: bool
    ) -> tuple[int, dict[str, Any]]:
        """Registers by shared secret (Synapse's manual, "Shared-Secret Registration")."""
        path = "/_synapse/admin/v1/register"
        async with session.get(path) as response:
            nonce = str((await response.json())["nonce"])
        secret = str(self._config["registration_shared_secret"])
        signed = "\0".join((nonce, localpart, password, "admin" if admin else "notadmin"))
        request = {
            "nonce": nonce,
            "username": localpart,
            "password": password,
            "displayname": display_name,
            "admin": admin,
            "mac": hmac.new(secret.encode(), signed.encode(), hashlib.sha1).hexdigest(),
        }
        async with session.post(path, json=request) as response:
            return response.status, await response.json()

    async def _until_it_answers(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT), aiohttp.ClientSession() as session:
                while not await _is_healthy(session, self.url):
                    if process.returncode is not None:
                        raise self._failure(f"Synapse ended with exit status {process.returncode}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise self._failure(f"Synapse did not answer within {START_TIMEOUT:.0f} s") from None

    def _failure(self, what: str) -> HomeserverError:
        lines = [
            line
            for name in ("homeserver.log", "console.log")
            if (path := self._folder / name).exists()
            for line in path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
        ]
        return HomeserverError("\n".join([f"{what}. The last lines of its logs in {self._folder}:", *lines]))


async def _is_healthy(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health", timeout=aiohttp.ClientTimeout(total=2)) as response:
            return response.status == 200
    except (aiohttp.ClientConnectionError, TimeoutError):
        return False


async def _log_in(
    session: aiohttp.ClientSession, localpart: str, password: str
) -> tuple[int, dict[str, Any]]:
    request = {
        "type": "m.login.password",
        "identifier": {"type": "m.id.user", "user": localpart},
        "password": password,
    }
    async with session.post("/_matrix/client/v3/login", json=request) as response:
        return response.status, await response.json()
