"""The example that admins copy, and the schema that helps them edit it."""

import importlib
import json
import re
from pathlib import Path

import pytest
import yaml

from bot.config import json_schema, load
from tests.unit.config.conftest import ROOT, SECRET


@pytest.fixture
def example_file(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text((ROOT / "config.example.yaml").read_text())
    password = tmp_path / "matrix-password"
    password.write_text(SECRET)
    password.chmod(0o600)
    return file


def test_example_works_as_it_is(example_file: Path) -> None:
    loaded = load(example_file, {})
    assert loaded.team_of_region("emmendingen") == "freiburg"
    assert loaded.topics["donation_request"].topic_id == 10
    assert loaded.intake.max_body == 8 * 1024 * 1024


def test_example_shows_every_setting() -> None:
    text = (ROOT / "config.example.yaml").read_text()
    schema = json_schema()
    sections = [schema, *schema["$defs"].values()]
    keys = {key for section in sections for key in section.get("properties", {})}
    missing = {key for key in keys if not re.search(rf"\b{key}\b", text)}
    assert missing == set()


def test_switched_off_lines_of_the_example_work_too(example_file: Path) -> None:
    text = re.sub(
        r"^( *)# (public_url|privacy_url): (\S+) .*$", r"\1\2: \3", example_file.read_text(), flags=re.M
    )
    example_file.write_text(text)
    loaded = load(example_file, {})
    assert loaded.intake.public_url == "https://help.example.org"
    assert loaded.intake.form.privacy_url == "https://example.org/privacy"


def test_schema_file_is_up_to_date() -> None:
    written = json.loads((ROOT / "docs/config.schema.json").read_text())
    assert written == json_schema(), "run: python -m bot.config > docs/config.schema.json"


def test_example_fits_the_schema_it_names() -> None:
    text = (ROOT / "config.example.yaml").read_text()
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named is not None
    schema = json.loads((ROOT / named[1]).read_text())
    validator = importlib.import_module("jsonschema").Draft202012Validator(schema)
    assert list(validator.iter_errors(yaml.safe_load(text))) == []
    assert list(validator.iter_errors({"langage": "de"}))
