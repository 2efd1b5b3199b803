"""YAML itself: slips in the file, duplicates, and what is no config at all."""

from pathlib import Path

import pytest

from bot.config import ConfigError, load
from tests.unit.config.conftest import SECRET, Problems, line_of


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("admins:\t", "tab"),
        ("admins: @", "in quotes"),
        ("admins: *x", "anchors and aliases"),
        ("admins: &x", "anchors and aliases"),
        ("admins: * *", "in quotes"),
        ("admins: a: b", "colon"),
        ("admins: '", "never closed"),
        ("admins\nb: ", "without a colon"),
        ("admins: \x07", "control character"),
        ("---\nb: ", "second part"),
        ("? [a]\n: b\nadmins:", "a key is a list"),
    ],
)
def test_broken_yaml(problems: Problems, new: str, said: str) -> None:
    found = problems(("admins:", new))
    assert said in str(found[0])
    assert found[0].line is not None


def test_secret_is_not_shown_when_yaml_is_broken(problems: Problems) -> None:
    for sign in ("*", "&", "!", "!a!", "@", "%", '"\\q', "{", "[", "x: ", "- "):
        problems(("password_file: secret", f"password: {sign}{SECRET}"))


def test_duplicate_key_names_both_lines(problems: Problems) -> None:
    (problem,) = problems(("default_topic: other", "default_topic: other\nadmins: []"))
    assert problem.key == "admins"
    assert problem.line == line_of("default_topic") + 1
    assert f"first in line {line_of('admins:')}" in problem.message


@pytest.mark.parametrize("content", [b"", b"- a", b"text", b"\xff\xfe", b"[" * 5000])
def test_file_that_is_no_config(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    assert caught.value.problems


def test_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read .*config\.example\.yaml"):
        load(tmp_path / "nowhere.yaml", {})
