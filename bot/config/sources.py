"""Where settings come from, so that each problem names its place: the file or an environment variable."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from bot.config.document import Document, Tree, parse_value
from bot.config.problems import ConfigError, KeyPath, Problem, dotted
from bot.config.schema import is_container, known_keys, schema_at
from bot.config.sections import WAYS_IN

PREFIX: Final = "TICKETTRUHE_"
LEVEL: Final = "__"

# Of each group the environment's replace the file's: a token from outside ends the file's password.
_GROUPS: Final[tuple[frozenset[KeyPath], ...]] = (
    frozenset(("matrix", way) for way in WAYS_IN),
    frozenset({("database_password",), ("database_password_file",)}),
    frozenset({("matrix", "pickle_key"), ("matrix", "pickle_key_file")}),
    frozenset({("matrix", "recovery_key"), ("matrix", "recovery_key_file")}),
)


@dataclass(frozen=True, slots=True)
class Sources:
    """The line of each key of the file, and the variable of each setting that the environment gave."""

    file: str
    lines: Mapping[KeyPath, int]
    variables: Mapping[KeyPath, str]

    def problem(self, path: KeyPath, message: str, hint: str) -> Problem:
        """A problem at the place of the setting, or of the nearest section around it."""
        path = self._as_written(path)
        for end in range(len(path), -1, -1):
            if path[:end] in self.variables:
                return Problem(f"environment {self.variables[path[:end]]}", None, dotted(path), message, hint)
            if path[:end] in self.lines:
                return Problem(self.file, self.lines[path[:end]], dotted(path), message, hint)
        return Problem(self.file, None, dotted(path), message, hint)

    def _as_written(self, path: KeyPath) -> KeyPath:
        """A secret that came from a file was written as ``…_file``."""
        known = self.lines.keys() | self.variables.keys()
        file_path = (*path[:-1], f"{path[-1]}_file") if path else path
        return file_path if path not in known and file_path in known else path


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the file with those of the environment laid over them."""

    tree: dict[str, Tree]
    sources: Sources
    problems: tuple[Problem, ...]


def overlay(document: Document, file: str, environ: Mapping[str, str]) -> Settings:
    """Lay ``TICKETTRUHE_MATRIX__PASSWORD`` and its like over the file's settings.

    Lists and sections are given as JSON. Empty variables count as unset, as compose files pass those on.
    """
    variables = _variables(environ)
    tree = copy.deepcopy(document.tree)
    problems = list(document.problems)
    for group in _GROUPS:
        if group & variables.keys():
            for path in group:
                _remove(tree, path)
    for path, variable in variables.items():
        schema = schema_at(path)
        try:
            holds_more = schema is not None and is_container(schema)
            value = (
                parse_value(environ[variable], f"environment {variable}") if holds_more else environ[variable]
            )
        except ConfigError as error:
            problems += error.problems
        else:
            _put(tree, path, value)
    return Settings(tree, Sources(file, document.lines, variables), tuple(problems))


def _variables(environ: Mapping[str, str]) -> dict[KeyPath, str]:
    found: dict[KeyPath, str] = {}
    for name in sorted(environ):
        if name.startswith(PREFIX) and environ[name] and _is_meant(name.removeprefix(PREFIX)):
            found[tuple(name.removeprefix(PREFIX).lower().split(LEVEL))] = name
    return found


def _is_meant(name: str) -> bool:
    """Whether a variable is a setting, perhaps misspelt.

    Others may carry the prefix by chance: Kubernetes sets ``TICKETTRUHE_PORT`` for a service of that name.
    """
    keys = known_keys(())
    return (
        LEVEL in name or name.lower() in keys or bool(get_close_matches(name.lower(), keys, n=1, cutoff=0.8))
    )


def _put(tree: dict[str, Tree], path: KeyPath, value: Tree) -> None:
    for part in path[:-1]:
        below = tree.get(str(part))
        if not isinstance(below, dict):
            below = {}
            tree[str(part)] = below
        tree = below
    tree[str(path[-1])] = value


def _remove(tree: dict[str, Tree], path: KeyPath) -> None:
    for part in path[:-1]:
        below = tree.get(str(part))
        if not isinstance(below, dict):
            return
        tree = below
    tree.pop(str(path[-1]), None)


def without(tree: dict[str, Tree], paths: list[KeyPath]) -> dict[str, Tree]:
    """A copy of the settings without some of them."""
    pruned = copy.deepcopy(tree)
    for path in paths:
        _remove(pruned, path)
    return pruned
