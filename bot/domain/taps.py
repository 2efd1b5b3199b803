"""One tap: what a reaction on a card or on a prompt means, and which the bot offers when."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from bot.domain.lifecycle import UNDO_WINDOW, Change
from bot.domain.words import Action, Status

TAKE: Final = "🙋"
WAIT: Final = "⏳"
CLOSE: Final = "✅"
SPAM: Final = "🚫"
UNDO: Final = "↩️"
CONFIRM: Final = "✅"
CANCEL: Final = "❌"
MORE: Final = "▶️"

ACKNOWLEDGED: Final = "✅"
"""The bot's own on a command: it is done."""

CARD: Final[Mapping[str, Action]] = MappingProxyType(
    {TAKE: Action.TAKE, WAIT: Action.WAIT, CLOSE: Action.CLOSE, SPAM: Action.SPAM, UNDO: Action.UNDO}
)
"""What a tap on a card does."""

_OFFERED: Final[Mapping[Status, tuple[str, ...]]] = MappingProxyType(
    {
        Status.OPEN: (TAKE, WAIT, CLOSE, SPAM),
        Status.IN_PROGRESS: (WAIT, CLOSE, SPAM),
        Status.WAITING: (TAKE, CLOSE, SPAM),
        # A closed ticket's card is quiet: ↩️ for a while, then nothing. The commands still work.
        Status.CLOSED: (),
        Status.SPAM: (),
        Status.ARCHIVED: (),
        Status.DELETED: (),
    }
)
_TAKEN_BACK: Final[Mapping[Status, Action]] = MappingProxyType(
    {Status.CLOSED: Action.CLOSE, Status.SPAM: Action.SPAM}
)
_REACHED: Final[Mapping[Action, Status]] = MappingProxyType(
    {Action.WAIT: Status.WAITING, Action.CLOSE: Status.CLOSED, Action.SPAM: Status.SPAM}
)

# What clients and people vary: presentation selectors, skin colours, and the gender that is joined on.
_VARIATION: Final = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.*", re.DOTALL)
_TWINS: Final[Mapping[str, str]] = MappingProxyType(
    {"⌛": WAIT, "✔": CLOSE, "☑": CLOSE, "🙋": TAKE, "↩": UNDO, "▶": MORE, "❌": CANCEL, "✖": CANCEL}
)
_LONGEST_KEY: Final = 32


def canonical(key: str) -> str:
    """A reaction's key as the tables here have it: 🙋🏽‍♀️ is 🙋."""
    bare = _VARIATION.sub("", key[:_LONGEST_KEY])
    return _TWINS.get(bare, bare)


def undo_until(status: Status, last: Change | None) -> datetime | None:
    """Until when a card offers to take back its close or spam; ``None`` if it does not."""
    if last is None or last.action is not _TAKEN_BACK.get(status):
        return None
    return last.at + UNDO_WINDOW


def offered(status: Status, *, waitlist: bool, undoable: bool) -> tuple[str, ...]:
    """The reactions that a card offers, in the order in which they are seeded."""
    keys = tuple(key for key in _OFFERED[status] if waitlist or key != WAIT)
    return (*keys, UNDO) if undoable else keys


def is_reached(action: Action, status: Status) -> bool:
    """Whether a tap found done what it asks for: two people tapped at once, or one tapped twice."""
    return _REACHED.get(action) is status


CONFIRM_WITHIN: Final = timedelta(minutes=5)
"""How long a confirmation can be given."""
