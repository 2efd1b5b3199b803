"""The texts around a mail's own words: files that an operator may replace, by team and language.

A template is text: the first line ``Subject: …``, an empty line, and Markdown with Jinja's marks. What others
wrote is put in so that it has no effect as markup.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.domain.mail import LetterKind
from bot.domain.request import clean_line
from bot.mail.errors import TemplateBroken
from bot.mail.markup import Markdown, escaped

PACKED: Final = Path(__file__).parent / "templates"
LANGUAGES: Final = ("de", "en")
_SUBJECT: Final = "subject:"
_LARGEST: Final = 64 * 1024
"""Bytes of a template."""


def _harmless(value: object) -> object:
    return value if isinstance(value, Markdown) else escaped("" if value is None else str(value))


_BODIES: Final = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, finalize=_harmless, keep_trailing_newline=True, autoescape=False
)
_SUBJECTS: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's subject and its body in Markdown."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class LetterTemplate:
    """One file, read and understood."""

    file: Path
    subject: Template
    body: Template

    def render(self, values: Mapping[str, Any]) -> Rendered:
        """Fill it in.

        :raises TemplateBroken: it asks for something that there is not.
        """
        try:
            return Rendered(clean_line(self.subject.render(values)), self.body.render(values))
        except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise TemplateBroken(self.file, None, f"{type(error).__name__}: {error}") from error


def read(file: Path) -> LetterTemplate:
    """Read one file.

    :raises TemplateBroken: it cannot be read or understood.
    """
    try:
        with file.open("rb") as opened:
            raw = opened.read(_LARGEST + 1)
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateBroken(file, None, f"cannot be read: {type(error).__name__}") from error
    if len(raw) > _LARGEST:
        raise TemplateBroken(file, None, f"is larger than {_LARGEST} bytes")
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    if not head.casefold().startswith(_SUBJECT) or "\n" in head:
        raise TemplateBroken(file, 1, "the first line must be `Subject: …`, and the second one empty")
    try:
        # Empty lines before the body, so that the lines of an error are those of the file.
        return LetterTemplate(
            file,
            _SUBJECTS.from_string(head[len(_SUBJECT) :].strip()),
            _BODIES.from_string("\n\n" + body),
        )
    except TemplateSyntaxError as error:
        raise TemplateBroken(file, error.lineno, error.message or "cannot be understood") from error


class Templates:
    """All templates, read once: a change counts from the next start on.

    :raises TemplateBroken: one cannot be used.
    """

    def __init__(self, folder: Path | None, teams: tuple[str, ...] = ()) -> None:
        self._found: dict[tuple[LetterKind, str | None, str], LetterTemplate] = {}
        for kind in LetterKind:
            for language in LANGUAGES:
                name = f"{kind.value}.{language}.txt"
                for team in (None, *teams):
                    self._found[kind, team, language] = read(_place(name, team, folder))

    def of(self, kind: LetterKind, team: str | None, language: str) -> LetterTemplate:
        """The template of a team in a language; of one that left the config the common one."""
        own = self._found.get((kind, team, language))
        return own or self._found[kind, None, language if language in LANGUAGES else LANGUAGES[0]]

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(self._found.items())


def _place(name: str, team: str | None, folder: Path | None) -> Path:
    """Where a template is: the team's own, the operator's for all, or the packed one."""
    wanted = [] if folder is None else [folder / name]
    if folder is not None and team is not None:
        wanted.insert(0, folder / team / name)
    return next((file for file in wanted if file.exists()), PACKED / name)
