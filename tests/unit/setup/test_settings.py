"""From answers to the config's text."""

import re
from pathlib import Path

import pytest

from bot.config import ConfigError, load
from bot.setup import defaults, settings
from bot.setup.answers import DRAFT, Answers, Options, read, save_draft
from bot.setup.texts import Texts

SERVER = "example.org"


def answers() -> Answers:
    """As little as there can be, in short forms."""
    return Answers(
        {
            "language": "en",
            "timezone": "Europe/Zurich",
            "matrix": {
                "homeserver": "https://matrix.example.org", "user": "@bot:example.org",
                "access_token_file": "matrix-token", "device_id": "ABC",
            },
            "admins": ["anna", "@eve:other.org"],
            "teams": {"no": {"name": "#1: No", "regions": ["no", "so"]}, "basel": "Basel"},
            "intake": {"port": "8090", "form": {"enabled": "false"}, "public_url": "https://help.example.org"},
            "digest": {"schedule": "false"},
        },
        Options(members={"basel": ("ben",)}),
    )  # fmt: skip


def test_a_config_from_a_few_answers(tmp_path: Path) -> None:
    told = answers()
    settings.write_out(told, SERVER)
    settings.write_out_members(told, SERVER)
    text = settings.config_text(None, told)
    token = tmp_path / "matrix-token"
    token.write_text("secret")
    token.chmod(0o600)
    file = tmp_path / "config.yaml"
    file.write_text(text)
    config = load(file, {})
    planned = settings.check(text, tmp_path, "answers", {})
    assert config == planned.model_copy(update={"matrix": config.matrix})
    assert (config.quiet, config.digest.thanks) == ("22:00-07:00", True)
    assert config.admins == ("@anna:example.org", "@eve:other.org")
    assert config.teams["no"].room == "#tickets-no:example.org"
    assert config.teams["basel"].regions == ("basel",)
    assert (config.team_of_region("so"), config.regions["no"].en) == ("no", "#1: No")
    assert (config.intake.port, config.intake.form.enabled, config.digest.schedule) == (8090, False, None)
    assert config.default_topic == "other"
    assert told.options.members == {"basel": ("@ben:example.org",)}


def test_the_examples_comments_are_kept() -> None:
    told = answers()
    settings.write_out(told, SERVER)
    text = settings.config_text(None, told)
    assert "$schema" not in text
    assert text.startswith(
        "# Settings of Tickettruhe. Written by `tickettruhe init`; change what you like.\n# `ti"
    )
    # Comments on lines of their own, but for the head, and for settings that were switched on.
    own = [line for line in defaults.example().splitlines()[5:] if line.lstrip().startswith("#")]
    gone = [line.strip() for line in own if line not in text.splitlines()]
    assert all(re.match(r"# (access_token_file|device_id|public_url):", line) for line in gone), gone


def test_what_stands_in_a_config_stays() -> None:
    """Only what lacks is added; a whole config does not change by a letter."""
    before = "matrix: {homeserver: 'https://x.example.org'}\n# Mine\nlanguage: de\n"
    told = Answers({"matrix": {"homeserver": "https://x.example.org"}, "language": "de"})
    assert settings.config_text(before, told) == before
    told.below(answers())
    text = settings.config_text(before, told)
    assert "# Mine\nlanguage: de\n" in text
    assert text.startswith("matrix:\n  homeserver: https://x.example.org\n  user: ")
    assert settings.config_text(text, told) == text


def test_numbers_look_like_numbers_and_names_like_names() -> None:
    told = Answers(
        {"intake": {"port": "8090"}, "teams": {"a": {"name": "12", "thanks": "false", "room": "true"}}}
    )
    text = settings.config_text("", told)
    assert text == (
        'intake:\n  port: 8090\nteams:\n  a:\n    name: "12"\n    thanks: false\n    room: "true"\n'
    )


def test_a_wrong_answer_is_named_with_its_line(tmp_path: Path) -> None:
    told = answers()
    told.set(("timezone",), "Europe/Nowhere")
    settings.write_out(told, SERVER)
    with pytest.raises(ConfigError, match=r"answers.yaml:3: timezone: is not a known time zone"):
        settings.check(settings.config_text(None, told), tmp_path, "answers.yaml", {("timezone",): 3})


def test_the_draft_brings_back_all_answers_and_no_secret(tmp_path: Path) -> None:
    told = answers()
    told.choose(encrypted=False, device="DEVICE")
    told.set(("matrix", "password"), "hunter2")
    save_draft(tmp_path, told, Texts("en"))
    file = tmp_path / DRAFT
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert "hunter2" not in file.read_text()
    kept, _document = read(file)
    assert kept.options == told.options
    assert kept.get("teams") == told.get("teams")
    assert kept.get("intake", "form", "enabled") == "false"


def test_an_answers_file_with_an_unknown_option(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("language: de\ninit:\n  encryptd: false\n")
    with pytest.raises(ConfigError, match=r"answers\.yaml:3: encryptd: unknown key"):
        read(file)


@pytest.mark.parametrize(
    ("name", "key"),
    [("Freiburg", "freiburg"), ("Südbaden & Elsaß", "suedbaden-elsass"), ("Île-de-France", "ile-de-france"),
     ("***", "team"), ("None", "none-1"), ("x" * 40, "x" * 29)],
)  # fmt: skip
def test_keys_of_names(name: str, key: str) -> None:
    assert defaults.key_of(name, {}) == key
    assert defaults.key_of(name, {key: None}) == f"{key}-2"


def test_earlier_answers_win_and_lists_are_never_mixed() -> None:
    first = Answers({"admins": ["a"], "intake": {"port": "1"}}, Options(encrypted=False))
    first.below(Answers({"admins": ["b"], "intake": {"port": "2", "listen": "::"}, "language": "de"},
                        Options(encrypted=True, greet=False)))  # fmt: skip
    assert first.settings == {"admins": ["a"], "intake": {"port": "1", "listen": "::"}, "language": "de"}
    assert (first.options.encrypted, first.options.greet) == (False, False)
