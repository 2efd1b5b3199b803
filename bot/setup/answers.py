"""What is known before anything is done: settings in the config's form, and what only the set-up needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bot.config.document import Document, Tree, parse
from bot.config.explain import explain
from bot.config.problems import ConfigError, KeyPath, Problem
from bot.config.sources import Sources
from bot.config.values import Section
from bot.setup import files
from bot.setup.texts import Texts
from bot.setup.yaml_text import Value, document

OPTIONS: Final = "init"
"""Section of an answers file that is not for the config."""
DRAFT: Final = ".init-draft.yaml"
_WHOLE: Final = frozenset({("admins",), ("teams",), ("regions",), ("topics",), ("intake", "trusted_proxies")})
"""What is one answer: taken from one source, never put together from two."""
WAYS_IN: Final = ("password", "access_token")
"""How the bot may log in; :mod:`bot.setup.entrance` sees to these."""
_SECRETS: Final = (*WAYS_IN, *(f"{each}_file" for each in WAYS_IN))
_DRAFT_HEAD: Final = (
    "# Answers so far. `tickettruhe init` goes on from here, and removes this when all is done.\n"
)

Settings = dict[str, Tree]


class Options(Section):
    """What the set-up does beside the config."""

    create_rooms: bool | None = None
    """Whether rooms that lack are made."""
    encrypted: bool | None = None
    """Whether new rooms are encrypted."""
    greet: bool | None = None
    """Whether the bot is started once, to greet its rooms."""
    members: Mapping[str, tuple[str, ...]] | None = None
    """Team's key, or `triage` → people to invite into its room."""
    device: str | None = None
    """The device that the set-up logs in as."""


@dataclass
class Answers:
    """Settings and options; both grow while questions are answered."""

    settings: Settings = field(default_factory=dict)
    options: Options = field(default_factory=Options)

    def get(self, *path: str) -> Tree:
        """A setting, if it is known."""
        here: Tree = self.settings
        for part in path:
            here = here.get(part) if isinstance(here, dict) else None
        return here

    def text(self, *path: str) -> str | None:
        """A setting of one text, if it is known."""
        value = self.get(*path)
        return value if isinstance(value, str) else None

    def section(self, *path: str) -> Settings:
        """A setting that is a section, empty if it is not known."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def items(self, *path: str) -> list[str]:
        """A setting that is a list."""
        value = self.get(*path)
        return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []

    def set(self, path: Sequence[str], value: Tree) -> None:
        """Set a setting."""
        here = self.settings
        for part in path[:-1]:
            below = here.get(part)
            if not isinstance(below, dict):
                below = here[part] = {}
            here = below
        here[path[-1]] = value

    def forget(self, path: Sequence[str]) -> None:
        """Take a setting away, of each team if ``*`` stands for its key."""
        if "*" in path:
            place = list(path).index("*")
            for key in list(self.section(*path[:place])):
                self.forget([*path[:place], key, *path[place + 1 :]])
            return
        self.section(*path[:-1]).pop(path[-1], None)

    def choose(self, **values: object) -> None:
        """Set options."""
        self.options = self.options.model_copy(update=values)

    def below(self, other: "Answers") -> None:
        """Take from the other what is not known here."""
        _merge(self.settings, other.settings, ())
        theirs = other.options.model_dump(exclude_none=True)
        self.options = Options(**{**theirs, **self.options.model_dump(exclude_none=True)})


def _merge(mine: Settings, theirs: Mapping[str, Tree], path: KeyPath) -> None:
    for key, value in theirs.items():
        here = (*path, key)
        known = mine.get(key)
        if known is None:
            if value is not None:
                mine[key] = value
        elif isinstance(known, dict) and isinstance(value, dict) and here not in _WHOLE:
            _merge(known, value, here)


def read(path: Path) -> tuple[Answers, Document]:
    """An answers file.

    :raises ConfigError: it cannot be read, or the options are wrong; its settings are checked later.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError([Problem(str(path), None, "", f"cannot be read ({reason})", "")]) from None
    told = parse(text, str(path))
    if told.problems:
        raise ConfigError(told.problems)
    settings = dict(told.tree)
    chosen = settings.pop(OPTIONS, None)
    return Answers(settings, _options(chosen, told, str(path))), told


def _options(chosen: Tree, told: Document, file: str) -> Options:
    try:
        return Options.model_validate(chosen or {})
    except ValidationError as error:
        lines = {path[1:]: line for path, line in told.lines.items() if path[:1] == (OPTIONS,)}
        raise ConfigError(explain(error, Sources(file, lines, {}))) from None


def secretless(settings: Settings) -> Settings:
    """The settings without any way to log in."""
    matrix = settings.get("matrix")
    if not isinstance(matrix, dict):
        return settings
    return {**settings, "matrix": {key: value for key, value in matrix.items() if key not in _SECRETS}}


def save_draft(folder: Path, answers: Answers, say: Texts) -> None:
    """Keep the answers so far; no secret is among them."""
    options: dict[str, Value] = answers.options.model_dump(exclude_none=True)
    kept: dict[str, Value] = {**secretless(answers.settings)}
    text = document({**kept, **({OPTIONS: options} if options else {})})
    files.write(folder / DRAFT, _DRAFT_HEAD + text, files.PRIVATE, say)
