"""What `deploy/` brings: systemd units, container and compose files, web servers before the form."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import yaml

from bot.config import load
from bot.services import apikeys
from tests.desk import free_port
from tests.intake_site import CREATE, REQUEST, SETTINGS, site
from tests.integration.test_built_package import SOURCES
from tests.servers import in_ci

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
UNITS: Final = DEPLOY / "systemd"
_MOST_EXPOSED: Final = 15
"""Of `systemd-analyze security`, in tenths: 100 is a service that may do everything."""


def program(name: str, package: str) -> str:
    """Path of a program; without it the test is skipped, but fails where ``CI=true``."""
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        reason = f"no {name} on this machine (Debian: apt install {package})"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    return found


# systemd


@pytest.mark.parametrize(
    "unit", ["tickettruhe.service", "tickettruhe-backup.service", "tickettruhe-backup.timer"]
)
def test_the_units_hold_no_mistake(unit: str, tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    for each in UNITS.iterdir():
        # What they start is not installed here.
        text = re.sub(r"(?m)^(ExecStart=)/opt/\S+", r"\1/bin/true", each.read_text())
        (tmp_path / each.name).write_text(text)
    told = subprocess.run(
        [analyze, "verify", "--man=no", tmp_path / unit], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("unit", ["tickettruhe.service", "tickettruhe-backup.service"])
def test_the_services_may_do_next_to_nothing(unit: str) -> None:
    analyze = program("systemd-analyze", "systemd")
    command = [
        analyze,
        "security",
        "--offline=true",
        f"--threshold={_MOST_EXPOSED}",
        "--no-pager",
        str(UNITS / unit),
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout[-500:]


# Containers


def test_what_the_containers_are_told_are_settings(tmp_path: Path) -> None:
    """Every variable names a setting, or reading the config would refuse it."""
    compose = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
    environment = compose["services"]["tickettruhe"]["environment"]
    image = re.findall(r"\b(TICKETTRUHE_\w+)=(\S+)", (DEPLOY / "container/Containerfile").read_text())
    given = {**dict(image), **environment}
    given = {
        name: re.sub(r"\$\{\w+(:\?[^}]*)?\}", "help.example.org", value) for name, value in given.items()
    }
    config = tmp_path / "config.yaml"
    shutil.copy(DEPLOY.parent / "config.example.yaml", config)
    read = load(config, given)
    assert read.database == "postgresql://tickettruhe@postgres/tickettruhe"
    assert (read.intake.listen, read.intake.port) == ("0.0.0.0", 8080)
    assert [str(each) for each in read.intake.trusted_proxies] == ["172.30.42.0/24"]
    assert str(read.intake.public_url).startswith("https://help.example.org")
    assert read.matrix.password is not None
    assert read.matrix.password.get_secret_value() == "help.example.org"


def test_all_that_the_compose_file_wants_is_there_and_told() -> None:
    folder = DEPLOY / "container"
    text = (folder / "compose.yaml").read_text()
    compose = yaml.safe_load(text)
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            # The operator makes `config`.
            assert source in compose["volumes"] or source == "./config" or (folder / source).exists(), volume
    wanted = set(re.findall(r"\$\{(\w+)", text))
    told = set(re.findall(r"(?m)^(\w+)=", (folder / "env.example").read_text()))
    assert wanted == told
    build = compose["services"]["tickettruhe"]["build"]
    assert (folder / build["context"] / build["dockerfile"]).samefile(folder / "Containerfile")
    assert compose["services"]["tickettruhe"]["read_only"] is True


def test_the_image_holds_what_the_package_needs() -> None:
    """The test of the built package shows that it can be built from these."""
    copied = re.findall(r"(?m)^COPY (?!--)(.+) \S+$", (DEPLOY / "container/Containerfile").read_text())
    names = {name for line in copied for name in line.split()}
    assert names == set(SOURCES)


# Web servers before the form

CLIENT: Final = "127.0.0.2"
"""Where the client's requests come from, other than the web server's."""


async def call(port: int, path: str, method: str = "GET", **more: Any) -> tuple[int, str]:
    """Status and text, as a client gets it."""
    connector = aiohttp.TCPConnector(local_addr=(CLIENT, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, f"http://127.0.0.1:{port}{path}", **more) as found,
    ):
        return found.status, await found.text()


@asynccontextmanager
async def served(port: int, command: Sequence[str], folder: Path) -> AsyncIterator[None]:
    """A web server, once it answers."""
    with (folder / "server.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env={"HOME": str(folder), "PATH": "/usr/bin:/bin"}, stdout=log, stderr=log
        )
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    await call(port, "/")
                except aiohttp.ClientError:
                    assert process.returncode is None, (folder / "server.log").read_text()
                    await asyncio.sleep(0.05)
                else:
                    break
        yield
    finally:
        process.terminate()
        await process.wait()


def nginx(folder: Path, port: int, upstream: str) -> Sequence[str]:
    """nginx with the example's server, in plain HTTP: there is no certificate for the name here."""
    text = (DEPLOY / "nginx/tickettruhe.conf").read_text()
    server = text[text.rindex("server {") :]
    server, changes = re.subn(r"(?m)^ *(listen|ssl_certificate|ssl_certificate_key) .*\n", "", server)
    assert changes == 4
    server = server.replace("server {", f"server {{\n    listen 127.0.0.1:{port};", 1)
    server = server.replace("127.0.0.1:8080", upstream)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{server}}}\n"
    )
    return program("nginx", "nginx"), "-p", str(folder), "-e", "stderr", "-c", str(config)


def caddy(folder: Path, port: int, upstream: str) -> Sequence[str]:
    """Caddy with the example as it is but for addresses, in plain HTTP."""
    text = (DEPLOY / "caddy/Caddyfile").read_text()
    for name, value in (
        ("{$HELP_DOMAIN:help.example.org}", f"http://127.0.0.1:{port}"),
        ("{$MATRIX_DOMAIN:matrix.example.org}", f"http://127.0.0.1:{free_port()}"),
        ("{$HELP_SERVER:127.0.0.1:8080}", upstream),
    ):
        assert name in text
        text = text.replace(name, value)
    (folder / "Caddyfile").write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    return program("caddy", "caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"


@pytest.mark.parametrize("server", [nginx, caddy])
async def test_behind_a_web_server_the_bot_knows_who_is_asking(
    server: Callable[[Path, int, str], Sequence[str]], sqlite_database: str, tmp_path: Path
) -> None:
    """Whatever a client claims: what is bound to addresses goes by the true one."""
    settings = replace(SETTINGS, trusted_proxies=(ip_network("127.0.0.1"),))
    port, claimed = free_port(), "198.51.100.7"
    async with site(sqlite_database, settings) as running:
        command = server(tmp_path, port, running.url.removeprefix("http://"))
        keys = {
            address: await running.units.run(partial(apikeys.create, name=address, addresses=(address,)))
            for address in (CLIENT, claimed)
        }
        async with served(port, command, tmp_path):
            status, text = await call(port, "/")
            assert (status, "<form" in text) == (200, True)
            for path in ("/healthz", "/readyz"):
                assert (await call(port, path))[0] == 404
            found = {
                address: await call(
                    port, CREATE, "POST", json=REQUEST, headers={"X-API-Key": key, "X-Forwarded-For": claimed}
                )
                for address, key in keys.items()
            }
            assert {address: status for address, (status, _text) in found.items()} == {
                CLIENT: 201,
                claimed: 401,
            }
            large = await call(
                port, CREATE, "POST", data=BytesIO(b"x" * 3_000_000), headers={"X-API-Key": keys[CLIENT]}
            )
            assert large[0] == 413
