"""The key that the database's keys are kept under: made once, the bot's alone, and missed when it is gone."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.config import Config
from bot.doctor.encryption import examine_room_keys
from bot.doctor.findings import Level
from bot.explained import explained
from bot.matrix.encryption.own import KeysUnreadable
from bot.matrix.encryption.pickle_key import PickleKeyMissing, PickleKeyUnusable, sealer_for
from bot.services import keys
from bot.services.keys import KeyAccount
from bot.services.unit import Units
from tests.integration.desk_data import POLICY, Desk, bare_database, desk_on
from tests.integration.encryption_data import Site
from tests.integration.test_encryption import Bot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where it will be, in a folder of its own."""
    folder = tmp_path / "keys"
    folder.mkdir()
    return folder / "tickettruhe.key"


def config_for(path: Path, given: str | None = None) -> Config:
    secret = SimpleNamespace(get_secret_value=lambda: given) if given else None
    matrix = SimpleNamespace(pickle_key=secret)
    return cast("Config", SimpleNamespace(matrix=matrix, pickle_key_path=lambda: path))


def seen(path: Path) -> tuple[int, int] | None:
    """Its mode, and how long the key in it is."""
    return (path.stat().st_mode & 0o777, len(path.read_text().strip())) if path.exists() else None


def give(path: Path, text: str | None = None, mode: int = 0o600) -> None:
    path.touch()
    path.chmod(mode)
    if text is not None:
        path.write_text(text)


async def account(desk: Desk) -> KeyAccount:
    kept = (await desk.units.look(keys.kept)).account
    assert kept is not None
    return kept


async def test_it_is_made_once_and_the_bots_alone(path: Path, sqlite_database: str) -> None:
    async with bare_database(sqlite_database) as database:
        units = Units(database, POLICY)
        assert examine_room_keys(config_for(path), None).detail == "made at the first start"
        made = await sealer_for(units, None, path)
        assert seen(path) == (0o600, 64)
        assert os.listdir(path.parent) == [path.name]  # noqa: PTH208
        again = await sealer_for(units, None, path)
        assert again.unseal("x", made.seal("x", b"secret")) == b"secret"
        assert examine_room_keys(config_for(path), None).level is Level.GOOD
        give(path, mode=0o640)
        with pytest.raises(PickleKeyUnusable) as refused:
            await sealer_for(units, None, path)
        assert "chmod 600" in explained(refused.value)
        assert examine_room_keys(config_for(path), None).level is Level.BAD
        given = await sealer_for(units, "from the environment", path)
        assert given.pickling != made.pickling


async def test_without_it_or_with_another_one_the_bot_does_not_start(
    path: Path, sqlite_database: str
) -> None:
    async with desk_on(sqlite_database) as desk:
        await Bot.at(desk, Site(), "the right one")
        kept: Any = await account(desk)
        with pytest.raises(PickleKeyMissing) as missing:
            await sealer_for(desk.units, None, path)
        assert (str(path) in explained(missing.value), seen(path)) == (True, None)
        assert examine_room_keys(config_for(path), kept).level is Level.BAD
        give(path, "")
        with pytest.raises(PickleKeyUnusable):
            await sealer_for(desk.units, None, path)
        give(path, "another")
        with pytest.raises(KeysUnreadable) as other:
            await sealer_for(desk.units, None, path)
        assert "pickle key" in explained(other.value)
        assert examine_room_keys(config_for(path), kept).level is Level.BAD
        give(path, "the right one\n")
        await sealer_for(desk.units, None, path)
        assert examine_room_keys(config_for(path), kept).level is Level.GOOD
        assert examine_room_keys(config_for(path, "the right one"), kept).detail == "under the config's key"
