"""Settings and keys of the local Synapse: everything it is told stands in one folder."""

import secrets
import socket
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from bot.demo.errors import HomeserverError

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


def prepare(folder: Path, config_path: Path, server_name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the folder's files; keeps the secrets and, if it is still free, the port of an earlier start."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    earlier = yaml.safe_load(config_path.read_text()) if config_path.exists() else {}
    if earlier and earlier["server_name"] != server_name:
        raise HomeserverError(f"{folder} belongs to the homeserver {earlier['server_name']!r}")
    config = {**_configuration(folder, server_name, earlier), **settings}
    signing_key = Path(config["signing_key_path"])
    if not signing_key.exists():
        seed = b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        write_private(signing_key, f"ed25519 a_local {seed}\n")
    write_private(Path(config["log_config"]), yaml.safe_dump(_log_config(folder)))
    write_private(config_path, yaml.safe_dump(config))
    return config


def _configuration(folder: Path, server_name: str, earlier: dict[str, Any]) -> dict[str, Any]:
    """Synapse's settings; its manual explains each."""
    port = free_port(earlier["listeners"][0]["port"] if earlier else 0)
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


def write_private(path: Path, text: str) -> None:
    """Writes a file that only this user may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def free_port(wanted: int) -> int:
    """The wanted port of 127.0.0.1 if nobody listens there, else any that is free."""
    with socket.socket() as probe:
        # As Synapse does: connections of an earlier run that are still timing out are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
