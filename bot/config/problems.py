"""What can be wrong with a config, as data. No text ever holds a value that may be secret."""

from collections.abc import Iterable
from dataclasses import dataclass

KeyPath = tuple[str | int, ...]
"""Way to a setting: ``("admins", 0)``."""


def dotted(path: KeyPath) -> str:
    """The path as people read it: ``admins[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where (a file, or an environment variable), what is wrong, and what to do."""

    file: str
    line: int | None
    """Counted from 1."""
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        said = ": ".join(part for part in (place, self.key, self.message) if part)
        return f"{said}. {self.hint}" if self.hint else f"{said}."


class ConfigError(Exception):
    """The config cannot be used; ``problems`` holds everything that was found, by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: (one.file, one.line or 0)))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem whose line is not known yet; ``path`` is relative to the section that found it."""

    path: KeyPath
    message: str
    hint: str


class Contradictions(ValueError):
    """Settings that do not fit together. A ``ValueError``, because pydantic passes those on."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{dotted(one.path)}: {one.message}" for one in self.findings))
