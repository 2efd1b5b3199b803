"""Frozen views: what the use cases return and the presentation renders. No database row leaves a service."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.domain.quiet import What
from bot.domain.words import Action, Intake, Status, Team


@dataclass(frozen=True, slots=True)
class Person:
    """A Matrix user as a room shows them."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CardView:
    """What a ticket's card shows. ``subject``, ``excerpt`` and ``requester`` are text from outside."""

    number: int
    version: int
    status: Status
    topic: str
    team: Team
    subject: str
    requester: str
    excerpt: str
    changed_at: datetime
    assignee: Person | None = None
    waiting_since: datetime | None = None
    need: str | None = None
    close_reason: str | None = None
    follows: int | None = None
    """The old, archived or deleted ticket that this one continues."""
    tasks_done: int = 0
    tasks_all: int = 0
    attachments: int = 0


@dataclass(frozen=True, slots=True)
class LineView:
    """A ticket as one line of a list. ``card_event`` is the card to link to, in ``card_room``."""

    number: int
    status: Status
    topic: str
    team: Team
    subject: str
    opened_at: datetime
    changed_at: datetime
    assignee: Person | None = None
    waiting_since: datetime | None = None
    need: str | None = None
    card_room: str | None = None
    card_event: str | None = None


@dataclass(frozen=True, slots=True)
class ListView:
    """A list: which one (``open``, ``mine``, ``waitlist``), its first lines, how many there are in all."""

    kind: str
    lines: tuple[LineView, ...]
    total: int
    show_team: bool = False
    """Whether lines of several teams may be among them, so that each must name its own."""


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A kept file: its name is text from outside; size in bytes."""

    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of a ticket; ``author`` is a member who wrote it down for the requester, or ``None``."""

    text: str
    intake: Intake
    at: datetime
    author: Person | None = None
    attachments: tuple[AttachmentView, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    """Further fields that the sender gave, as name and value."""


@dataclass(frozen=True, slots=True)
class TicketView:
    """Everything `show` tells about a ticket."""

    card: CardView
    email: str | None
    phone: str | None
    region: str | None
    opened_at: datetime
    intake: Intake
    messages: tuple[MessageView, ...] = ()
    tasks: tuple[tuple[str, bool], ...] = ()
    purge_at: datetime | None = None
    muted: bool = False
    """Whether the person who asks has muted it; told to them alone."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry of a ticket's history. ``who`` is ``None`` for the requester and for the bot itself."""

    at: datetime
    action: Action
    who: Person | None
    from_status: Status | None
    to_status: Status
    note: str | None = None
    from_assignee: Person | None = None
    to_assignee: Person | None = None
    from_team: Team = None
    to_team: Team = None


@dataclass(frozen=True, slots=True)
class HistoryView:
    """A ticket's history, oldest first."""

    number: int
    lines: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class OpenedView:
    """Answer to `new`, and to a message on an archived ticket: the new ticket's number and its team."""

    number: int
    team: Team
    follows: int | None = None


@dataclass(frozen=True, slots=True)
class ParameterView:
    """A parameter or option of a command, for its help."""

    form: str
    summary: str


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command as its help shows it; ``summary`` and the parameters' are message ids to translate."""

    name: str
    aliases: tuple[str, ...]
    usage: str
    summary: str
    group: str
    """``ticket``, ``list`` or ``admin``."""
    parameters: tuple[ParameterView, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    """Line and what it does (a message id)."""


@dataclass(frozen=True, slots=True)
class HelpView:
    """All commands that a person may use here, or one of them in detail."""

    commands: tuple[CommandView, ...]
    detailed: bool = False


@dataclass(frozen=True, slots=True)
class RoomStatus:
    """A configured room and whether the bot can use it; ``problems`` are :class:`RoomProblem` values."""

    name: str
    room_id: str | None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusView:
    """Answer to `status`: is everything alive, and is anything stuck."""

    version: str
    started_at: datetime
    last_sync_at: datetime | None
    database: str
    """Name of the dialect."""
    tickets: dict[Status, int] = field(default_factory=dict)
    inbox_waiting: int = 0
    outbox_waiting: int = 0
    outbox_oldest: timedelta | None = None
    outbox_held: int = 0
    """Waiting for a room that the bot may not use at the moment."""
    outbox_failed: int = 0
    rooms: tuple[RoomStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestView:
    """A team's day. Lists are cut; ``*_total`` say how many there are."""

    team: Team
    day: date
    untouched: tuple[LineView, ...]
    untouched_total: int
    waiting: tuple[LineView, ...]
    waiting_total: int
    idle: tuple[LineView, ...]
    idle_total: int
    """In progress without activity, or with an assignee who left the team."""
    left: frozenset[int] = frozenset()
    """Numbers among ``idle`` whose assignee left the team."""
    since: date | None = None
    """First day that the counts are about, if that is not yesterday: there was no digest meanwhile."""
    opened: int = 0
    closed: int = 0
    """Tickets that were closed and stayed so."""
    spam_messages: int = 0
    """Messages that came to spam tickets: a false spam would be found here."""
    muted_messages: int = 0
    """Messages that rang for nobody, as all whom they were for had muted the ticket."""
    thanks: tuple[tuple[Person, int], ...] = ()
    """Who closed how many, most first, if the team wants that."""
    thanks_hidden: int = 0
    """How many more people closed some."""
    stale_days: int = 7

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        return frozenset(line.number for line in (*self.untouched, *self.waiting, *self.idle))

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell; an empty digest is not sent."""
        return not (
            self.untouched_total
            or self.waiting_total
            or self.idle_total
            or self.opened
            or self.closed
            or self.spam_messages
            or self.muted_messages
        )


# --- alerts: what the bot says of its own accord, rendered when it is sent ---


@dataclass(frozen=True, slots=True)
class MessageAlert:
    """A requester's message arrived on a ticket; in its thread."""

    number: int
    message: MessageView
    requester: str
    reopened: bool
    mentions: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class AssignmentAlert:
    """Somebody was given a ticket (``given``) or lost it through somebody else's act; in its thread."""

    number: int
    person: Person
    by: Person | None
    given: bool
    action: Action


@dataclass(frozen=True, slots=True)
class QuietLine:
    """Something that did not ring in quiet hours and still waits for somebody."""

    ticket: LineView
    what: What
    count: int
    """How many messages."""
    people: tuple[Person, ...] = ()
    """For whom it is."""


@dataclass(frozen=True, slots=True)
class QuietReminder:
    """What came while it was quiet, told once quiet hours are over. ``lines`` are cut, ``total`` is not."""

    lines: tuple[QuietLine, ...]
    total: int
    mentions: tuple[Person, ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        return frozenset(line.ticket.number for line in self.lines)


@dataclass(frozen=True, slots=True)
class TransferSummary:
    """First line under the new card of a transferred ticket."""

    number: int
    from_team: Team
    by: Person | None
    at: datetime
    messages: int
    history: tuple[HistoryLine, ...]


@dataclass(frozen=True, slots=True)
class MovedAway:
    """Line in the old room of a transferred ticket."""

    number: int
    to_team: Team
    by: Person | None


@dataclass(frozen=True, slots=True)
class RoomReport:
    """Told to the admin room: a configured room cannot be used, or can be used again (no problems)."""

    name: str
    room_id: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """Told to the admin room: something could not be sent for good; ``reason`` is the error code."""

    kind: str
    room_name: str
    numbers: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """Told to the admin room after a purge: how many events were redacted, and how many could not be."""

    number: int
    redacted: int
    failed: int


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """Answer to a command that the bot could not handle because of a fault of its own."""

    event_id: str


Alert = (
    MessageAlert
    | AssignmentAlert
    | QuietReminder
    | TransferSummary
    | MovedAway
    | RoomReport
    | DeliveryReport
    | PurgeReport
    | DigestView
    | CommandFailed
)
