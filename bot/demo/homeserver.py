"""A real Matrix homeserver for `make demo` and the tests: Synapse from PyPI, reachable from here only."""

import asyncio
import hashlib
import hmac
import secrets
import socket
import sys
from base64 import b64encode
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import aiohttp
import yaml

START_TIMEOUT: Final = 60.0
STOP_TIMEOUT: Final = 10.0
_POLL_SECONDS: Final = 0.05
_LOG_LINES_SHOWN: Final = 30

# Reading standard input ends when whoever started Synapse is gone, even by kill -9: a server that outlives
# its demo or its tests would hold port and memory for ever. Unlike PR_SET_PDEATHSIG this needs neither
# Linux nor that the thread which started it lives on.
_LAUNCHER: Final = """\
import os, runpy, signal, sys, threading, time
def end_with_parent():
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(float(sys.argv[1]))
    os._exit(1)
threading.Thread(target=end_with_parent, daemon=True).start()
sys.argv = ["synapse", "--config-path", sys.argv[2]]
runpy.run_module("synapse.app.homeserver", run_name="__main__")
"""

_UNLIMITED: Final = {"per_second": 100_000, "burst_count": 100_000}
# Names and groups: Synapse's manual, "Configuration: Ratelimiting". Those left out are wide enough.
_RATE_LIMITS: Final[dict[str, Any]] = {
    "rc_message": _UNLIMITED,
    "rc_registration": _UNLIMITED,
    "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _UNLIMITED),
    "rc_room_creation": _UNLIMITED,
    "rc_joins": dict.fromkeys(("local", "remote"), _UNLIMITED),
    "rc_joins_per_room": _UNLIMITED,
    "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _UNLIMITED),
    "rc_3pid_validation": _UNLIMITED,
    "rc_profile": _UNLIMITED,
    "rc_media_create": _UNLIMITED,
}


class HomeserverError(Exception):
    """The local homeserver cannot be started, has died, or refused an account."""


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

    def __init__(self, folder: Path, *, server_name: str = "localhost") -> None:
        self._folder = folder.resolve()
        self._config_path = self._folder / "homeserver.yaml"
        self._server_name = server_name
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
        self._config = await asyncio.to_thread(_prepare, self._folder, self._config_path, self._server_name)
        with (self._folder / "console.log").open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _LAUNCHER, str(STOP_TIMEOUT), str(self._config_path)),
                cwd=self._folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=console,
                stderr=console,
                # A Ctrl-C in the terminal is for the demo, which then stops the server in its own order.
                start_new_session=True,
            )
        try:
            await self._until_it_answers(self._process)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Ends the server: SIGTERM first, SIGKILL after ``STOP_TIMEOUT`` seconds."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT)
            except TimeoutError:
                process.kill()
                await process.wait()
        if process.stdin is not None:
            process.stdin.close()

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


def _prepare(folder: Path, config_path: Path, server_name: str) -> dict[str, Any]:
    """Writes the folder's files; keeps the secrets and, if it is still free, the port of an earlier start."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    earlier = yaml.safe_load(config_path.read_text()) if config_path.exists() else {}
    if earlier and earlier["server_name"] != server_name:
        raise HomeserverError(f"{folder} belongs to the homeserver {earlier['server_name']!r}")
    config = _configuration(folder, server_name, earlier)
    signing_key = Path(config["signing_key_path"])
    if not signing_key.exists():
        seed = b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        _write_private(signing_key, f"ed25519 a_local {seed}\n")
    _write_private(Path(config["log_config"]), yaml.safe_dump(_log_config(folder)))
    _write_private(config_path, yaml.safe_dump(config))
    return config


def _configuration(folder: Path, server_name: str, earlier: dict[str, Any]) -> dict[str, Any]:
    """Synapse's settings; its manual explains each."""
    port = _free_port(earlier["listeners"][0]["port"] if earlier else 0)
    names = ("registration_shared_secret", "macaroon_secret_key", "form_secret")
    return _RATE_LIMITS | {
        **{name: earlier.get(name) or secrets.token_hex(32) for name in names},
        "server_name": server_name,
        "public_baseurl": f"http://127.0.0.1:{port}/",
        "listeners": [
            {
                "port": port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "tls": False,
                "resources": [{"names": ["client"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "media_store_path": str(folder / "media"),
        "signing_key_path": str(folder / "signing.key"),
        "log_config": str(folder / "log.yaml"),
        "federation_domain_whitelist": [],
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "report_stats": False,
        "url_preview_enabled": False,
        "presence": {"enabled": False},
        # Throw-away passwords: the default cost would be a quarter of a second for each account.
        "bcrypt_rounds": 4,
        "caches": {"global_factor": 0.2},
    }


def _log_config(folder: Path) -> dict[str, Any]:
    """Warnings to a file, in the form of the standard library's ``logging.config.dictConfig``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(folder / "homeserver.log"),
                "formatter": "line",
            }
        },
        "root": {"level": "WARNING", "handlers": ["file"]},
    }


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1 if nobody listens there, else any that is free."""
    with socket.socket() as probe:
        # As Synapse does: connections of an earlier run that are still timing out are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
