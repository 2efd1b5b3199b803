"""The demo's folder, and what it says when it cannot begin."""

from pathlib import Path

import pytest

from bot.demo import homeserver
from bot.demo.errors import DemoError
from bot.demo.folder import Folder, Memory, held
from bot.demo.homeserver import Account
from bot.demo.show import start

MEMORY = Memory("secret", {"freiburg": "!1:x"}, Account("@bot:x", "token", "DEVICE"))


def test_somebody_elses_folder_is_not_touched(tmp_path: Path) -> None:
    letter = tmp_path / "homeserver" / "letter.txt"
    letter.parent.mkdir()
    letter.write_text("dear diary")

    with pytest.raises(DemoError, match="is not a folder of the demo"), held(tmp_path):
        pass

    assert letter.read_text() == "dear diary"


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    with held(tmp_path / "demo"), pytest.raises(DemoError, match="Another demo"), held(tmp_path / "demo"):
        pass


def test_it_can_be_used_again_and_remembers(tmp_path: Path) -> None:
    with held(tmp_path) as folder:
        assert folder.recall() is None
        folder.remember(MEMORY)
        folder.bot.mkdir()
    with held(tmp_path) as folder:
        assert folder.recall() == MEMORY
        folder.clear()

    assert Folder(tmp_path).recall() is None
    assert not folder.bot.exists()


def test_what_it_remembers_is_private(tmp_path: Path) -> None:
    with held(tmp_path / "demo") as folder:
        folder.remember(MEMORY)

    modes = {path.stat().st_mode & 0o077 for path in (folder.path, folder.path / "demo.json")}
    assert modes == {0}


async def test_without_synapse_it_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(homeserver, "find_spec", lambda _name: None)

    assert await start(once=True, folder=tmp_path, keep=False) == 1

    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "✗ The local homeserver is not installed: pip install 'tickettruhe[demo]'"
