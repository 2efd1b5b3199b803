"""A small valid config, and loading it with replacements."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot.config import Config, ConfigError, Problem, load

ROOT = Path(__file__).parents[3]
SECRET = "hunter2-swordfish"
BASE = """\
matrix:
  homeserver: https://matrix.example.org
  user: "@bot:example.org"
  password_file: secret
admins: ["@anna:example.org"]
rooms:
  admin: "#board:example.org"
  triage: "#triage:example.org"
teams:
  freiburg:
    name: Freiburg
    room: "#freiburg:example.org"
    regions: [freiburg]
  basel:
    name: Team Basel
    room: "!basel:example.org"
    regions: [basel]
    language: en
    timezone: Europe/Zurich
    digest: false
regions:
  freiburg: Freiburg
  basel: {de: Basel, en: Basle}
topics:
  request: {name: {de: Anfrage, en: Request}, waitlist: true, topic_id: 10}
  other: {name: Sonstiges}
default_topic: other
digest: {schedule: "0 8 * * *"}
"""

Loader = Callable[..., Config]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def config(tmp_path: Path, secret: Path) -> Loader:
    """Loads the text above with replacements, from a private file beside the secret."""

    def load_with(*changes: tuple[str, str], environ: Mapping[str, str] | None = None) -> Config:
        text = BASE
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file = tmp_path / "config.yaml"
        file.write_text(text)
        file.chmod(0o600)
        return load(file, environ or {})

    return load_with


@pytest.fixture
def problems(config: Loader) -> Callable[..., tuple[Problem, ...]]:
    def found(*changes: tuple[str, str], environ: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            config(*changes, environ=environ)
        assert SECRET not in str(caught.value)
        return caught.value.problems

    return found


Problems = Callable[..., tuple[Problem, ...]]


def line_of(text: str) -> int:
    """The line, from 1, in which the text stands in the base config."""
    return BASE[: BASE.index(text)].count("\n") + 1
