"""Rights that need no ticket: for lists, and for somebody who is in none of the teams."""

from typing import Any, Final

from bot.commands.parser import Call
from bot.domain.errors import NotPermitted, TooManyTickets
from bot.domain.words import Right
from bot.services.people import Caller

AT_ONCE: Final = 50
"""Most tickets that one command may name."""


def check_call(call: Call[Any], caller: Caller) -> None:
    """Whether the person may give this command at all.

    :raises Refusal: not, or not for so many tickets.
    """
    actor, right = caller.actor, call.command.right
    outsider = not actor.admin and not actor.teams
    if (right is Right.ADMIN and not actor.admin) or (right is not Right.ANYONE and outsider):
        raise NotPermitted(None, None, Right.ADMIN if right is Right.ADMIN else Right.MEMBER)
    if len(call.numbers) > AT_ONCE:
        raise TooManyTickets(None, AT_ONCE)
