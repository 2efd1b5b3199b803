"""The account's cross-signing keys over the bot's life: made, shown once, left alone, brought back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, make_desk
from tests.people import Crowd
from tests.process import command_line

pytestmark = pytest.mark.timeout(180)


async def finding(desk: Desk) -> str:
    """What `check` says of cross-signing."""
    _code, out = await command_line(desk.folder / "config.yaml", "check")
    return next(line for line in out.splitlines() if "cross-signing" in line)


async def master_key(desk: Desk) -> Any:
    """The public half, as everybody is told it."""
    query: dict[str, Any] = {"device_keys": {desk.account.user_id: []}}
    answer = await desk.person("anna").call("POST", "keys", "query", body=query)
    return answer["master_keys"][desk.account.user_id]["keys"]


def _lose(folder: Path) -> None:
    """The database, and the key that it was kept under."""
    for file in folder.glob("tickettruhe.db*"):
        file.unlink()


@pytest.fixture
async def desk(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, sqlite_database: str
) -> AsyncIterator[Desk]:
    """A desk of this test's own, whose bot is not started yet."""
    desk = await make_desk(homeserver, people, tmp_path, sqlite_database)
    yield desk
    if desk.bot.running:
        await desk.bot.stop()


async def started(desk: Desk, until: str) -> None:
    """Start the bot, and wait until it has logged something."""
    mark = desk.bot.log_size
    await desk.bot.start()
    await desk.bot.wait_for_log(until, mark)


async def test_keys_outlive_the_database_by_the_recovery_key_alone(
    desk: Desk, homeserver: Homeserver, tmp_path: Path
) -> None:
    assert "will be set up" in await finding(desk)
    await started(desk, "cross_signing_keys_stored")
    assert "nobody has taken the recovery key" in await finding(desk)
    code, shown = await command_line(desk.folder / "config.yaml", "recovery-key")
    assert code == 0
    key = shown.splitlines()[0]
    assert key.startswith("Es")
    code, again = await command_line(desk.folder / "config.yaml", "recovery-key")
    assert code == 1
    assert "shown already" in again
    assert f"device {desk.account.device_id} is signed by its account" in await finding(desk)
    master = await master_key(desk)
    await desk.bot.stop()

    _lose(tmp_path)
    localpart = desk.account.user_id[1:].partition(":")[0]
    desk.account = await homeserver.register(localpart, desk.password, "Tickettruhe")
    desk.write_config()
    assert "keys that the bot does not have" in await finding(desk)
    for _start in range(2):
        await started(desk, '"trouble": "foreign"')
        await desk.hears("admin", "cross-signing keys that I do not have")
        await desk.bot.stop()
    told = [
        seen for seen in await desk.person("dora").sees(desk.rooms["admin"]) if "I do not have" in seen.body
    ]
    assert len(told) == 1
    assert await master_key(desk) == master
    assert "is not signed" in await finding(desk)

    secret = tmp_path / "recovery-key"
    secret.touch(mode=0o600)
    secret.write_text(key)
    desk.extra = {"matrix": {"recovery_key_file": "recovery-key"}}
    desk.write_config()
    await started(desk, "device_signed")
    assert "cross_signing_keys_restored" in desk.bot.log
    assert f"device {desk.account.device_id} is signed by its account" in await finding(desk)
    assert await master_key(desk) == master
    await desk.bot.stop()
    assert key not in desk.bot.log
