"""Mailboxes in the config: what they become, and what is told of mistakes."""

from pathlib import Path

import pytest

from bot import wiring
from bot.config import ConfigError
from bot.domain.mail import Security
from bot.services.mail_in import Rule
from tests.unit.config.conftest import SECRET, Loader

BOX = """\
    help:
      address: Help@Example.org
      aliases: [hilfe@example.org]
      host: imap.example.org
      user: help
      password_file: secret
      team: basel
      rules: [{to: basel@example.org, region: basel}, {subject: Spende, topic: request}]
"""


def with_box(text: str = BOX) -> tuple[str, str]:
    return "default_topic: other\n", f"default_topic: other\nmail:\n  mailboxes:\n{text}"


def test_what_the_bot_needs_of_it(config: Loader) -> None:
    [settings] = wiring.mailboxes(config(with_box()))
    assert (settings.host, settings.port, settings.security) == ("imap.example.org", 993, Security.TLS)
    assert settings.password == SECRET
    assert (settings.folder, settings.done_folder, settings.aside_folder) == ("INBOX", None, "Unreadable")
    box = settings.box
    assert (box.name, box.team) == ("help", "basel")
    assert box.own == {"help@example.org", "hilfe@example.org"}
    assert box.rules == (
        Rule(to="basel@example.org", region="basel"),
        Rule(subject="Spende", topic="request"),
    )


def test_the_password_may_come_from_the_environment(config: Loader) -> None:
    text = BOX.replace("      password_file: secret\n", "")
    variable = "TICKETTRUHE_MAIL__MAILBOXES__HELP__PASSWORD"
    [settings] = wiring.mailboxes(config(with_box(text), environ={variable: "from outside"}))
    assert settings.password == "from outside"


def test_a_password_that_others_can_read_is_told(config: Loader, secret: Path) -> None:
    secret.chmod(0o644)
    with pytest.raises(ConfigError) as told:
        config(with_box(), ("  password_file: secret\nadmins", "  password: other\nadmins"))
    assert [problem.key for problem in told.value.problems] == ["mail.mailboxes.help.password_file"]
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("team: basel", "team: nowhere", "mail.mailboxes.help.team"),
        ("team: basel", "topic: nothing", "mail.mailboxes.help.topic"),
        ("region: basel}", "region: atlantis}", "mail.mailboxes.help.rules[0].region"),
        ("{subject: Spende, topic: request}", "{topic: request}", "mail.mailboxes.help.rules[1]"),
        ("{subject: Spende, topic: request}", "{subject: Spende}", "mail.mailboxes.help.rules[1]"),
        ("user: help", "security: none\n      user: help", "mail.mailboxes.help.security"),
        ("user: help", "user: help\n      done_folder: inbox", "mail.mailboxes.help.folder"),
        ("      password_file: secret\n", "", "mail.mailboxes.help"),
        ("address: Help@Example.org", "address: nobody", "mail.mailboxes.help.address"),
    ],
)
def test_mistakes_are_told_where_they_are(config: Loader, old: str, new: str, key: str) -> None:
    with pytest.raises(ConfigError) as told:
        config(with_box(BOX.replace(old, new)))
    assert key in [problem.key for problem in told.value.problems]


def test_two_mailboxes_do_not_fetch_from_one_folder(config: Loader) -> None:
    with pytest.raises(ConfigError) as told:
        config(with_box(BOX + BOX.replace("help:", "again:")))
    assert "is the folder of the mailbox `help` already" in str(told.value)
