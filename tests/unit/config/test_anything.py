"""Whatever is written, the answer is a config or a list of problems."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from bot.config import Config, ConfigError, load
from bot.config.explain import explain
from bot.config.sources import Sources
from tests.unit.config.conftest import BASE, SECRET

_KEYS = st.sampled_from(
    ["matrix", "user", "teams", "rooms", "regions", "digest", "intake", "max_body", "admins", "x"]
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_KEYS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text() | _VALUES.map(lambda value: yaml.safe_dump(value, allow_unicode=True)))
@example(text="matrix: {user: &a [*a]}")
@example(text="timezone: 'a\\0b'")
@example(text='timezone: "a\\0b"\ndatabase: "sqlite:///\\0"\nmatrix: {password_file: "\\0"}')
def test_any_text_gives_problems(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(text.encode())
    file.chmod(0o600)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert all(problem.message and "\n" not in problem.message for problem in caught.value.problems)


@settings(deadline=None)
@given(password=st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_any_password_reaches_the_database_url(password: str) -> None:
    data = yaml.safe_load(BASE.replace("password_file: secret", "access_token: t"))
    data |= {"database": "postgresql://bot@localhost/tickets", "database_password": password}
    assert make_url(Config.model_validate(data).database_url()).password == password


@settings(deadline=None)
@given(section=st.sampled_from(["matrix", "rooms", "intake", "logging"]), value=_VALUES)
def test_no_explanation_repeats_a_value(section: str, value: Any) -> None:
    data = yaml.safe_load(BASE) | {
        section: {"user": value, "password": [SECRET], "level": SECRET, "port": SECRET}
    }
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(data)
    said = "\n".join(str(problem) for problem in explain(caught.value, Sources("config.yaml", {}, {})))
    assert SECRET not in said
