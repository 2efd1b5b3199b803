"""Loads the config: file, environment over it, secret files, checks; reports all that is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from bot.config.document import parse
from bot.config.explain import explain, unknown_keys
from bot.config.model import Config
from bot.config.problems import ConfigError, Problem
from bot.config.secrets import read_secret_files
from bot.config.sources import Settings, overlay, without


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """The config of a YAML file and the environment.

    :param environ: variables like ``TICKETTRUHE_MATRIX__PASSWORD``, which win over the file.
    :raises ConfigError: with everything that was found, not only the first.
    """
    settings = overlay(parse(_read(path), str(path)), str(path), environ)
    problems = [*settings.problems, *read_secret_files(settings, path)]
    return validated(settings, path.parent.absolute(), problems)


def validated(settings: Settings, folder: Path, problems: Sequence[Problem] = ()) -> Config:
    """The config of settings that were read.

    :param folder: what a relative SQLite path is relative to.
    :param problems: what was found already.
    :raises ConfigError: with everything that was found.
    """
    try:
        config = Config.model_validate(settings.tree, context={"folder": folder})
    except ValidationError as error:
        found = [*explain(error, settings.sources), *_behind_unknown_keys(error, settings)]
        raise ConfigError(_each_once([*problems], found)) from None
    if problems:
        raise ConfigError(problems)
    return config


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "", "is not UTF-8 text", "Save it as UTF-8.")]) from None
    except OSError as error:
        hint = "Copy config.example.yaml to begin with."
        raise ConfigError(
            [Problem(str(path), None, "", f"cannot be read ({error.strerror})", hint)]
        ) from None


def _behind_unknown_keys(error: ValidationError, settings: Settings) -> list[Problem]:
    """What more is wrong once unknown keys are gone: only then are settings compared with each other."""
    unknown = unknown_keys(error)
    if unknown:
        try:
            Config.model_validate(without(settings.tree, unknown))
        except ValidationError as behind:
            return explain(behind, settings.sources)
    return []


def _each_once(first: list[Problem], then: list[Problem]) -> list[Problem]:
    """Without those that only follow from an earlier one at the same key."""
    keys = {problem.key for problem in first}
    return [*first, *dict.fromkeys(problem for problem in then if problem.key not in keys)]
