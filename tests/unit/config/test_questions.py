"""What the rest of the bot asks of a config."""

from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.domain.quiet import QuietHours
from bot.wiring import policy
from tests.unit.config.conftest import Loader


def test_questions_about_teams(config: Loader) -> None:
    loaded = config()
    assert [loaded.team_of_region(region) for region in ("basel", "mars", "", None)] == [
        "basel",
        None,
        None,
        None,
    ]
    assert [loaded.language_of(team) for team in ("basel", "freiburg", None)] == ["en", "de", "de"]
    assert loaded.timezone_of("basel") == ZoneInfo("Europe/Zurich")
    assert loaded.timezone_of(None) == ZoneInfo("Europe/Berlin")
    assert loaded.regions["basel"].in_language("en") == "Basle"
    assert list(loaded.regions) == ["freiburg", "basel"]


def test_digest_is_inherited_switched_off_or_own(config: Loader) -> None:
    loaded = config()
    assert [loaded.digest_of(team) for team in ("freiburg", "basel", None)] == [
        "0 8 * * *",
        None,
        "0 8 * * *",
    ]
    assert config(("digest: false", 'digest: "5 9 * * mon"')).digest_of("basel") == "5 9 * * mon"
    assert config(("digest: false", "digest: null")).digest_of("basel") is None
    assert config(('schedule: "0 8 * * *"', "schedule: false")).digest_of("freiburg") is None


def test_quiet_hours_are_inherited_switched_off_or_own(config: Loader) -> None:
    night = ("admins:", 'quiet: "22:00-7:00"\nadmins:')
    assert [config().quiet_of(team) for team in ("freiburg", "basel", None)] == [None] * 3
    loaded = config(night)
    assert [loaded.quiet_of(team) for team in ("freiburg", "basel", None)] == [
        QuietHours(time(22), time(7), ZoneInfo(zone))
        for zone in ("Europe/Berlin", "Europe/Zurich", "Europe/Berlin")
    ]
    assert config(night, ("digest: false", "quiet: false")).quiet_of("basel") is None
    own = config(("digest: false", "quiet: 20:30-08:00")).quiet_of("basel")
    assert own == QuietHours(time(20, 30), time(8), ZoneInfo("Europe/Zurich"))
    assert set(policy(loaded).quiet) == {"admin", "triage", "team:freiburg", "team:basel"}


def test_thanks_are_the_teams_own_wish(config: Loader) -> None:
    assert policy(config()).thankful == frozenset()
    wanted = ("digest: {schedule", "digest: {thanks: true, schedule")
    assert policy(config(wanted)).thankful == {"freiburg", "basel", None}
    assert policy(config(wanted, ("digest: false", "thanks: false"))).thankful == {"freiburg", None}
    assert policy(config(("digest: false", "thanks: true"))).thankful == {"basel"}


def test_config_is_frozen(config: Loader) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        config().prefix = "?"


def test_sqlite_path_is_relative_to_the_config_file(config: Loader, tmp_path: Path) -> None:
    assert config().database_url() == f"sqlite:///{tmp_path}/tickettruhe.db"
    absolute = config(("admins:", "database: sqlite:////var/lib/t.db\nadmins:"))
    assert absolute.database_url() == "sqlite:////var/lib/t.db"


def test_values_stay_as_they_are_written(config: Loader) -> None:
    """YAML 1.1 alone would read an octal number and a boolean."""
    loaded = config(("password_file: secret", "password: 0123"), ("freiburg: Freiburg", "freiburg: no"))
    assert loaded.matrix.password is not None
    assert loaded.matrix.password.get_secret_value() == "0123"
    assert loaded.regions["freiburg"].de == "no"
