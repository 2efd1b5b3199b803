"""Finds in a room what the bot has posted there."""

import re
from collections.abc import Iterator
from typing import Final

from bot.demo.room_view import RoomView, Shown

_TITLE: Final = re.compile(r"\S+ #(?P<number>\d+)(?: · |$)", re.MULTILINE)
_DONE: Final = "✅"


def cards(view: RoomView, bot: str, number: int | None = None) -> Iterator[Shown]:
    """The cards in the room, or those of one ticket: titles that answer nothing."""
    for message in view.messages:
        title = _TITLE.match(message.body)
        own = message.sender == bot and message.answers is None and message.thread is None
        if own and title and number in (None, int(title["number"])):
            yield message


def card_says(view: RoomView, bot: str, number: int, *words: str) -> bool:
    """Whether the ticket has exactly one card in the room, and that holds the words."""
    found = list(cards(view, bot, number))
    return len(found) == 1 and all(word in found[0].body for word in words)


def done(view: RoomView, bot: str, command: str, posts: int = 0) -> bool:
    """Whether the bot has acknowledged the command, and answered it by so many posts."""
    message = view.message(command)
    acknowledged = message is not None and bot in message.reactions.get(_DONE, ())
    return acknowledged and len(answers(view, bot, command)) == posts


def answers(view: RoomView, bot: str, command: str) -> list[Shown]:
    """The bot's answers to a command."""
    return [message for message in view.messages if message.sender == bot and message.answers == command]


def answered(view: RoomView, bot: str, command: str, *words: str) -> bool:
    """Whether the bot has answered the command with a text that holds the words."""
    return any(
        all(word.casefold() in answer.body.casefold() for word in words)
        for answer in answers(view, bot, command)
    )


def reactions_to(view: RoomView, bot: str, command: str) -> int:
    """How often the bot has reacted to a command in any way: once is right."""
    message = view.message(command)
    acknowledged = message.reactions.get(_DONE, []).count(bot) if message else 0
    return acknowledged + len(answers(view, bot, command))
