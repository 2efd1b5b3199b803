"""Flags of the command line as answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bot.config.document import Tree
from bot.setup import defaults
from bot.setup.account import Secret
from bot.setup.answers import Answers, Options
from bot.setup.entrance import read_secret
from bot.setup.replies import Replies
from bot.setup.setting_up import Request
from bot.setup.texts import Texts, language_of

_SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "language": ("language",),
    "homeserver": ("matrix", "homeserver"),
    "account": ("matrix", "user"),
    "timezone": ("timezone",),
    "database": ("database",),
    "database_password_file": ("database_password_file",),
    "listen": ("intake", "listen"),
    "port": ("intake", "port"),
    "public_url": ("intake", "public_url"),
    "form": ("intake", "form", "enabled"),
}
"""Flag → setting of a single value."""


def texts(language: str | None, environ: Mapping[str, str]) -> Texts:
    """The language to speak.

    :raises Wrong: there is none of that name.
    """
    spoken = Texts(language_of(environ))
    return Texts(Replies(spoken).language(language)) if language else spoken


def request(given: Mapping[str, Any], environ: dict[str, str], say: Texts) -> Request:
    """What the flags ask for.

    :raises SetupStopped: a flag is wrong.
    """
    replies, answers = Replies(say), Answers()
    for flag, path in _SETTINGS.items():
        value = given[flag]
        if value is not None:
            answers.set(path, str(value).lower() if isinstance(value, bool) else str(value))
    if given["digest"] is not None:
        answers.set(("digest", "schedule"), replies.digest(given["digest"]))
    if given["admin"]:
        answers.set(("admins",), [*given["admin"]])
    if given["team"]:
        teams: dict[str, Tree] = {}
        for name in given["team"]:
            teams[defaults.key_of(name, {**teams, "admin": None, "triage": None})] = {"name": name}
        answers.set(("teams",), teams)
    answers.options = Options(
        create_rooms=given["rooms"], encrypted=given["encryption"], greet=given["greet"]
    )
    return Request(
        folder=given["folder"],
        environ=environ,
        answers_file=given["answers"],
        flags=answers,
        secret=_secret(given, say),
        yes=given["yes"],
    )


def _secret(given: Mapping[str, Any], say: Texts) -> Secret | None:
    for flag, is_token in (("token_file", True), ("password_file", False)):
        file: Path | None = given[flag]
        if file is not None:
            return Secret(read_secret(file, say), is_token)
    return None
