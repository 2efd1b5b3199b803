"""Frozen views: what the use cases return and the presentation renders. No database row leaves a service."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.quiet import What
from bot.domain.trust import CrossSigningTrouble, VerificationEnd
from bot.domain.words import Action, Intake, MessageKind, Right, RoomKind, Status, Team
from bot.services.letter_views import MailServerReport, ReplyPost, UndeliveredAlert
from bot.services.persons import Person as Person

if TYPE_CHECKING:
    from bot.services.list_views import ListView


@dataclass(frozen=True, slots=True)
class NamedTicket:
    """Another ticket that a card names. ``card_event`` is its card to link to, in ``card_room``."""

    number: int
    status: Status
    card_room: str | None = None
    card_event: str | None = None


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
    diverted_from: Team = None
    """The team that it is for, if it is in triage because that team's room could not be written to."""
    tasks_done: int = 0
    tasks_all: int = 0
    attachments: int = 0
    merged_into: NamedTicket | None = None
    merged_here: tuple[NamedTicket, ...] = ()
    others: tuple[NamedTicket, ...] = ()
    """Further tickets of the same person in the same team, newest first; only while this one is under way."""

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        into = (self.merged_into,) if self.merged_into else ()
        return frozenset({self.number, *(each.number for each in (*into, *self.merged_here, *self.others))})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """A part of something long. ``page`` counts from 0; ``next_page`` is the one to ask for next."""

    page: int = 0
    next_page: int | None = None
    before: int = 0
    """How many stand on the pages before."""
    total: int = 0
    beyond: bool = False
    """Whether there are more than ``total``: counting ended there."""


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """The question whether a command over these tickets is meant; ``person`` can say yes until ``until``."""

    command: str
    numbers: tuple[int, ...]
    person: Person
    until: datetime


@dataclass(frozen=True, slots=True)
class PromptClosed:
    """What came of such a question."""

    command: str
    numbers: tuple[int, ...]
    person: Person
    confirmed: bool


@dataclass(frozen=True, slots=True)
class RoomMoveAnswered:
    """What came of the question whether to move into another room."""

    name: str
    new_room_id: str
    person: Person
    confirmed: bool


@dataclass(frozen=True, slots=True)
class RoomMoveBegun:
    """Answer to `upgrade`: the bot goes into the new room as soon as it is let in."""

    name: str
    new_room_id: str


@dataclass(frozen=True, slots=True)
class AttachmentView:
    """A kept file: its name is text from outside; size in bytes."""

    name: str
    media_type: str
    size: int
    kept: bool = True
    """False: it was too large, or one too many."""


@dataclass(frozen=True, slots=True)
class FilePost:
    """A file that came with a ticket's message, as its thread shows it."""

    number: int
    file: AttachmentView


@dataclass(frozen=True, slots=True)
class MailAside:
    """A mail that could not be read, for the admins. ``here``: it is kept in the database under its id."""

    kept_id: int
    mailbox: str
    reason: str
    size: int
    here: bool


@dataclass(frozen=True, slots=True)
class MailsUnmarked:
    """A mailbox whose server refuses to mark or move what was received; ``code``: its reason."""

    mailbox: str
    code: str | None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message of a ticket; ``author`` is the member who wrote it down for the requester, or ``None``.

    A note is its author's own.
    """

    text: str
    intake: Intake
    at: datetime
    author: Person | None = None
    attachments: tuple[AttachmentView, ...] = ()
    extra: tuple[tuple[str, str], ...] = ()
    """Further fields that the sender gave, as name and value."""
    kind: MessageKind = MessageKind.MESSAGE
    sender: str | None = None
    """Who wrote, if it was not the requester."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task of a ticket; ``position`` is its number within the ticket."""

    position: int
    text: str
    done: bool


@dataclass(frozen=True, slots=True)
class TasksView:
    """Answer to `task list`."""

    number: int
    tasks: tuple[TaskView, ...]


@dataclass(frozen=True, slots=True)
class TicketView:
    """Everything `show` tells about a ticket. ``hidden`` messages are older than those that are told."""

    card: CardView
    email: str | None
    phone: str | None
    region: str | None
    opened_at: datetime
    intake: Intake
    messages: tuple[MessageView, ...] = ()
    tasks: tuple[TaskView, ...] = ()
    purge_at: datetime | None = None
    hidden: int = 0
    card_room: str | None = None
    card_event: str | None = None
    """The card to link to."""
    muted: bool = False
    """Whether the person who asks has muted it; told to them alone."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry of a ticket's history. ``who`` is ``None`` for the requester and for the bot itself.

    ``note`` is what was said with it: a reason, or the words of a note or task. ``other`` is the other ticket
    of a merge.
    """

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
    other: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryView(Paged):
    """A page of a ticket's history, oldest first."""

    number: int
    lines: tuple[HistoryLine, ...]
    card_room: str | None = None
    card_event: str | None = None
    """The card to link to."""


@dataclass(frozen=True, slots=True)
class OpenedView:
    """Answer to `new`, and to a message on an archived ticket: the new ticket's number and its team."""

    number: int
    team: Team
    follows: int | None = None


@dataclass(frozen=True, slots=True)
class ForwardedView:
    """Answer to a message on a merged ticket: where it went."""

    number: int
    to: int


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
    """Without the name; the first is its German name, unless that is the same word."""
    usage: str
    summary: str
    group: str
    """``ticket``, ``list`` or ``admin``."""
    parameters: tuple[ParameterView, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    """Line and what it does, both message ids."""
    german: str = ""
    right: Right = Right.MEMBER
    basic: bool = False
    """Whether it is among the few that everybody needs first."""
    related: tuple[str, ...] = ()
    """Names of others that go with it."""


@dataclass(frozen=True, slots=True)
class HelpView:
    """All commands that a person may use here, or one of them in detail.

    ``bare``: in a direct chat the prefix may be left out.
    """

    commands: tuple[CommandView, ...]
    detailed: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class StatusesView:
    """What the statuses mean: each with the moves that members can make from it."""

    statuses: tuple[tuple[Status, tuple[Action, ...]], ...]


@dataclass(frozen=True, slots=True)
class TalkView:
    """Answer to what is no command in a direct chat. ``outsider``: the person is in no team (any more)."""

    outsider: bool = False


@dataclass(frozen=True, slots=True)
class RoomStatus:
    """A configured room and whether the bot can use it; ``problems`` are :class:`RoomProblem` values."""

    name: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that could not be sent for good. ``kind`` is the outbox row's."""

    kind: str
    number: int | None
    room: str | None
    """Key of a configured room; ``None``: another one, as a direct chat."""
    reason: str
    """The homeserver's code, or which fault of the bot."""
    at: datetime


@dataclass(frozen=True, slots=True)
class StatusView:
    """Answer to `status`: is everything alive, and is anything stuck."""

    version: str
    started_at: datetime
    last_sync_at: datetime | None
    database: str
    """Name of the dialect."""
    schema: str
    tickets: dict[Status, int] = field(default_factory=dict)
    inbox_waiting: int = 0
    outbox_waiting: int = 0
    outbox_oldest: timedelta | None = None
    outbox_held: int = 0
    """Waiting for a room that the bot may not use at the moment."""
    outbox_failed: int = 0
    set_aside: tuple[SetAside, ...] = ()
    """The latest of them."""
    digest_at: datetime | None = None
    """When the last digest of any team was written."""
    reminders: int = 0
    """What was posted silently and is to be reminded of after the quiet hours."""
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


@dataclass(frozen=True, slots=True)
class Numbers:
    """What `stats` counts, for one team or for several together. Spam is left out of all but ``spam``."""

    opened: tuple[int, ...]
    """Per week, oldest first; the last week is not over."""
    closed: tuple[int, ...]
    """Tickets per week; one that was closed again in a later week counts in both."""
    done: int
    """Tickets closed in all these weeks, each once."""
    took: timedelta | None
    """Half of these were closed in less time than this after they were opened."""
    open: int
    in_progress: int
    waiting: tuple[int, ...]
    """The waiting list by age: under 2 weeks, 2 to 4 weeks, 4 to 13 weeks, longer."""
    longest: timedelta
    """How long the longest has been on the waiting list."""
    spam: int

    @property
    def arrived(self) -> int:
        """Tickets opened in all these weeks."""
        return sum(self.opened)

    @property
    def on_waiting(self) -> int:
        """How many are on the waiting list."""
        return sum(self.waiting)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.arrived or self.done or self.open or self.in_progress or self.on_waiting)


@dataclass(frozen=True, slots=True)
class StatsView:
    """Answer to `stats`: the teams of the room, each by itself and together, as text or as a picture."""

    mondays: tuple[date, ...]
    """The first day of each week."""
    today: date
    together: Numbers
    teams: tuple[tuple[Team, Numbers], ...]
    everything: bool
    """Whether these are all teams that there are."""
    picture: bool


# --- alerts: what the bot says of its own accord, rendered when it is sent ---


@dataclass(frozen=True, slots=True)
class Greeting:
    """First words in a room, or in a direct chat: there with the person and their tickets at that moment."""

    kind: RoomKind
    team: Team
    at: datetime
    person: Person | None = None
    mine: ListView | None = None

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        return frozenset(line.number for line in self.mine.lines) if self.mine else frozenset()


@dataclass(frozen=True, slots=True)
class MessageAlert:
    """A requester's message arrived on a ticket; in its thread."""

    number: int
    message: MessageView
    requester: str
    reopened: bool
    mentions: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class WithdrawalAlert:
    """The requester withdrew the request; in its thread."""

    number: int
    requester: str
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
class NowhereReport:
    """Told to the admin room: neither a new ticket's team's room nor triage takes its card.

    ``others`` that came soon after stand nowhere, too.
    """

    number: int
    diverted_from: Team
    others: tuple[int, ...] = ()

    @property
    def numbers(self) -> frozenset[int]:
        """The tickets that it names."""
        return frozenset({self.number, *self.others})


@dataclass(frozen=True, slots=True)
class RoomMoveQuestion:
    """Asked in the admin room: whether to use the room that replaces an upgraded one."""

    name: str
    old_room_id: str
    new_room_id: str


@dataclass(frozen=True, slots=True)
class RoomMoveRejected:
    """Told to the admin room: the room that is said to replace another does not say so itself.

    ``seen``: the bot has been in it; else an invitation tells, which may be incomplete. ``serves``: it
    does say so, but is in use already, as this.
    """

    name: str
    new_room_id: str
    seen: bool
    serves: str | None = None


@dataclass(frozen=True, slots=True)
class RoomMoveShutOut:
    """Told to the admin room: the bot is to move into a room that does not let it in."""

    name: str
    new_room_id: str


@dataclass(frozen=True, slots=True)
class RoomMoved:
    """Told to the admin room: a new room is used in place of an upgraded one."""

    name: str
    new_room_id: str
    by: Person | None
    outdated: bool
    """Whether the config still names the old one."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """Told to the admin room: something could not be sent for good; ``reason`` is the error code."""

    kind: str
    room_name: str
    numbers: tuple[int, ...]
    reason: str
    diverted: bool = False
    """Whether it was a new ticket's card, and the ticket went to triage instead."""


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """Told to the admin room after a purge: how many events were redacted, and how many could not be."""

    number: int
    redacted: int
    failed: int


@dataclass(frozen=True, slots=True)
class LostTicket:
    """A ticket of which only the card is left."""

    number: int
    room_id: str
    event_id: str


@dataclass(frozen=True, slots=True)
class RestoredReport:
    """To the admins: the database is a backup, and what is missing in it.

    ``doubtful`` are tickets whose cards were changed since, and now show again what is known.
    """

    since: datetime | None
    lost: tuple[LostTicket, ...]
    lost_total: int
    doubtful: tuple[int, ...]
    doubtful_total: int
    highest: int
    """The next ticket gets a higher number."""


@dataclass(frozen=True, slots=True)
class CrossSigningReport:
    """Told to the admin room: clients may not trust the bot's device, and why that could not be mended."""

    trouble: CrossSigningTrouble


@dataclass(frozen=True, slots=True)
class OwnSessionReport:
    """Told to the admin room: another session of the bot's own account asked to be verified, in vain."""

    device_id: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Asked of an admin who verifies the bot: whether their client shows the same.

    Seven numbers of emoji, or three numbers where their client shows no emoji.
    """

    person: Person
    emoji: tuple[int, ...]
    decimals: tuple[int, ...]
    team: Team
    until: datetime


@dataclass(frozen=True, slots=True)
class VerificationOver:
    """What came of a verification; ``signed``: the bot has signed the person's master key."""

    person: Person
    end: VerificationEnd
    signed: bool


@dataclass(frozen=True, slots=True)
class CommandFailed:
    """Answer to a command that the bot could not handle because of a fault of its own."""

    event_id: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Answer to an encrypted message whose key has not come."""

    distrusted: bool
    """Whether the sender's app said that it does not trust the bot's device."""


Alert = (
    Greeting
    | MessageAlert
    | ReplyPost
    | UndeliveredAlert
    | MailServerReport
    | FilePost
    | MailAside
    | MailsUnmarked
    | WithdrawalAlert
    | AssignmentAlert
    | QuietReminder
    | TransferSummary
    | MovedAway
    | RoomReport
    | NowhereReport
    | RoomMoveQuestion
    | RoomMoveRejected
    | RoomMoveShutOut
    | RoomMoved
    | DeliveryReport
    | PurgeReport
    | DigestView
    | CommandFailed
    | Unreadable
    | CrossSigningReport
    | OwnSessionReport
    | Comparison
    | VerificationOver
    | RestoredReport
)
