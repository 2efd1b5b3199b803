"""The fields of the contact form: their names and limits, and what is wrong with an entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from gettext import NullTranslations
from typing import Final

from bot.domain.errors import InputProblem, InvalidInput
from bot.domain.marks import N_
from bot.domain.request import (
    EMAIL_LIMIT,
    NAME_LIMIT,
    PHONE_LIMIT,
    SUBJECT_LIMIT,
    TEXT_LIMIT,
    clean_line,
    clean_text,
)
from bot.intake.form_texts import texts
from bot.intake.settings import Choice, IntakeSettings

HONEYPOT: Final = "website"
"""A field that people do not see; what fills it in is a program, or a browser that means well."""


class Control(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    AREA = "area"
    SELECT = "select"
    RADIOS = "radios"


@dataclass(frozen=True, slots=True)
class _Spec:
    name: str
    label: str
    control: Control = Control.LINE
    hint: str = ""
    limit: int = 0
    required: bool = True
    type: str = "text"
    autocomplete: str = ""


_SPECS: Final = (
    _Spec("topic", N_("What is it about?"), Control.RADIOS),
    _Spec(
        "region",
        N_("Which region is nearest to you?"),
        Control.SELECT,
        N_("So that your request reaches the team near you."),
        required=False,
    ),
    _Spec("name", N_("Your name"), limit=NAME_LIMIT, autocomplete="name"),
    _Spec(
        "email",
        N_("Your e-mail address"),
        hint=N_("We answer to this address."),
        limit=EMAIL_LIMIT,
        type="email",
        autocomplete="email",
    ),
    _Spec(
        "phone",
        N_("Your phone number"),
        limit=PHONE_LIMIT,
        required=False,
        type="tel",
        autocomplete="tel",
    ),
    _Spec("subject", N_("Subject"), hint=N_("In a few words."), limit=SUBJECT_LIMIT),
    _Spec("message", N_("Your message"), Control.AREA, limit=TEXT_LIMIT),
)
NAMES: Final = tuple(spec.name for spec in _SPECS)

_NO_REGION: Final = N_("I don't know, or none of these")

_PROBLEMS: Final[Mapping[tuple[str, InputProblem], str]] = {
    ("topic", InputProblem.MISSING): N_("Please choose what it is about."),
    ("name", InputProblem.MISSING): N_("Please enter your name."),
    ("email", InputProblem.MISSING): N_("Please enter your e-mail address."),
    ("email", InputProblem.NOT_AN_ADDRESS): N_(
        "Please check your e-mail address. It should look like name@example.org."
    ),
    ("subject", InputProblem.MISSING): N_("Please enter a subject."),
    ("message", InputProblem.MISSING): N_("Please write what it is about."),
}
_TOO_LONG: Final = N_("{label}: please shorten this to at most {limit} characters.")
_NO_CHOICE: Final = N_("{label}: please choose from the list.")
_OTHERWISE: Final = N_("{label}: please check this.")


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the page shows it, in the language of the page."""

    name: str
    control: Control
    label: str
    hint: str
    limit: int
    required: bool
    type: str
    autocomplete: str
    options: tuple[tuple[str, str], ...]
    """Value and name of each choice."""
    value: str
    error: str

    @property
    def focus(self) -> str:
        """Id of the element that a link to the field leads to."""
        return f"{self.name}-0" if self.control is Control.RADIOS else self.name

    @property
    def described_by(self) -> str:
        """Ids of the elements that describe it."""
        parts = [f"{self.name}-hint"] if self.hint else []
        return " ".join([*parts, f"{self.name}-error"] if self.error else parts)


def page_fields(
    settings: IntakeSettings,
    language: str,
    entered: Mapping[str, str],
    errors: tuple[InvalidInput, ...] = (),
) -> tuple[Field, ...]:
    """The form's fields with what was entered and what is wrong with it."""
    catalog = texts(language)
    problems = {error.field: error for error in errors}
    return tuple(
        _field(spec, catalog, _options(spec, settings, language), entered, problems.get(spec.name))
        for spec in _SPECS
    )


def _field(
    spec: _Spec,
    catalog: NullTranslations,
    options: tuple[tuple[str, str], ...],
    entered: Mapping[str, str],
    problem: InvalidInput | None,
) -> Field:
    label = catalog.gettext(spec.label)
    clean = clean_text if spec.control is Control.AREA else clean_line
    return Field(
        name=spec.name,
        control=spec.control,
        label=label,
        hint=catalog.gettext(spec.hint) if spec.hint else "",
        limit=spec.limit,
        required=spec.required,
        type=spec.type,
        autocomplete=spec.autocomplete,
        options=options,
        value=clean(entered.get(spec.name, "")),
        error=_told(problem, label, catalog) if problem else "",
    )


def _options(spec: _Spec, settings: IntakeSettings, language: str) -> tuple[tuple[str, str], ...]:
    choices: dict[str, tuple[Choice, ...]] = {"topic": settings.topics, "region": settings.regions}
    named = tuple((choice.key, choice.name(language)) for choice in choices.get(spec.name, ()))
    if spec.control is Control.SELECT:
        return (("", texts(language).gettext(_NO_REGION)), *named)
    return named


def _told(problem: InvalidInput, label: str, catalog: NullTranslations) -> str:
    otherwise = {InputProblem.TOO_LONG: _TOO_LONG, InputProblem.NOT_A_CHOICE: _NO_CHOICE}
    text = _PROBLEMS.get((problem.field, problem.problem)) or otherwise.get(problem.problem, _OTHERWISE)
    return catalog.gettext(text).format(label=label, limit=problem.limit)
