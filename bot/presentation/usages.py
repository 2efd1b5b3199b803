"""What is wrong with a command line or with a field from outside, and where."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.errors import InputProblem, InvalidInput, UsageError, UsageProblem
from bot.domain.marks import N_
from bot.presentation.document import Code, Inline, Outside, Preformatted, Text, joined, paragraph, sentence
from bot.presentation.message import Message, fit
from bot.presentation.outside import ELLIPSIS, clean, columns
from bot.presentation.world import Setting

_BEFORE: Final = 40
_AROUND: Final = 80
"""Characters of the line that are quoted: a phone shows no more beside each other."""

_PROBLEMS: Final[Mapping[UsageProblem, str]] = MappingProxyType(
    {
        UsageProblem.UNKNOWN_COMMAND: N_("I do not know this command."),
        UsageProblem.UNKNOWN_OPTION: N_("This command has no such option."),
        UsageProblem.OPTION_NEEDS_VALUE: N_("The option “{expected}” needs a value."),
        UsageProblem.UNCLOSED_QUOTE: N_("This quotation mark is never closed."),
        UsageProblem.NO_TICKET: N_(
            "Which ticket? Give its number, or write in its thread or as a reply to its card."
        ),
        UsageProblem.NOT_A_NUMBER: N_("This is not a ticket number."),
        UsageProblem.ONE_NUMBER_ONLY: N_("This command takes one ticket number only."),
        UsageProblem.TWO_NUMBERS: N_(
            "This needs two tickets, not more or fewer: give both numbers, or one in the other's thread."
        ),
        UsageProblem.UNKNOWN_FORM: N_("I do not know this word here."),
        UsageProblem.UNCLEAR_NUMBER: N_(
            "Is this a ticket's number or the beginning of the text? "
            "Write # before a ticket's number, or put the text in quotation marks."
        ),
        UsageProblem.MISSING: N_("Here “{expected}” is missing."),
        UsageProblem.UNEXPECTED: N_("I did not expect this here."),
        UsageProblem.NEEDS_PREFIX: N_("If this is meant as a command, write it like this."),
    }
)

_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": N_("name"),
        "email": N_("e-mail address"),
        "phone": N_("phone number"),
        "subject": N_("subject"),
        "message": N_("message"),
        "text": N_("text"),
        "topic": N_("topic"),
        "region": N_("region"),
        "team": N_("team"),
        "note": N_("note"),
        "task": N_("task"),
        "need": N_("need"),
        "age": N_("age"),
        "reason": N_("reason"),
        "attachments": N_("attachments"),
    }
)

_INPUT: Final[Mapping[InputProblem, str]] = MappingProxyType(
    {
        InputProblem.MISSING: N_("“{field}” is missing."),
        InputProblem.TOO_LONG: N_("“{field}” is too long."),
        InputProblem.TOO_MANY: N_("There are too many of “{field}”."),
        InputProblem.TOO_LARGE: N_("“{field}” is too large."),
        InputProblem.NOT_TEXT: N_("“{field}” is not readable text."),
        InputProblem.NOT_AN_ADDRESS: N_(
            "“{field}” is not a complete e-mail address, such as name@example.org."
        ),
        InputProblem.NOT_A_CHOICE: N_("“{field}” is none of the choices."),
        InputProblem.MALFORMED: N_("“{field}” is not in the right form."),
        InputProblem.NOT_DAYS: N_("“{field}” is a number of days, such as 14, or of weeks, such as 2w."),
    }
)

_LIMITS: Final[Mapping[InputProblem, str]] = MappingProxyType(
    {
        InputProblem.TOO_LONG: N_("At most {limit} characters are possible."),
        InputProblem.TOO_MANY: N_("At most {limit} are possible."),
        InputProblem.TOO_LARGE: N_("At most {limit} are possible."),
    }
)


def render_usage(error: UsageError, setting: Setting) -> Message:
    """Why the line is not understood, with a caret under the place, and how it is written."""
    gettext = setting.language.gettext
    problem = sentence(gettext(_PROBLEMS[error.problem]), expected=gettext(error.expected))
    advice: list[Inline] = []
    if error.near:
        prefix = setting.names.prefix if error.problem is UsageProblem.UNKNOWN_COMMAND else ""
        meant = joined(", ", [Code(Outside(prefix + name.removeprefix(prefix))) for name in error.near])
        advice.append(sentence(gettext("Did you mean {names}?"), names=meant))
    if error.usage:
        usage = setting.usage(error.usage)
        advice.append(sentence(gettext("It is written like this: {usage}"), usage=usage))
    else:
        advice.append(sentence(gettext("{help} shows all commands."), help=setting.command("help")))
    place = Preformatted(pointed(error.line, error.start, error.length))
    return fit((paragraph(problem), place, paragraph(*advice)), notice=True)


def pointed(line: str, start: int, length: int) -> str:
    """The part of the line around the place, and carets below it; a long line is cut on both sides."""
    first = max(start - _BEFORE, 0)
    last = first + _AROUND
    lead = ELLIPSIS if first else ""
    before = lead + clean(line[first:start])
    place = clean(line[start : min(start + length, last)])
    after = clean(line[min(start + length, last) : last]) + (ELLIPSIS if last < len(line) else "")
    carets = "^" * max(columns(place), 1)
    return f"{before}{place}{after}\n{' ' * columns(before)}{carets}"


def render_input(error: InvalidInput, setting: Setting) -> Message:
    """Which field is wrong, why, and what is possible. The value is not repeated."""
    language = setting.language
    field = Text(language.gettext(_FIELDS[error.field])) if error.field in _FIELDS else Outside(error.field)
    lines = [sentence(language.gettext(_INPUT[error.problem]), field=field)]
    if error.limit is not None and error.problem in _LIMITS:
        in_bytes = error.problem is InputProblem.TOO_LARGE
        limit = language.file_size(error.limit) if in_bytes else str(error.limit)
        lines.append(sentence(language.gettext(_LIMITS[error.problem]), limit=Text(limit)))
    return fit((paragraph(joined(" ", lines)),), notice=True)
