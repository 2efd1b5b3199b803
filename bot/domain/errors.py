"""What can go wrong, as data; the prose belongs to the presentation.

TickettruheError
├─ Refusal                  a use case said no; nothing was changed
│  ├─ UnknownTicket         no such number, or not to be shown in this room
│  ├─ NotAllowedFrom        the ticket's status does not permit the action
│  ├─ MergedInto            the ticket's conversation goes on in another
│  ├─ NotSamePerson         two tickets to be merged are of different people
│  ├─ NotPermitted          the person lacks the right
│  ├─ TakenBy               somebody else is the assignee
│  ├─ OpenTasks             tasks must be done first
│  ├─ UnknownTask           the ticket has no task of that number
│  ├─ NoWaitlist            the ticket's topic has no waiting list
│  ├─ NotAMember            the future assignee is not in the ticket's team
│  ├─ NothingToUndo         the last change is another's, too old, or cannot be undone
│  ├─ UnknownName           a team, topic, region or person that does not exist
│  ├─ MailNotSetUp          there is no mail server to answer requesters through
│  ├─ NoMailAddress         the requester left no e-mail address
│  ├─ NoCannedAnswer        no prepared answer is called that
│  ├─ WhichTeam             in a direct chat: the person is in several teams
│  ├─ NotHere               this room may not show the answer
│  ├─ NoSuccessor           a room that was not upgraded cannot be moved out of
│  └─ TooManyTickets        more numbers at once than one command takes
├─ UsageError               a command line cannot be understood; says where
├─ InvalidInput             text from outside broke a limit; names the field
└─ Conflict                 the row changed meanwhile; the unit of work is to be run again
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain.words import Action, OpenTask, Right, Status, Team


class TickettruheError(Exception):
    """Root of the project's own errors."""


@dataclass
class Refusal(TickettruheError):
    """A use case said no and changed nothing. Carries what a person needs to go on."""

    number: int | None

    def __post_init__(self) -> None:
        super().__init__(type(self).__name__)

    @property
    def named(self) -> str | None:
        """User id of the person that the refusal is about, if it is about one."""
        return None


@dataclass
class UnknownTicket(Refusal):
    """There is no such ticket, or this room may not show it: both get the same answer."""


@dataclass
class NotAllowedFrom(Refusal):
    """The lifecycle has no such move from here; ``possible`` are those this person could make."""

    action: Action
    status: Status
    possible: tuple[Action, ...]


@dataclass
class MergedInto(Refusal):
    """The ticket was merged into ``target``, where its conversation goes on."""

    target: int


@dataclass
class NotSamePerson(Refusal):
    """The tickets are of different people. Raised only to members who may see both requesters."""

    other: int
    # Nobody's name gets into a log by way of an error.
    name: str = field(repr=False)
    other_name: str = field(repr=False)


@dataclass
class NotPermitted(Refusal):
    """The person lacks the right; ``assignee`` is whose ticket it is. No ``action``: a list or the like."""

    action: Action | None
    right: Right
    assignee: str | None = None

    @property
    def named(self) -> str | None:
        """Whose ticket it is."""
        return self.assignee


@dataclass
class TakenBy(Refusal):
    """Somebody else has the ticket."""

    assignee: str
    status: Status

    @property
    def named(self) -> str | None:
        """Whose ticket it is."""
        return self.assignee


@dataclass
class OpenTasks(Refusal):
    """These tasks are to be done before the ticket can be closed (wiki, "Closed")."""

    tasks: tuple[OpenTask, ...]


@dataclass
class UnknownTask(Refusal):
    """The ticket has no task of this number; ``known`` are those that it has."""

    position: int
    known: tuple[int, ...]


@dataclass
class NoWaitlist(Refusal):
    """Only topics with a waiting list can wait (wiki, "On waiting")."""

    topic: str


@dataclass
class NotAMember(Refusal):
    """The person named is not a member of the ticket's team."""

    user_id: str
    team: Team

    @property
    def named(self) -> str | None:
        """Who is no member."""
        return self.user_id


class UndoProblem(StrEnum):
    """Why nothing can be undone."""

    NOTHING = "nothing"
    OPENED = "opened"
    """It was the opening of the ticket."""
    PURGED = "purged"
    SINCE = "since"
    """Something happened to the other ticket of a merge since."""
    OTHERS = "others"
    TOO_OLD = "too_old"
    SENT = "sent"
    """It was an answer to the requester, which is on its way."""


@dataclass
class NothingToUndo(Refusal):
    """The ticket's last change is not this person's, is too old, or was none that can be undone."""

    problem: UndoProblem
    last_by: str | None = None
    last_at: datetime | None = None

    @property
    def named(self) -> str | None:
        """Who made the last change."""
        return self.last_by


class NameKind(StrEnum):
    """What sort of name was not known."""

    TEAM = "team"
    TOPIC = "topic"
    REGION = "region"
    PERSON = "person"
    COMMAND = "command"
    LIST = "list"


@dataclass
class UnknownName(Refusal):
    """No such team, topic, region or person; ``known`` are those that exist, ``near`` the closest."""

    kind: NameKind
    name: str
    known: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


@dataclass
class MailNotSetUp(Refusal):
    """There is no mail server to answer requesters through."""


@dataclass
class NoMailAddress(Refusal):
    """The requester left no e-mail address; ``phone``: but a phone number."""

    phone: bool


@dataclass
class NoCannedAnswer(Refusal):
    """No prepared answer is called so; ``known`` are those that fit the ticket."""

    name: str
    known: tuple[str, ...]


@dataclass
class WhichTeam(Refusal):
    """In a direct chat nothing says for which of the person's ``teams`` something is."""

    teams: tuple[Team, ...]


@dataclass
class NotHere(Refusal):
    """What the command tells may be shown in the admin room and in an admin's direct chat only."""

    command: str


@dataclass
class NoSuccessor(Refusal):
    """The room of this key was not upgraded: there is nowhere to move."""

    name: str


@dataclass
class TooManyTickets(Refusal):
    """One command takes at most ``limit`` numbers."""

    limit: int


@dataclass
class NotYourPrompt(Refusal):
    """Only the person who gave a command can confirm it, or go on with a list of their own."""

    person: str

    @property
    def named(self) -> str | None:
        """Who was asked."""
        return self.person


@dataclass
class PromptOver(Refusal):
    """The question is too old to be answered by a tap."""


@dataclass
class NothingMore(Refusal):
    """The person's last list here has no further page, or is too long ago."""


class UsageProblem(StrEnum):
    """Why a command line cannot be understood."""

    UNKNOWN_COMMAND = "unknown_command"
    UNKNOWN_OPTION = "unknown_option"
    OPTION_NEEDS_VALUE = "option_needs_value"
    UNCLOSED_QUOTE = "unclosed_quote"
    NO_TICKET = "no_ticket"
    """No number was given and the message is no reply to a card and in no ticket's thread."""
    NOT_A_NUMBER = "not_a_number"
    ONE_NUMBER_ONLY = "one_number_only"
    TWO_NUMBERS = "two_numbers"
    """The command joins exactly two tickets."""
    UNKNOWN_FORM = "unknown_form"
    """The command is known, but not with this second word."""
    UNCLEAR_NUMBER = "unclear_number"
    """A bare number in a ticket's thread that could as well be the first word of the text."""
    MISSING = "missing"
    UNEXPECTED = "unexpected"
    NEEDS_PREFIX = "needs_prefix"
    """Without the prefix this may as well be an ordinary sentence."""


@dataclass
class UsageError(TickettruheError):
    """A command line that cannot be understood.

    ``start`` and ``length`` count characters in ``line``, which is a single line; ``expected`` is the
    parameter's or option's name; ``near`` are names that may have been meant; ``usage`` is the command's
    form, empty if the command is unknown.
    """

    problem: UsageProblem
    line: str
    start: int
    length: int
    expected: str = ""
    near: tuple[str, ...] = ()
    usage: str = ""

    def __post_init__(self) -> None:
        super().__init__(f"{self.problem} at {self.start}")


class InputProblem(StrEnum):
    """What is wrong with a field."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    NOT_AN_ADDRESS = "not_an_address"
    NOT_A_CHOICE = "not_a_choice"
    MALFORMED = "malformed"
    NOT_DAYS = "not_days"


@dataclass
class InvalidInput(TickettruheError):
    """A field from outside breaks a limit. Carries the field's name and never its value."""

    field: str
    problem: InputProblem
    limit: int | None = None

    def __post_init__(self) -> None:
        super().__init__(f"{self.field}: {self.problem}")


class Conflict(TickettruheError):
    """The row was changed by somebody else since it was read."""
