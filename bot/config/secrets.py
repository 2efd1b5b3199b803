"""Secrets from files of their own. No text here holds any part of a secret."""

import stat
from pathlib import Path
from typing import Final

from bot.config.document import Tree
from bot.config.problems import KeyPath, Problem
from bot.config.sources import Settings

ANY: Final = "*"
"""In a path: each section that is there, whatever its name."""

SECRETS: Final[tuple[KeyPath, ...]] = (
    ("matrix", "access_token"),
    ("matrix", "password"),
    ("matrix", "pickle_key"),
    ("matrix", "recovery_key"),
    ("database_password",),
    ("mail", "smtp", "password"),
    ("mail", "mailboxes", ANY, "password"),
)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_secret_files(settings: Settings, config_file: Path) -> list[Problem]:
    """Put what the ``…_file`` settings name into the settings themselves; report those that cannot be used.

    A config file that holds a secret itself must be as private as a secret's own file.
    """
    problems: list[Problem] = []
    for secret in named_secrets(settings.tree):
        section = _section(settings.tree, secret)
        if section is None:
            continue
        key, file_key = str(secret[-1]), f"{secret[-1]}_file"
        if section.get(key) is not None:
            problems += _exposed(settings, secret, config_file)
            continue
        named = section.get(file_key)
        if isinstance(named, str):
            file = config_file.parent / named
            fault = _fault(file) or _fill(section, key, file)
            if fault is None:
                del section[file_key]
            else:
                problems.append(settings.sources.problem((*secret[:-1], file_key), *fault))
    return problems


def named_secrets(tree: dict[str, Tree]) -> list[KeyPath]:
    """The secrets that there may be, by the names that the file gives its sections."""
    found: list[KeyPath] = []
    for secret in SECRETS:
        if ANY not in secret:
            found.append(secret)
            continue
        at = secret.index(ANY)
        sections = _section(tree, secret[: at + 1]) or {}
        found += [(*secret[:at], name, *secret[at + 1 :]) for name in sections]
    return found


def _section(tree: dict[str, Tree], path: KeyPath) -> dict[str, Tree] | None:
    here: Tree = tree
    for part in path[:-1]:
        here = here.get(str(part)) if isinstance(here, dict) else None
    return here if isinstance(here, dict) else None


def _exposed(settings: Settings, secret: KeyPath, config_file: Path) -> list[Problem]:
    if secret in settings.sources.variables or not config_file.stat().st_mode & _OTHERS:
        return []
    hint = f"Run `chmod 600 {config_file}`, or move the secret to a file and name it in `{secret[-1]}_file`."
    return [settings.sources.problem(secret, "stands in a file that others on this machine can read", hint)]


def _fault(file: Path) -> tuple[str, str] | None:
    """What stands against reading the file: message and hint."""
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):
        return f"there is no readable file `{file}`", "The path is relative to the config file."
    if not stat.S_ISREG(mode):
        return f"`{file}` is not a file", "Name a file that holds the secret and nothing else."
    if mode & _OTHERS:
        return f"others on this machine can read `{file}`", f"Run `chmod 600 {file}`."
    return None


def _fill(section: dict[str, Tree], key: str, file: Path) -> tuple[str, str] | None:
    try:
        content = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        return f"`{file}` is not UTF-8 text", "Save it as plain text."
    except OSError as error:
        return (
            f"`{file}` cannot be read ({error.strerror})",
            "Make it belong to the user that the bot runs as.",
        )
    if not content:
        return f"`{file}` is empty", "Write the secret into it."
    section[key] = content
    return None
