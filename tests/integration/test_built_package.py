"""What people install: a wheel built as `pip install .` builds it, run far from the source."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

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
