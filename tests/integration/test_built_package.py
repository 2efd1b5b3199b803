"""What people install: a wheel built as `pip install .` builds it, run far from the source."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import aiohttp
import pytest
import sqlalchemy

from bot.demo.homeserver import Homeserver
from storage import schema
from tests.desk import make_desk
from tests.people import Crowd
from tests.process import BotProcess, Running

ROOT = Path(__file__).parents[2]
SOURCES = ("bot", "storage", "pyproject.toml", "setup.py", "config.example.yaml", "README.md", "LICENSE")
ASK = """
import bot
from bot.catalogs import FORM, catalog
from bot.presentation.language import Language
print(bot.__file__)
print(Language("de").gettext("In progress"))
print(Language("de").days(1), Language("de").days(12))
print(Language("en").days(1), Language("en").days(12))
print(catalog(FORM, "de").gettext("Your message"))
from bot.setup.defaults import example
print(len(example()))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the source as it is, built outside of it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    # A left-over of somebody's trial must not be taken for the real one.
    (source / "bot/locale/de/LC_MESSAGES/tickettruhe.mo").write_bytes(b"out of date")
    command = ("-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([sys.executable, *command], cwd=source, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def test_it_holds_compiled_catalogs_and_no_others(wheel: Path) -> None:
    names = [name for name in ZipFile(wheel).namelist() if "/locale/" in name]
    assert sorted(names) == [
        f"bot/locale/{language}/LC_MESSAGES/{domain}.mo"
        for language in ("de", "en")
        for domain in ("form", "setup", "tickettruhe")
    ]


def test_it_speaks_german_and_english(wheel: Path, tmp_path: Path) -> None:
    ZipFile(wheel).extractall(tmp_path)
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=tmp_path.parent,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        check=True,
        capture_output=True,
        text=True,
    )
    place, *said = answer.stdout.splitlines()
    assert Path(place) == tmp_path / "bot" / "__init__.py"
    assert said == [
        "In Bearbeitung",
        "seit einem Tag seit 12 Tagen",
        "for 1 day for 12 days",
        "Ihre Nachricht",
        str(len((ROOT / "config.example.yaml").read_text())),
    ]


async def installed_program(program: Path, words: Sequence[str], log: Path) -> Running:
    """Start the program as it was installed, far from the source."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            program, *words, stdout=output, stderr=output, cwd=log.parent, env={"PATH": os.defpath}
        )


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs' folder of a new environment with the wheel; what it stands on comes from this one."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    install = ("-m", "pip", "--python", folder / "bin/python", "install", "--no-deps", "--no-index", wheel)
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A path that is added so brings packages, and not the source: its own .pth files are not read.
    (packages / "others.pth").write_text(f"{Path(sqlalchemy.__file__).parents[1]}\n")
    return folder / "bin"


async def test_what_was_installed_checks_migrates_and_serves(
    installed: Path, homeserver: Homeserver, people: Crowd, tmp_path: Path
) -> None:
    def run(*command: str) -> str:
        done = subprocess.run(
            [installed / command[0], *command[1:]], cwd=tmp_path, env={"PATH": os.defpath},
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    desk = await make_desk(homeserver, people, tmp_path, f"sqlite:///{tmp_path / 'first.db'}")
    # A database of this package's own making.
    desk.database_url = f"sqlite:///{tmp_path / 'second.db'}"
    config = str(desk.write_config())
    start = partial(installed_program, installed / "tickettruhe")
    desk.program = partial(BotProcess, start=start)
    place = run(
        "python", "-c", "import bot.charts.sheet as it, storage; print(it.__file__, storage.__file__)"
    )
    assert all(Path(each).is_relative_to(installed.parent) for each in place.split()), place
    assert f"Migrated to {schema.newest()}." in run("tickettruhe", "migrate", "--config", config)
    try:
        await desk.bot.start()
        async with aiohttp.ClientSession(desk.url) as session:
            async with session.get("/?lang=de") as page:
                text = await page.text()
            assert (page.status, "Ihre Nachricht" in text) == (200, True)
            style = re.search(r'href="([^"]+\.css[^"]*)"', text)
            assert style is not None
            async with session.get(style[1]) as sheet:
                assert (sheet.status, sheet.content_type) == (200, "text/css")
        await desk.told("anna", "!new Printer for Ms Doe")
        await desk.card(1)
        assert "✗" not in run("tickettruhe", "check", "--config", config)
        assert "whole" in run("tickettruhe", "backup", str(tmp_path / "copy.db"), "--config", config)
    finally:
        assert await desk.bot.stop() == 0
