"""The tables. Times are aware UTC; statuses and kinds are stored as their words."""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    false,
    text,
)
from sqlmodel import Field, SQLModel

from storage.types import BigId, UtcDateTime, partial_index

SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def _when(*, nullable: bool = False, index: bool = False) -> Any:  # noqa: ANN401
    return Field(
        default=None if nullable else ...,
        sa_column=Column(UtcDateTime, nullable=nullable, index=index),
    )


def _key() -> Any:  # noqa: ANN401
    return Field(default=None, sa_column=Column(BigId, primary_key=True, autoincrement=True))


def _refers(target: str, *, nullable: bool = False, primary: bool = False, index: bool = True) -> Any:  # noqa: ANN401
    return Field(
        default=None if nullable else ...,
        sa_column=Column(
            BigId, ForeignKey(target), nullable=nullable, primary_key=primary, index=index and not primary
        ),
    )


def _json(*, nullable: bool = True) -> Any:  # noqa: ANN401
    return Field(default=None if nullable else ..., sa_column=Column(JSON, nullable=nullable))


def _text(*, nullable: bool = False) -> Any:  # noqa: ANN401
    return Field(default=None if nullable else ..., sa_column=Column(Text, nullable=nullable))


class Requester(SQLModel, table=True):
    """Who wrote in; never a Matrix user."""

    __tablename__ = "requesters"
    __table_args__: ClassVar[Any] = (
        partial_index("ix_requesters_without_address", "name", "phone", where="email_key IS NULL"),
    )
    id: int | None = _key()
    name: str
    email: str | None = Field(default=None, index=True)
    email_key: str | None = Field(default=None, index=True)
    """The address as it is compared, see ``bot.domain.merging.address_key``."""
    phone: str | None = None


class Ticket(SQLModel, table=True):
    """One request from outside. ``version`` grows with every change (compare-and-set)."""

    __tablename__ = "tickets"
    __table_args__: ClassVar[Any] = (
        Index("ix_tickets_list", "team", "status", "opened_at"),
        Index("ix_tickets_waiting", "team", "status", "waiting_since"),
        Index("ix_tickets_assignee", "assignee", "status", "changed_at"),
        Index("ix_tickets_idle", "team", "status", "changed_at"),
        Index("ix_tickets_moved", "team", "status", "moved_at"),
        Index("ix_tickets_purge", "status", "purge_at"),
        Index("ix_tickets_merged_into", "merged_into"),
        Index("ix_tickets_team", "team", "number"),
        # Numbers are said aloud and written on paper: one that was used is never given again.
        {"sqlite_autoincrement": True},
    )
    number: int | None = _key()
    version: int = 1
    status: str
    topic: str
    team: str | None = None
    region: str | None = None
    assignee: str | None = None
    subject: str
    requester_id: int = _refers("requesters.id")
    intake: str
    language: str | None = None
    """In which the requester is to be answered, if that is known."""
    need: str | None = None
    close_reason: str | None = None
    follows: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    diverted_from: str | None = None
    """The team that it is for, if it is in triage because that team's room could not be written to."""
    merged_into: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    """Where its conversation went; that ticket exists as long as this one does."""
    opened_at: datetime = _when()
    changed_at: datetime = _when()
    moved_at: datetime = _when()
    """The last change of status, team or assignee; a message that moves nothing does not count."""
    waiting_since: datetime | None = _when(nullable=True)
    purge_at: datetime | None = _when(nullable=True)


class TicketMessage(SQLModel, table=True):
    """One message of a ticket's conversation. ``author`` is a member who wrote it down, if one did.

    ``kind`` is a :class:`MessageKind`. Ids grow with time: their order is that of the conversation, also of a
    merged one.
    """

    __tablename__ = "messages"
    id: int | None = _key()
    number: int = _refers("tickets.number")
    kind: str = Field(
        default="message", sa_column=Column(String, nullable=False, server_default=text("'message'"))
    )
    text: str = _text()
    intake: str
    author: str | None = None
    sender: str | None = None
    """Who wrote a requester's message, if it was somebody else."""
    extra: dict[str, str] | None = _json()
    mail_id: str | None = Field(default=None, index=True)
    """The Message-ID of the mail that it came or went by."""
    mail_references: list[str] | None = _json()
    """Message-IDs that this mail refers to, the oldest first."""
    original: str | None = _text(nullable=True)
    """The mail's whole text, where quoted history and signature are left out of ``text``."""
    at: datetime = _when()


class LetterRow(SQLModel, table=True):
    """A mail that goes out, or went. What it says is made when it is sent."""

    __tablename__ = "letters"
    __table_args__: ClassVar[Any] = (
        Index("ix_letters_to_hash", "to_hash", "at"),
        Index("ix_letters_origin_hash", "origin_hash", "at"),
        # A row of the outbox names it by its id, which therefore is never given again.
        {"sqlite_autoincrement": True},
    )
    id: int | None = _key()
    number: int = _refers("tickets.number")
    message_id: int | None = _refers("messages.id", nullable=True)
    """Of a reply: the message that it carries."""
    kind: str
    mail_id: str = Field(unique=True)
    """Its Message-ID: the same one however often it is sent."""
    recipient: str | None = None
    """To whom it goes, if not to the requester's address."""
    to_hash: str | None = None
    origin_hash: str | None = None
    """Of an acknowledgement: keyed hashes of its address, and of where the request came from."""
    command_room: str | None = None
    command_event: str | None = None
    """The command that asked for it, which is acknowledged once the mail is sent."""
    post_event: str | None = None
    """The post that shows it in the ticket's thread."""
    state: str
    reason: str | None = _text(nullable=True)
    """What the mail server said last, if it did not take it."""
    at: datetime = _when()
    done_at: datetime | None = _when(nullable=True)


class MailMark(SQLModel, table=True):
    """A mail that was received, whatever became of it: it is not handled again. Tells nothing about anybody.

    ``key`` is a keyed hash of its Message-ID; ``sender`` one of who sent it.
    """

    __tablename__ = "mail_marks"
    key: str = Field(primary_key=True)
    sender: str
    fate: str
    number: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    at: datetime = _when(index=True)


class KeptMail(SQLModel, table=True):
    """A mail that could not be read: kept whole, until an admin has looked at it. Size in bytes."""

    __tablename__ = "kept_mails"
    __table_args__: ClassVar[Any] = ({"sqlite_autoincrement": True},)
    id: int | None = _key()
    key: str = Field(unique=True)
    """Hash of its bytes: the same one is kept once."""
    mailbox: str
    reason: str
    size: int
    data: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    """``None``: it was too large, and lies in the mailbox only."""
    at: datetime = _when()


class Attachment(SQLModel, table=True):
    """A file that came with a message. Size in bytes; of one too large to be kept, ``data`` is empty."""

    __tablename__ = "attachments"
    id: int | None = _key()
    message_id: int = _refers("messages.id")
    name: str
    media_type: str
    size: int
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Task(SQLModel, table=True):
    """A thing to be done before a ticket can be closed. ``position`` is its number within the ticket."""

    __tablename__ = "tasks"
    __table_args__: ClassVar[Any] = (Index("uq_tasks_position", "number", "position", unique=True),)
    id: int | None = _key()
    number: int = _refers("tickets.number", index=False)
    position: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    text: str
    added_by: str
    added_at: datetime = _when()
    done_by: str | None = None
    done_at: datetime | None = _when(nullable=True)


class HistoryEntry(SQLModel, table=True):
    """Append-only: who did what, when, from which standing to which.

    ``cause`` is the Matrix event that asked for it: unique per ticket, so that a command that is run again
    after a crash finds its work done.
    """

    __tablename__ = "history"
    __table_args__: ClassVar[Any] = (
        Index("ix_history_ticket", "number", "id"),
        Index("ix_history_at", "at"),
        Index("uq_history_cause", "cause", "number", unique=True),
    )
    id: int | None = _key()
    number: int = _refers("tickets.number", index=False)
    at: datetime = _when()
    action: str
    who: str | None = None
    from_status: str | None = None
    to_status: str
    note: str | None = _text(nullable=True)
    before: dict[str, Any] | None = _json()
    after: dict[str, Any] | None = _json()
    detail: dict[str, Any] | None = _json()
    """What else the change touched, for undo and for the history's words: ids of ``messages`` and ``tasks``;
    of a merge also the ``other`` ticket. Never words: what is undone must not live on here."""
    cause: str | None = None


class InboxEvent(SQLModel, table=True):
    """A received Matrix event. ``content`` is kept only until a command has been handled."""

    __tablename__ = "inbox"
    __table_args__: ClassVar[Any] = (partial_index("ix_inbox_waiting", "id", where="handled_at IS NULL"),)
    id: int | None = _key()
    event_id: str = Field(unique=True)
    room_id: str
    sender: str
    kind: str = Field(default="message", sa_column=Column(String, nullable=False, server_default="message"))
    """``message``, ``reaction`` on something that the bot posted, or ``sealed``: its key has not come yet,
    and ``content`` is the encrypted one."""
    content: dict[str, Any] | None = _json()
    sent_at: datetime = _when()
    received_at: datetime = _when()
    handled_at: datetime | None = _when(nullable=True)
    attempts: int = 0
    again: dict[str, Any] | None = _json()
    """It was answered before the database was restored: what is known of the answer."""
    cipher: str | None = Field(default=None, index=True)
    """Of an encrypted event: the session and the place in it, each of which counts for one event only.

    Without a place while it is sealed; ``attempts`` then says whether its sender was told."""


class OutboxRow(SQLModel, table=True):
    """Something still to be sent, or the trace of it.

    Rows of one channel about one ticket (``number``) go one after the other. ``payload`` is either
    ``{"content": …}`` (rendered) or names what is to be rendered when it is sent; it is dropped once sent.
    ``room`` is a room id, a room key (``team:freiburg``, ``triage``, ``admin``), or ``None`` for the room of
    the ticket's card.
    """

    __tablename__ = "outbox"
    __table_args__: ClassVar[Any] = (
        Index("ix_outbox_due", "state", "channel", "next_attempt_at", "priority", "id"),
        Index("ix_outbox_order", "state", "channel", "priority", "id"),
        Index("ix_outbox_ticket", "number", "state", "id"),
        Index("ix_outbox_target", "target", "state"),
    )
    id: int | None = _key()
    channel: str = "matrix"
    kind: str
    room: str | None = None
    number: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    target: str | None = None
    """Of a row that looks after seeded reactions: what they are on (``ticket:42``, ``prompt:7``). Of a card's
    row: the card that the attempt under way edits; none, if it is a new one."""
    priority: int
    tx_id: str = Field(unique=True)
    payload: dict[str, Any] | None = _json()
    rendered: int | None = None
    """The ticket version that the attempt under way shows."""
    state: str = "waiting"
    held: bool = False
    """Waits for a room that the bot may not use at the moment."""
    suspect: bool = False
    """May have been sent by another device or long ago: to be looked for in the room first."""
    attempts: int = 0
    error: str | None = None
    created_at: datetime = _when()
    next_attempt_at: datetime = _when()
    done_at: datetime | None = _when(nullable=True)
    event_id: str | None = None


class OutboxTicket(SQLModel, table=True):
    """Which tickets an outbox row names."""

    __tablename__ = "outbox_tickets"
    outbox_id: int = Field(
        sa_column=Column(BigId, ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(BigId, primary_key=True, index=True))


class PostedEvent(SQLModel, table=True):
    """An event that the bot posted, or a member's that a purge is to find."""

    __tablename__ = "posted_events"
    __table_args__: ClassVar[Any] = (
        partial_index("ix_posted_events_seeds", "thread", where="key IS NOT NULL"),
    )
    event_id: str = Field(primary_key=True)
    room_id: str
    kind: str
    thread: str | None = None
    """The root of the thread that it stands in, the card that it edits, or what it is a reaction on."""
    key: str | None = None
    """Of a seeded reaction: its emoji."""
    posted_at: datetime = _when()
    redacted_at: datetime | None = _when(nullable=True)
    redaction_error: str | None = None


class PostedTicket(SQLModel, table=True):
    """Which tickets a posted event shows. Outlives the ticket until the event is redacted: no foreign key."""

    __tablename__ = "posted_tickets"
    event_id: str = Field(
        sa_column=Column(String, ForeignKey("posted_events.event_id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(BigId, primary_key=True, index=True))


class Card(SQLModel, table=True):
    """Where a ticket's card stands: at most one per ticket."""

    __tablename__ = "cards"
    number: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    room_id: str
    event_id: str = Field(index=True)
    version: int
    latest: str | None = None
    """The last event in the card's thread: what clients without threads show a further one as a reply to."""


class Prompt(SQLModel, table=True):
    """A message of the bot that waits for a tap: a confirmation, a further page, a ticket to take.

    Kept here and not in memory: a tap must be understood after a restart, too.
    """

    __tablename__ = "prompts"
    __table_args__: ClassVar[Any] = (Index("ix_prompts_last", "room_id", "person", "kind", "id"),)
    id: int | None = _key()
    outbox_id: int = Field(sa_column=Column(BigId, nullable=False, unique=True))
    event_id: str | None = Field(default=None, unique=True)
    """Of the message, once it was sent."""
    room_id: str
    thread: str | None = None
    person: str
    """Who gave the command that it answers."""
    command: str
    """That command's event."""
    kind: str
    payload: dict[str, Any] = _json(nullable=False)
    created_at: datetime = _when()
    expires_at: datetime = _when(index=True)
    done_at: datetime | None = _when(nullable=True)


class PromptTicket(SQLModel, table=True):
    """Which tickets a prompt names: it goes when one of them is purged."""

    __tablename__ = "prompt_tickets"
    prompt_id: int = Field(
        sa_column=Column(BigId, ForeignKey("prompts.id", ondelete="CASCADE"), primary_key=True)
    )
    number: int = Field(sa_column=Column(BigId, primary_key=True, index=True))


class Mute(SQLModel, table=True):
    """A person's own wish not to hear of a ticket; no part of the ticket's history."""

    __tablename__ = "mutes"
    number: int = _refers("tickets.number", primary=True)
    user_id: str = Field(primary_key=True)
    at: datetime = _when()


class QuietNote(SQLModel, table=True):
    """Something that was posted without ringing, as it was quiet in its room: to be reminded of afterwards.

    ``tx_id`` is the event's transaction: whatever becomes of an attempt, one that was silent stays silent.
    """

    __tablename__ = "quiet_notes"
    __table_args__: ClassVar[Any] = (Index("ix_quiet_notes_reminder", "reminder", "room"),)
    tx_id: str = Field(primary_key=True)
    room: str
    """Key of the room in which it stands."""
    number: int = _refers("tickets.number")
    what: str
    people: list[str] = _json(nullable=False)
    """User ids of those for whom it would have rung; none for a new card, which rings for the room."""
    assignee: str | None = None
    """Whose the ticket was then."""
    at: datetime = _when()
    reminder: str | None = None
    """Transaction of the reminder that tells of it, once that is asked for; empty if there was no need."""


class Room(SQLModel, table=True):
    """A room as the sync tells; committed with the sync token, since the client library forgets it."""

    __tablename__ = "rooms"
    room_id: str = Field(primary_key=True)
    membership: str
    name: str | None = None
    join_rule: str = "invite"
    history_visibility: str = "shared"
    guest_access: str = "forbidden"
    encrypted: bool = False
    replaced_by: str | None = Field(default=None, index=True)
    predecessor: str | None = Field(default=None, index=True)
    """The room that this one says to continue."""
    muted: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    """Whether the bot may not write there."""
    invited_by: str | None = None
    direct: bool = False
    """Whether the invitation was to a direct chat."""
    reported: str | None = None
    """The problems last told to the admins, so that each is told once."""


class Greeting(SQLModel, table=True):
    """The bot has said in a room what it can do: when it did so last."""

    __tablename__ = "greetings"
    room_id: str = Field(primary_key=True)
    at: datetime = _when()


class RoomMember(SQLModel, table=True):
    """Who is joined to a room, with the name shown there."""

    __tablename__ = "room_members"
    __table_args__: ClassVar[Any] = (Index("ix_room_members_user", "user_id"),)
    room_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    name: str | None = None


class RoomKey(SQLModel, table=True):
    """Which room serves as which: ``team:freiburg``, ``triage`` or ``admin``; aliases resolved."""

    __tablename__ = "room_keys"
    key: str = Field(primary_key=True)
    address: str
    """As in the config: alias or id."""
    room_id: str | None = Field(default=None, index=True)


class RoomMove(SQLModel, table=True):
    """A configured room was upgraded: what the admins were asked, and what came of it.

    The config may go on naming the old room, which then stands for the new one.
    """

    __tablename__ = "room_moves"
    old_room_id: str = Field(primary_key=True)
    new_room_id: str = Field(index=True)
    key: str
    """Which room it was, as in ``room_keys``."""
    state: str = Field(index=True)
    """A ``MoveState``."""
    question: int | None = Field(default=None, sa_column=Column(BigId, nullable=True))
    """The outbox row that asked."""
    by: str | None = None
    """The admin who decided."""
    at: datetime = _when()


class SyncState(SQLModel, table=True):
    """One row: how far the sync got, as which user and device."""

    __tablename__ = "sync_state"
    id: int = Field(default=1, primary_key=True)
    user_id: str | None = None
    device_id: str | None = None
    token: str | None = None
    synced_at: datetime | None = _when(nullable=True)


class RateLimit(SQLModel, table=True):
    """One row: how often the homeserver slowed the bot down, and to how many seconds per message."""

    __tablename__ = "rate_limit"
    id: int = Field(default=1, primary_key=True)
    seconds: float
    first_at: datetime = _when()
    last_at: datetime = _when()
    times: int


class Secret(SQLModel, table=True):
    """Random values that the bot makes for itself at its first start, such as the form's signing key."""

    __tablename__ = "secrets"
    name: str = Field(primary_key=True)
    value: str


class DigestMark(SQLModel, table=True):
    """A day's digest was written for a room key. At most one per day, whatever the clock does."""

    __tablename__ = "digest_marks"
    key: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    sent: bool
    """False: there was nothing to tell."""
    at: datetime = _when()


class ApiKey(SQLModel, table=True):
    """A key for the HTTP intake; only its hash is kept."""

    __tablename__ = "api_keys"
    id: int | None = _key()
    name: str = Field(unique=True)
    digest: str = Field(unique=True)
    addresses: list[str] | None = _json()
    """Networks that may use it (CIDR); none: everyone."""
    created_at: datetime = _when()
    revoked_at: datetime | None = _when(nullable=True)


class IdempotencyKey(SQLModel, table=True):
    """A request that was accepted; asked again, it gets the same answer. ``scope`` is who asked."""

    __tablename__ = "idempotency_keys"
    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    number: int = Field(sa_column=Column(BigId, nullable=False, index=True))
    at: datetime = _when(index=True)


class Purged(SQLModel, table=True):
    """What is left of a purged ticket: the number, the dates and who did it."""

    __tablename__ = "purged"
    number: int = Field(sa_column=Column(BigId, primary_key=True, autoincrement=False))
    opened_at: datetime = _when()
    purged_at: datetime = _when()
    purged_by: str
    cause: str | None = None
    """The event that asked for it: run again after a crash, it finds its work done."""
    redacted: int = 0
    failed: int = 0


class Holder(SQLModel, table=True):
    """Who runs on this database; tells a second process whom it met. The lock itself is the database's."""

    __tablename__ = "holder"
    id: int = Field(default=1, primary_key=True)
    host: str
    pid: int
    since: datetime = _when()


from storage import key_models as key_models  # noqa: E402 - its tables are named as those above
from storage import trust_models as trust_models  # noqa: E402

ALL = SQLModel.metadata
