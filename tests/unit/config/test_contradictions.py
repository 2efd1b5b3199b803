"""Settings that do not fit together."""

import pytest

from tests.unit.config.conftest import BASE, Loader, Problems


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ("regions: [basel]", "regions: [bern]", "teams.basel.regions[0]", "not one of the regions"),
        (
            "regions: [basel]",
            "regions: [basel, freiburg]",
            "teams.basel.regions[1]",
            "by the team `freiburg`",
        ),
        ('"!basel:example.org"', '"#freiburg:example.org"', "teams.basel.room", "`teams.freiburg.room`"),
        ('"!basel:example.org"', '"#triage:example.org"', "teams.basel.room", "`rooms.triage`"),
        ('"#triage:example.org"', '"#board:example.org"', "rooms.triage", "`rooms.admin`"),
        ("name: Team Basel", "name: freiburg", "teams.basel.name", "team `freiburg`"),
        ("name: Team Basel", "name: None", "teams.basel.name", "reserved"),
        ("default_topic: other", "default_topic: request2", "default_topic", "`request`, `other`"),
        ("{name: Sonstiges}", "{name: S, topic_id: 10}", "topics.other.topic_id", "topic `request`"),
        ("  password_file: secret\n", "", "matrix", "no way to log in"),
        (
            "password_file: secret",
            "password_file: secret\n  access_token_file: secret",
            "matrix.password_file",
            "several",
        ),
        (
            "password_file: secret",
            "password_file: secret\n  device_id: ABC",
            "matrix.device_id",
            "access token",
        ),
        (
            "admins:",
            "database_password_file: secret\nadmins:",
            "database_password_file",
            "SQLite has no password",
        ),
        ("admins:", "mail: {smtp: {host: a.b}}\nadmins:", "mail.smtp", "no `mail.sender`"),
        (
            "admins:",
            'mail: {sender: "a@b.c", smtp: {host: a.b, user: u}}\nadmins:',
            "mail.smtp.user",
            "belong together",
        ),
        (
            "admins:",
            "mail: {sender: a@b.c, smtp: {host: a.b, user: u, password: p, security: none}}\nadmins:",
            "mail.smtp.security",
            "in clear",
        ),
        (
            "admins:",
            "mail: {answers: {hi: {text: x, topics: [nothing]}}}\nadmins:",
            "mail.answers.hi.topics[0]",
            "not one of the topics",
        ),
        ("admins:", "metrics: {port: 8080}\nadmins:", "metrics.port", "the intake's port"),
        (
            "admins:",
            "intake: {max_body: 5 MiB, max_attachment: 4 MiB}\nadmins:",
            "intake.max_attachment",
            "above 5592405 bytes",
        ),
    ],
)
def test_contradiction(problems: Problems, old: str, new: str, key: str, said: str) -> None:
    (problem,) = problems((old, new))
    assert problem.key == key
    assert said in str(problem)
    assert problem.line is not None


def test_a_team_is_needed(problems: Problems) -> None:
    teams = BASE[BASE.index("teams:") : BASE.index("regions:\n")]
    (problem,) = problems((teams, "teams: {}\n"))
    assert (problem.key, problem.message) == ("teams", "is empty")


def test_sizes_just_fit(config: Loader) -> None:
    intake = "intake: {max_body: 4097, max_attachment: 3 KiB}\nadmins:"
    assert config(("admins:", intake)).intake.max_attachment == 3072
