"""Secrets: where they come from, and that they are never shown."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.config import ConfigError, load
from tests.unit.config.conftest import SECRET, Loader, Problems, line_of


def test_secret_from_file(config: Loader) -> None:
    matrix = config().matrix
    assert matrix.password is not None
    assert matrix.password.get_secret_value() == SECRET


def test_database_password_from_file_or_environment(config: Loader) -> None:
    database = (
        "admins:",
        "database: postgresql://bot@localhost/tickets\ndatabase_password_file: secret\nadmins:",
    )
    url = make_url(config(database).database_url())
    assert (url.drivername, url.username, url.password) == ("postgresql+psycopg", "bot", SECRET)
    other = config(database, environ={"TICKETTRUHE_DATABASE_PASSWORD": "a/b@c:d"})
    assert make_url(other.database_url()).password == "a/b@c:d"


def test_secrets_are_never_shown(config: Loader) -> None:
    loaded = config(
        ("admins:", "database: postgresql://bot@localhost/tickets\nadmins:"),
        environ={"TICKETTRUHE_DATABASE_PASSWORD": SECRET},
    )
    assert SECRET not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_secret_file_that_others_can_touch_is_refused(problems: Problems, secret: Path, mode: int) -> None:
    secret.chmod(mode)
    (problem,) = problems()
    assert (problem.line, problem.key) == (line_of("  password_file"), "matrix.password_file")
    assert problem.hint == f"Run `chmod 600 {secret}`."


def test_secret_in_a_config_that_others_can_read_is_refused(config: Loader, tmp_path: Path) -> None:
    change = ("password_file: secret", f"password: {SECRET}")
    assert config(change).matrix.password is not None
    file = tmp_path / "config.yaml"
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=r"matrix\.password: .*chmod 600") as caught:
        load(file, {})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b" \n", "is empty"), (b"\xff", "not UTF-8"), (None, "no readable file")],
)
def test_secret_file_that_cannot_be_used(
    problems: Problems, secret: Path, content: bytes | None, said: str
) -> None:
    if content is None:
        secret.unlink()
    else:
        secret.write_bytes(content)
    (problem,) = problems()
    assert said in problem.message


def test_folder_as_secret_file(problems: Problems) -> None:
    (problem,) = problems(("password_file: secret", "password_file: ."))
    assert "is not a file" in problem.message
