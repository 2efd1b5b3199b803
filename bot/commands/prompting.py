"""Which answers wait for a tap, and how a call is kept until it comes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from bot.commands.looking import is_mine
from bot.commands.parser import Call
from bot.commands.spec import Registry
from bot.services.list_views import NextView
from bot.services.prompts import NewPrompt, PromptKind
from bot.services.views import CardView, Paged

H = TypeVar("H")


def needs_confirmation(call: Call[Any]) -> bool:
    """Whether the command hurts so much that it is asked about first."""
    above = call.command.confirm_above
    return above is not None and len(call.numbers) > above


def confirmation(call: Call[Any]) -> NewPrompt:
    """The question whether a call is meant."""
    return NewPrompt(PromptKind.CONFIRM, kept(call))


def prompt_after(result: object, call: Call[Any]) -> NewPrompt | None:
    """What a tap on an answer would bring."""
    match result:
        case Paged(next_page=int(page)):
            return NewPrompt(PromptKind.PAGE, {**kept(call), "page": page})
        case NextView(card=CardView(number=number)):
            return NewPrompt(PromptKind.TICKET, {"number": number})
    return None


def kept(call: Call[Any]) -> dict[str, Any]:
    """A call as JSON."""
    return {
        "command": call.command.name,
        "numbers": list(call.numbers),
        "words": dict(call.words),
        "options": dict(call.options),
        "page": call.page,
    }


def is_personal(payload: Mapping[str, Any]) -> bool:
    """Whether a kept list is about the person who asked, or shows what others may not see."""
    what = payload["words"].get("what", "")
    return payload["command"] == "mine" or "--all" in payload["options"] or is_mine(what)


def restored(payload: Mapping[str, Any], registry: Registry[H]) -> Call[H] | None:
    """The inverse of :func:`kept`; ``None`` for a command that this version does not know."""
    command = registry.lookup(payload["command"])
    if command is None:
        return None
    return Call(
        command,
        tuple(payload["numbers"]),
        MappingProxyType(payload["words"]),
        MappingProxyType(payload["options"]),
        payload["page"],
    )
