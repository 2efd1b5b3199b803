"""The vocabulary: one word for one thing, in code, chat and docs.

Source of the statuses: the charity's ticket system wiki, section "Ticketstatus".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

Team = str | None
"""Key of a team in the config; ``None`` is triage, where tickets without a team live."""

TRIAGE: Final[Team] = None


class Status(StrEnum):
    """Phase of a ticket's handling."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    CLOSED = "closed"
    SPAM = "spam"
    ARCHIVED = "archived"
    DELETED = "deleted"


class State(StrEnum):
    """The group that a status belongs to."""

    OPEN = "open"
    CLOSED = "closed"
    ARCHIVED = "archived"
    DELETED = "deleted"


STATE_OF: Final[Mapping[Status, State]] = MappingProxyType(
    {
        Status.OPEN: State.OPEN,
        Status.IN_PROGRESS: State.OPEN,
        Status.WAITING: State.OPEN,
        Status.CLOSED: State.CLOSED,
        Status.SPAM: State.CLOSED,
        Status.ARCHIVED: State.ARCHIVED,
        Status.DELETED: State.DELETED,
    }
)


def statuses_of(*states: State) -> frozenset[Status]:
    """All statuses of the given states."""
    return frozenset(status for status, state in STATE_OF.items() if state in states)


class Action(StrEnum):
    """What can happen to a ticket; every change of status is one of these."""

    OPEN = "open"
    TAKE = "take"
    STEAL = "steal"
    ASSIGN = "assign"
    RELEASE = "release"
    WAIT = "wait"
    CLOSE = "close"
    SPAM = "spam"
    REOPEN = "reopen"
    UNDO = "undo"
    MESSAGE = "message"
    WITHDRAW = "withdraw"
    TRANSFER = "transfer"
    TOPIC = "topic"
    MERGE = "merge"
    NOTE = "note"
    REPLY = "reply"
    TASK_ADD = "task_add"
    TASK_DONE = "task_done"
    ARCHIVE = "archive"
    DELETE = "delete"
    RESTORE = "restore"
    PURGE = "purge"


class Right(StrEnum):
    """Who may do an action; derived from room membership and config, never from power levels."""

    ANYONE = "anyone"
    REQUESTER = "requester"
    MEMBER = "member"
    ASSIGNEE = "assignee"
    SAME_PERSON = "same_person"
    ADMIN = "admin"


class Intake(StrEnum):
    """What brought a ticket or message in."""

    HTTP = "http"
    FORM = "form"
    """Also the page that the form leads to, which proves no address."""
    PAGE = "page"
    """The requester's page by the link in a mail."""
    EMAIL = "email"
    OSTICKET = "osticket"
    CHAT = "chat"


class MessageKind(StrEnum):
    """What an entry of a ticket's conversation is."""

    MESSAGE = "message"
    """The requester's words."""
    NOTE = "note"
    """A member's, for the team: never shown to the requester."""
    REPLY = "reply"
    """A member's, to the requester."""
    AUTOMATIC = "automatic"
    """What a program wrote in the requester's name, such as that they are away."""


class RoomKind(StrEnum):
    """What a room is to the bot; decides what may be shown there."""

    TEAM = "team"
    TRIAGE = "triage"
    ADMIN = "admin"
    DIRECT = "direct"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in the chat, with what follows from the rooms they are joined to *now*."""

    user_id: str
    teams: frozenset[Team] = frozenset()
    admin: bool = False

    def belongs_to(self, team: Team) -> bool:
        """Whether the person may act for a team: its members may, and admins everywhere."""
        return self.admin or team in self.teams


@dataclass(frozen=True, slots=True)
class Scope:
    """What a room may show: the room decides what is shown, the person what is done."""

    teams: frozenset[Team] = frozenset()
    everything: bool = False

    def shows(self, team: Team) -> bool:
        """Whether a ticket of this team may be named in the room."""
        return self.everything or team in self.teams


NOTHING: Final = Scope()
EVERYTHING: Final = Scope(everything=True)


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that is not done yet; ``position`` is its number within the ticket."""

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The part of a ticket that the lifecycle decides on."""

    status: Status
    topic: str
    team: Team = TRIAGE
    assignee: str | None = None
    waiting_since: datetime | None = None
    """Aware; kept while the ticket is taken from the waiting list, so that the place is not lost."""
    need: str | None = None
    """What the waiting list entry is waiting for, in the words of who put it there."""
    purge_at: datetime | None = None
    merged_into: int | None = None
    """The ticket that this one's conversation went to."""


MOST_COUNTED: Final = 10_000
"""Where counting tickets ends: nobody needs to know more exactly, and it would take ever longer."""
