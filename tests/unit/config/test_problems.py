"""Wrong settings: each problem has its line, and a hint that helps."""

from pathlib import Path

import pytest

from bot.config import Problem
from tests.unit.config.conftest import SECRET, Problems, line_of


def test_unknown_key_has_line_and_hint(problems: Problems, tmp_path: Path) -> None:
    (problem,) = problems(("    language: en", "    langauge: en"))
    assert problem == Problem(
        str(tmp_path / "config.yaml"),
        line_of("    language: en"),
        "teams.basel.langauge",
        "unknown key",
        "Did you mean `language`?",
    )
    assert str(problem).endswith(":18: teams.basel.langauge: unknown key. Did you mean `language`?")


@pytest.mark.parametrize(
    ("line", "key", "hint"),
    [
        ("homeserver: x", "homeserver", "Did you mean `matrix.homeserver`?"),
        ("logging: {language: de}", "logging.language", "Did you mean `language`?"),
        ("logging: {xyzzy: de}", "logging.xyzzy", "Known here: level, format."),
    ],
)
def test_unknown_key_of_another_section(problems: Problems, line: str, key: str, hint: str) -> None:
    (problem,) = problems(("admins:", f"{line}\nadmins:"))
    assert (problem.line, problem.key, problem.hint) == (line_of("admins:"), key, hint)


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("https://matrix", "ftp://matrix", "matrix.homeserver", "web address"),
        ("https://matrix", "https://u:pw@matrix", "matrix.homeserver", "must not hold a user name"),
        ("https://matrix", "https://[matrix", "matrix.homeserver", "web address"),
        ('"@bot:example.org"', "bot", "matrix.user", "@anna:example.org"),
        ('"@anna:example.org"', '"anna"', "admins[0]", "@anna:example.org"),
        ('["@anna:example.org"]', '"@anna:example.org"', "admins", "must be a list"),
        ('"#triage:example.org"', "triage", "rooms.triage", "room id or alias"),
        ('"#triage:example.org"', '"#triage"', "rooms.triage", "room id or alias"),
        ('"#triage:example.org"', "#triage:example.org", "rooms.triage", "in quotes"),
        ('"!basel:example.org"', "!basel:example.org", "teams.basel.room", "in quotes"),
        ("Europe/Zurich", "Europe/Zurick", "teams.basel.timezone", "Did you mean `Europe/Zurich`?"),
        ("Europe/Zurich", "Europe", "teams.basel.timezone", "not a known time zone"),
        ("Europe/Zurich", "../../etc/passwd", "teams.basel.timezone", "Zones are named like"),
        ("language: en", "language: fr", "teams.basel.language", "'de' or 'en'"),
        ("digest: false", "digest: daily", "teams.basel.digest", "five fields"),
        ("digest: false", 'digest: "0 25 * * *"', "teams.basel.digest", "not a valid crontab"),
        ("digest: false", 'digest: "0 8 * * 1-5"', "teams.basel.digest", "Write `mon-fri`"),
        ("digest: false", "quiet: night", "teams.basel.quiet", "two different times"),
        ("digest: false", "quiet: 22:00-25:00", "teams.basel.quiet", "Write it like"),
        ("admins:", 'quiet: "07:00-07:00"\nadmins:', "quiet", "two different times"),
        ("digest: false", "thanks: perhaps", "teams.basel.thanks", "Write `true` or `false`"),
        ("waitlist: true", "waitlist: perhaps", "topics.request.waitlist", "Write `true` or `false`"),
        ("topic_id: 10", "topic_id: ten", "topics.request.topic_id", "whole number"),
        ("name: Freiburg", 'name: ""', "teams.freiburg.name", "one line of text"),
        ("  freiburg:\n    name", "  Freiburg:\n    name", "teams.Freiburg", "lower case"),
        ("  freiburg:\n    name", "  none:\n    name", "teams.none", "reserved word"),
        ("{de: Basel, en: Basle}", "{de: Basel}", "regions.basel.en", "is missing"),
        ("rooms:\n", "rooms: x\nnothing:\n", "rooms", "must be a section"),
        ("admins:", "purge_grace_days: -1\nadmins:", "purge_grace_days", "greater than or equal to 0"),
        ("admins:", 'prefix: "abcd"\nadmins:', "prefix", "1 to 3 signs"),
        ("admins:", 'prefix: "! "\nadmins:', "prefix", "1 to 3 signs"),
        ("admins:", "intake: {max_body: 8 bananas}\nadmins:", "intake.max_body", "8 MiB"),
        ("admins:", "intake: {port: 70000}\nadmins:", "intake.port", "65535"),
        ("admins:", "intake: {trusted_proxies: [host]}\nadmins:", "intake.trusted_proxies[0]", "network"),
        ("admins:", "database: mysql://h/d\nadmins:", "database", "SQLite or PostgreSQL"),
        ("admins:", "database: nonsense\nadmins:", "database", "address of a database"),
        ("admins:", 'database: "sqlite://"\nadmins:', "database", "must be a file"),
        ("admins:", "database: sqlite:///a?b\nadmins:", "database", "must be a file"),
        ("admins:", "database: postgresql://h\nadmins:", "database", "name a database"),
        (
            "admins:",
            f"database: postgresql://u:{SECRET}@h/d\nadmins:",
            "database",
            "must not hold a password",
        ),
        (
            "admins:",
            f"database: postgresql://h/d?password={SECRET}\nadmins:",
            "database",
            "must not hold a password",
        ),
    ],
)
def test_wrong_value(problems: Problems, old: str, new: str, key: str, said: str) -> None:
    found = {problem.key: problem for problem in problems((old, new))}
    assert said in str(found[key])
    assert found[key].line is not None


def test_missing_settings_point_to_their_section(problems: Problems) -> None:
    found = problems(('  user: "@bot:example.org"\n', ""), ("default_topic: other\n", ""))
    assert [(problem.line, problem.key) for problem in found] == [(None, "default_topic"), (1, "matrix.user")]
    assert "`default_topic`" not in found[0].hint
    assert found[1].message == "is missing"
    assert "Full Matrix id" in found[1].hint


def test_all_problems_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    found = problems(
        ("password_file:", "pasword_file:"),
        ("Europe/Zurich", "Mars/Base"),
        ("waitlist: true", "waitlist: true, waitlist: false"),
        ("default_topic: other", "default_topics: other"),
    )
    keys = {problem.key for problem in found}
    assert keys == {
        "matrix",
        "matrix.pasword_file",
        "teams.basel.timezone",
        "topics.request.waitlist",
        "default_topic",
        "default_topics",
    }
    lines = [problem.line or 0 for problem in found]
    assert lines == sorted(lines)


def test_unknown_key_does_not_hide_contradictions(problems: Problems) -> None:
    found = problems(("digest: {", "digests: {"), ("regions: [basel]", "regions: [basel, mars]"))
    assert [problem.key for problem in found] == ["teams.basel.regions[1]", "digests"]
