"""How a request's state is said to who asked: plain words, short sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time

from bot.catalogs import locale
from bot.domain.errors import InputProblem, InvalidInput
from bot.domain.marks import N_
from bot.intake.form_texts import texts
from bot.services.status_page import Phase


@dataclass(frozen=True, slots=True)
class Told:
    """A state in words: one or two, and what that means for the reader."""

    sign: str
    name: str
    meaning: str


_PHASES: Final[Mapping[Phase, Told]] = {
    Phase.OPEN: Told(
        "🟢", N_("It has arrived"), N_("We have your request. We will get back to you as soon as we can.")
    ),
    Phase.IN_PROGRESS: Told(
        "🔵", N_("In progress"), N_("Somebody in our team is taking care of your request.")
    ),
    Phase.WAITING: Told(
        "⏳",
        N_("On the waiting list"),
        N_("We cannot help you at once, but we keep your place. You need not do anything: we write to you."),
    ),
    Phase.CLOSED: Told(
        "✅", N_("Finished"), N_("Your request is finished. Is there anything else? Write below.")
    ),
    Phase.WITHDRAWN: Told(
        "📪", N_("Withdrawn"), N_("You have withdrawn your request. Do you need us after all? Write below.")
    ),
}  # fmt: skip

_PROBLEMS: Final[Mapping[tuple[str, InputProblem], str]] = {
    ("message", InputProblem.MISSING): N_("Please write a message."),
    ("message", InputProblem.TOO_LONG): N_("Please shorten your message to at most {limit} characters."),
    ("attachments", InputProblem.TOO_MANY): N_("Please choose at most {limit} files."),
    ("attachments", InputProblem.TOO_LARGE): N_("One of the files is too large: {size} is the most."),
}
_OTHERWISE: Final = N_("Please check this.")


def phase_told(phase: Phase, language: str) -> Told:
    """A state in words of a language."""
    told, gettext = _PHASES[phase], texts(language).gettext
    return Told(told.sign, gettext(told.name), gettext(told.meaning))


def problem_told(problem: InvalidInput, language: str) -> str:
    """What is wrong with an entry."""
    text = texts(language).gettext(_PROBLEMS.get((problem.field, problem.problem), _OTHERWISE))
    return text.format(limit=problem.limit, size=size_told(problem.limit or 0))


def size_told(size: int) -> str:
    """Bytes as people see them on their phones; rounded down, since it is a limit."""
    mega = 1024 * 1024
    return f"{size // mega} MB" if size >= mega else f"{size // 1024} KB"


def day_told(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """The day of an aware moment in a zone."""
    return format_date(moment.astimezone(zone).date(), "long", locale=locale(language))


def moment_told(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """Day and time of an aware moment in a zone."""
    time = format_time(moment.astimezone(zone), "short", locale=locale(language))
    return texts(language).gettext("{day} at {time}").format(day=day_told(moment, zone, language), time=time)
