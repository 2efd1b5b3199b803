"""What an admin sees of mails at the command line: those that could not be read, and how ours look."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import __main__ as program
from bot.config import load
from bot.services import mail_in
from bot.services.unit import Unit, Units
from bot.wiring import policy
from storage import schema
from storage.database import Database

CONFIG = """\
matrix: {homeserver: "https://matrix.example.org", user: "@bot:example.org", access_token: secret-token}
database: "sqlite:///kept.db"
admins: ["@anna:example.org"]
rooms: {admin: "#board:example.org", triage: "#triage:example.org"}
teams: {freiburg: {name: Freiburg, room: "#freiburg:example.org", regions: [freiburg]}}
regions: {freiburg: Freiburg}
topics: {request: {name: Anfrage}}
default_topic: request
digest: {schedule: "0 8 * * *"}
"""
SECRET = b"To: hilfe\r\nKim Doe, kim@example.org \x1b]0;owned\x07 \xff\xfe"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.touch(mode=0o600)
    path.write_text(CONFIG)
    return path


def keep(config: Path) -> None:
    """An unreadable mail, and one that was too large to be fetched."""

    def work(unit: Unit) -> None:
        mail_in.keep_aside(unit, "[red]hilfe", "unreadable", len(SECRET), SECRET, SECRET)
        mail_in.keep_aside(unit, "[red]hilfe", mail_in.TOO_LARGE, 30_000_000, None, b"hilfe 1 7")

    async def inside() -> None:
        settings = load(config, {})
        database = Database(settings.database_url())
        await schema.ensure(database)
        await Units(database, policy(settings)).run(work)
        await database.close()

    asyncio.run(inside())


def mails(config: Path, *words: str) -> Result:
    return CliRunner().invoke(program.cli, ["mails", *words, "--config", str(config)])


def test_kept_mails_are_listed_given_out_as_they_came_and_forgotten(config: Path) -> None:
    assert mails(config).output == "No mail is kept aside.\n"
    keep(config)
    listed = mails(config)
    assert listed.exit_code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in listed.output.splitlines()[3:-1]]
    assert [(row[0], row[1], row[2], row[3], row[5]) for row in rows] == [
        ("1", "[red]hilfe", "unreadable", str(len(SECRET)), "here"),
        ("2", "[red]hilfe", "too_large", "30000000", "mailbox"),
    ]
    assert not [word for word in ("Kim", "kim@", "owned", "\x1b") if word in listed.output]

    one = mails(config, "1")
    assert (one.exit_code, one.stdout_bytes) == (0, SECRET)
    for number in ("2", "3"):
        none = mails(config, number)
        assert (none.exit_code, none.stdout) == (1, "")
        assert "There is no such mail here; one that was too large lies in its mailbox." in none.stderr

    dropped = mails(config, "1", "--drop")
    assert (dropped.exit_code, dropped.output) == (0, "")
    assert mails(config, "1").exit_code == 1
    assert mails(config, "1", "--drop").exit_code == 1
    assert "unreadable" not in mails(config).output
    assert SECRET not in config.with_name("kept.db").read_bytes()
    assert mails(config, "--drop").exit_code == 2


def test_a_mail_is_not_written_to_a_terminal(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(config)
    monkeypatch.setattr(program, "_to_terminal", lambda: True)
    told = mails(config, "1")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "tickettruhe mails 1 > mail.eml" in told.stderr


@pytest.mark.parametrize("public_url", ["", "intake: {public_url: 'https://help.example.org'}\n"])
def test_a_preview_names_the_page_only_if_mails_do(config: Path, public_url: str) -> None:
    with config.open("a") as file:
        file.write('mail: {smtp: {host: mail.example.org}, sender: "Help <help@example.org>"}\n' + public_url)
    shown = CliRunner().invoke(program.cli, ["preview", "ack", "--language", "en", "--config", str(config)])
    assert (shown.exit_code, shown.stdout.splitlines()[0]) == (0, "From: Help <help@example.org>")
    assert ("https://help.example.org/request/" in shown.stdout) is bool(public_url)
    assert ("`intake.public_url`" in shown.stderr) is not bool(public_url)
