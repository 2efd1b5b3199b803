"""Prepared answers: texts from the config that members send often."""

from typing import Final

from bot.domain.errors import NoCannedAnswer
from bot.domain.mail import CannedAnswer, as_markdown
from bot.services import reads
from bot.services.letter_views import CannedView
from bot.services.people import Caller
from bot.services.unit import Unit
from storage import tickets
from storage.models import Ticket

MARK: Final = "@"
"""What a prepared answer's name begins with; alone it asks for the list."""


def offered(unit: Unit, number: int, caller: Caller) -> CannedView:
    """The prepared answers that fit a ticket, filled in for it.

    :raises UnknownTicket: there is none of this number here.
    """
    ticket = reads.visible(unit, number, caller)
    return CannedView(
        number, tuple((name, _filled(unit, ticket, each)) for name, each in _fitting(unit, ticket).items())
    )


def chosen(unit: Unit, number: int, typed: str, caller: Caller) -> str:
    """The prepared answer that is named at the begin of what was typed, and the rest of that below it.

    :raises UnknownTicket: there is none of this number here.
    :raises NoCannedAnswer: none that fits the ticket is called so.
    """
    ticket = reads.visible(unit, number, caller)
    name, *rest = typed.removeprefix(MARK).split(maxsplit=1)
    fitting = _fitting(unit, ticket)
    if name.casefold() not in fitting:
        raise NoCannedAnswer(number, name, tuple(fitting))
    return "\n\n".join([_filled(unit, ticket, fitting[name.casefold()]), *rest])


def _fitting(unit: Unit, ticket: Ticket) -> dict[str, CannedAnswer]:
    answers = unit.policy.mail.answers if unit.policy.mail else {}
    return {name: each for name, each in answers.items() if each.fits(ticket.topic, ticket.team)}


def _filled(unit: Unit, ticket: Ticket, answer: CannedAnswer) -> str:
    """The text in the requester's language, or else the team's."""
    languages = unit.policy.mail.languages if unit.policy.mail else {}
    language = ticket.language or languages.get(ticket.team, "en")
    text = answer.texts.get(language) or next(iter(answer.texts.values()))
    requester = tickets.requester_of(unit.session, ticket)
    name = as_markdown(requester.name) if requester else ""
    return text.replace("{number}", f"#{ticket.number}").replace("{name}", name)
