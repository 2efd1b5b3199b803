"""First words in a room: who the bot is, what happens here, three commands, and how to get help."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.words import RoomKind
from bot.presentation.document import BulletList, Inline, Text, Value, paragraph, sentence, span
from bot.presentation.helps import taps
from bot.presentation.lists import list_document
from bot.presentation.message import Message, fit
from bot.presentation.world import Setting, pill
from bot.services.views import Greeting

_HERE: Final[Mapping[RoomKind, str]] = MappingProxyType(
    {
        RoomKind.TEAM: N_("New requests to {team} arrive here as cards. This is what you do with them:"),
        RoomKind.TRIAGE: N_("Requests that belong to no team arrive here. This is what you do with them:"),
        RoomKind.ADMIN: N_("I report problems here, and you see the tickets of all teams. To begin with:"),
        RoomKind.DIRECT: N_(
            "Here you can use all commands on your teams' tickets, even without the “{prefix}”. "
            "To begin with:"
        ),
    }
)
_TAKE: Final = ("take 42", N_("you work on it now"))
_CLOSE: Final = ("close 42", N_("it is done"))
_LIST: Final = ("list", N_("what is under way"))
_COMMANDS: Final[Mapping[RoomKind, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        RoomKind.TEAM: (_TAKE, ("wait 42", N_("it goes on the waiting list")), _CLOSE),
        RoomKind.TRIAGE: (("transfer 42 <team>", N_("it goes to another team")), _TAKE, _CLOSE),
        RoomKind.ADMIN: (
            ("status", N_("is all well?")), _LIST, ("archive 42", N_("closed tickets leave the lists")),
        ),
        RoomKind.DIRECT: (("mine", N_("your own tickets")), _LIST, ("waitlist", N_("the waiting list"))),
    }
)  # fmt: skip
"""Forms, with what becomes of a ticket or what is shown."""


def render_greeting(view: Greeting, setting: Setting) -> Message:
    """A notice: it is read when somebody looks, and need not ring."""
    gettext, more = setting.language.gettext, setting.language.more
    fields: dict[str, Value] = {"team": setting.team(view.team), "prefix": Text(setting.names.prefix)}
    opening = paragraph(_hello(view, setting), sentence(gettext(_HERE[view.kind]), **fields))
    rows = tuple(
        span(setting.usage(form), Text(": "), Text(gettext(what))) for form, what in _COMMANDS[view.kind]
    )
    rest: list[Inline] = [sentence(gettext("{help} tells the rest."), help=setting.command("help"))]
    if setting.names.taps and view.kind in (RoomKind.TEAM, RoomKind.TRIAGE):
        rest.insert(0, taps(setting))
    mine = list_document(view.mine, setting, view.at) if view.mine else ()
    return fit((opening, BulletList(rows, more), paragraph(*rest), *mine), notice=True)


def _hello(view: Greeting, setting: Setting) -> Inline:
    gettext, bot = setting.language.gettext, Text(setting.names.bot)
    if view.person is None:
        return sentence(gettext("👋 Hello, I am {bot}."), bot=bot)
    return sentence(gettext("👋 Hello {person}, I am {bot}."), person=pill(view.person), bot=bot)
