"""From answers to a config that is whole: short forms written out, what is missing filled in, all checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot.config import Config
from bot.config.document import Tree, parse
from bot.config.loading import validated
from bot.config.problems import KeyPath
from bot.config.schema import schema_at
from bot.config.secrets import read_secret_files
from bot.config.sources import Settings, Sources, overlay
from bot.setup import defaults
from bot.setup.answers import Answers
from bot.setup.yaml_text import Value, put, switch_off

TOKEN_FILE: Final = "matrix-token"  # noqa: S105 - a name
DIGEST: Final = "0 8 * * *"
_HEAD: Final = "# yaml-language-server:"
_COPY_ME: Final = (
    "Copy this file to config.yaml and change the names.\n"
    "# `tickettruhe init` does that for you, and asks what it needs to know."
)
_WRITTEN: Final = "Written by `tickettruhe init`; change what you like."


def full_id(text: str, server: str) -> str:
    """A person's whole Matrix id: of this server, if none is named."""
    name = text.strip().removeprefix("@")
    return f"@{name}" if ":" in name else f"@{name}:{server}"


def full_address(text: str, server: str) -> str:
    """A room's whole address."""
    text = text.strip()
    if text.startswith("!") or ":" in text:
        return text
    return f"#{text.removeprefix('#')}:{server}"


def write_out_members(answers: Answers, server: str) -> None:
    """Members' short names become whole ids."""
    members = answers.options.members or {}
    whole = {key: tuple(full_id(each, server) for each in people) for key, people in members.items()}
    answers.choose(members=whole)


def write_out(answers: Answers, server: str) -> None:
    """Short forms become whole ones; what follows from the rest is added."""
    if answers.get("admins") is not None:
        answers.set(("admins",), [full_id(each, server) for each in answers.items("admins")])
    _write_out_rooms(answers, server)
    if answers.get("regions") is None:
        answers.set(("regions",), _regions_of_teams(answers))
    if answers.get("topics") is None:
        answers.set(("topics",), dict(defaults.example_section("topics")))
    topics = list(answers.section("topics"))
    if answers.get("default_topic") is None and topics:
        answers.set(("default_topic",), "other" if "other" in topics else topics[-1])


def _write_out_rooms(answers: Answers, server: str) -> None:
    for key in ("admin", "triage"):
        address = answers.text("rooms", key) or defaults.alias(key, server)
        answers.set(("rooms", key), full_address(address, server))
    for key, team in answers.section("teams").items():
        if not isinstance(team, dict):
            # Only a name: `freiburg: Freiburg`, or none at all.
            answers.set(("teams", key), {"name": team if isinstance(team, str) else key.title()})
        address = answers.text("teams", key, "room") or defaults.alias(key, server)
        answers.set(("teams", key, "room"), full_address(address, server))
        if answers.get("teams", key, "regions") is None and answers.get("regions") is None:
            answers.set(("teams", key, "regions"), [key])


def _regions_of_teams(answers: Answers) -> dict[str, Tree]:
    regions: dict[str, Tree] = {}
    for key in answers.section("teams"):
        name = answers.text("teams", key, "name") or key
        for region in answers.items("teams", key, "regions"):
            regions[region] = name if region == key else region.replace("-", " ").title()
    return regions


def check(text: str, folder: Path, file: str, lines: Mapping[KeyPath, int]) -> Config:
    """The config that a text makes, which was made from answers.

    :param file: where the answers come from, with the lines of its keys.
    :raises ConfigError: with all that is wrong.
    """
    return validated(Settings(parse(text, file).tree, Sources(file, lines, {}), ()), folder)


def as_read(text: str, path: Path, environ: Mapping[str, str]) -> Config:
    """The config of a text as the bot will read it there: with environment and secrets.

    :raises ConfigError: with all that is wrong.
    """
    read = overlay(parse(text, str(path)), str(path), environ)
    return validated(read, path.parent.absolute(), [*read.problems, *read_secret_files(read, path)])


def config_text(before: str | None, answers: Answers) -> str:
    """The config file's text: what stands there stays, comments too; ``None``: as the example has it."""
    text = before if before is not None else _headed(defaults.example())
    if before is None:
        text = switch_off(text, ("matrix", "password_file"))
    return _filled(text, answers.settings, parse(text, "").tree, ())


def _headed(example: str) -> str:
    """The example under another head: it names a schema that lies in the source only."""
    first, _, rest = example.partition("\n")
    return (rest.lstrip("\n") if first.startswith(_HEAD) else example).replace(_COPY_ME, _WRITTEN)


def _filled(text: str, settings: Mapping[str, Tree], known: Tree, path: KeyPath) -> str:
    for key, value in settings.items():
        here = (*path, key)
        there = known.get(key) if isinstance(known, dict) else None
        if value == there:
            continue
        if isinstance(value, dict) and value and _is_section(here):
            text = _filled(text, value, there, here)
        else:
            text = put(text, here, typed(here, value))
    return text


def _is_section(path: KeyPath) -> bool:
    """Whether the keys below are the config's own, and not names that an admin chose."""
    schema = schema_at(path)
    return schema is not None and "$ref" in schema and not schema["$ref"].endswith("/LocalNames")


def typed(path: KeyPath, value: Tree) -> Value:
    """The value as YAML has it: a file's reader gives text for all, and quotes would keep it that."""
    if isinstance(value, dict):
        return {key: typed((*path, key), each) for key, each in value.items()}
    if isinstance(value, list):
        return [typed((*path, index), each) for index, each in enumerate(value)]
    if value in ("true", "false") and not _only_text(path):
        return value == "true"
    if value is not None and value.isdecimal() and value == str(int(value)) and not _only_text(path):
        return int(value)
    return value


def _only_text(path: KeyPath) -> bool:
    schema = schema_at(path)
    forms = schema.get("anyOf", [schema]) if schema else []
    return all(form.get("type") in ("string", "null") for form in forms)
