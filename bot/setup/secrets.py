"""Secrets that answers bring beside the login: each goes into a private file of its own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.config.document import Tree
from bot.config.problems import KeyPath
from bot.config.secrets import named_secrets
from bot.setup import files
from bot.setup.answers import WAYS_IN, Answers
from bot.setup.entrance import read_secret
from bot.setup.texts import Texts

_UNSAID: Final = frozenset({"matrix", "smtp", "mailboxes"})
"""Sections that a file's name needs not tell: the rest of the secret's name does."""


def put_away(given: Answers, source: Path | None, known: Answers, folder: Path, say: Texts) -> None:
    """Write the secrets of the given answers into files beside the config, and let the answers name these.

    What is known already counts, and its file is left as it is.

    :param source: the answers file: it must be private if it holds a secret, and paths are relative to it.
    :raises SetupStopped: a file cannot be read or written, or others can read it.
    """
    for secret in list(_beside_the_login(given.settings)):
        file_key = (*secret[:-1], f"{secret[-1]}_file")
        value, named = given.text(*secret), given.text(*file_key)
        given.forget(secret)
        if known.get(*secret) is not None or known.get(*file_key) is not None:
            given.forget(file_key)
            continue
        if value is not None and source is not None:
            # The file holds the secret itself, so that it has to be as private as one.
            read_secret(source, say)
        elif value is None and named is not None and not Path(named).is_absolute():
            value = read_secret((source.parent if source else Path()) / named, say)
        if value is not None:
            name = _file_of(secret)
            files.write(folder / name, value + "\n", files.PRIVATE, say)
            given.set(file_key, name)


def _beside_the_login(settings: dict[str, Tree]) -> Iterator[tuple[str, ...]]:
    for path in named_secrets(settings):
        if path[0] != "matrix" or path[-1] not in WAYS_IN:
            yield tuple(str(part) for part in path)


def _file_of(secret: KeyPath) -> str:
    """As ``database-password``, ``mail-password``, ``mail-office-password``."""
    name = "-".join(str(part) for part in secret if part not in _UNSAID)
    return re.sub(r"[^\w.]|_", "-", name)
