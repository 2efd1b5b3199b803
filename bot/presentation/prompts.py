"""Questions before something that hurts, and what came of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.taps import CANCEL, CONFIRM
from bot.presentation.document import Bold, Text, paragraph, sentence
from bot.presentation.message import Message, fit
from bot.presentation.world import Setting, numerals, pill
from bot.services.views import ConfirmView, PromptClosed

_QUESTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "close": N_("Really close all of these at once: {numbers}?"),
        "delete": N_("Really delete all of these at once: {numbers}?"),
        "purge": N_("Really erase for good, also from the rooms: {numbers}? Nothing brings that back."),
    }
)
_ELSE: Final = N_("Really do that: {numbers}?")


def render_confirm(view: ConfirmView, setting: Setting) -> Message:
    """What would be done, and how to say yes or no; tells the time, so that it never lies."""
    gettext = setting.language.gettext
    question = sentence(gettext(_QUESTIONS.get(view.command, _ELSE)), numbers=numerals(view.numbers))
    how = sentence(
        gettext("{person}: tap {yes} to do it or {no} to leave it, until {time}."),
        person=pill(view.person),
        yes=Text(CONFIRM),
        no=Text(CANCEL),
        time=Text(setting.language.time(view.until, setting.zone)),
    )
    return fit((paragraph(Bold(question), how),), mentions=(view.person.user_id,), notice=True)


def render_closed(view: PromptClosed, setting: Setting) -> Message:
    """The question's place, once it is answered."""
    gettext = setting.language.gettext
    template = (
        gettext("{yes} {person} confirmed it: {numbers}")
        if view.confirmed
        else gettext("{no} {person} left it: nothing was done ({numbers}).")
    )
    told = sentence(
        template,
        yes=Text(CONFIRM),
        no=Text(CANCEL),
        person=pill(view.person),
        numbers=numerals(view.numbers),
    )
    return fit((paragraph(told),), notice=True)
