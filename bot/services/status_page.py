"""What requesters see of their request by its link, and what they can do there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.words import Action, Intake, MessageKind, Status
from bot.services import arrivals, changes, status_links, withdrawing
from bot.services.arrivals import NewMessage
from bot.services.intake import RetryKey
from bot.services.status_links import Link, Proof
from bot.services.unit import Unit
from storage import conversation, listing, tickets
from storage.models import Ticket, TicketMessage

_MESSAGES: Final = 50
_BY_FORM: Final = (Intake.FORM,)
"""What a link from the form shows. Not what came by the page of the other links: whoever has the mailbox
wrote that, and the form's sender may be somebody else, who entered their address.
"""
_WRITTEN: Final = {Proof.FORM: Intake.FORM, Proof.MAIL: Intake.PAGE}


class Phase(StrEnum):
    """Where a request stands, as its requester is told: spam and archived are closed, too."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


_PHASES: Final = {
    Status.OPEN: Phase.OPEN,
    Status.IN_PROGRESS: Phase.IN_PROGRESS,
    Status.WAITING: Phase.WAITING,
    Status.CLOSED: Phase.CLOSED,
    Status.SPAM: Phase.CLOSED,
    Status.ARCHIVED: Phase.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the requester, or an answer of the team. ``files``: their names."""

    text: str
    at: datetime
    answer: bool
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusView:
    """A request as its requester sees it. All moments are aware; ``zone`` is the team's."""

    number: int
    subject: str
    """Empty if a member wrote the ticket down: those are not the requester's words."""
    phase: Phase
    place: int | None
    """On the waiting list, if it is on it and the team tells."""
    opened_at: datetime
    expires_at: datetime
    zone: ZoneInfo
    lines: tuple[Line, ...]
    shortened: bool
    """Whether there are older messages."""
    proof: Proof

    @property
    def withdrawable(self) -> bool:
        """Whether there is anything to withdraw."""
        return self.phase in (Phase.OPEN, Phase.IN_PROGRESS, Phase.WAITING)


def view(unit: Unit, token: str) -> StatusView | None:
    """The request that a link leads to; ``None`` for a link that is not good."""
    found = _of_link(unit, token)
    if found is None:
        return None
    link, ticket = found
    mailed = link.proof is Proof.MAIL
    ways = tuple(Intake) if mailed else _BY_FORM
    number = changes.number_of(ticket)
    rows = conversation.told_requester(unit.session, number, ways, _MESSAGES + 1, answers=mailed)
    if not mailed and ticket.intake == Intake.HTTP.value:
        # By a web site's own form, whose visitor has the link; what programs add later may be another's.
        first = tickets.first_message(unit.session, ticket)
        rows = [*([first] if first is not None else []), *rows]
    return StatusView(
        number=number,
        subject="" if ticket.intake == Intake.CHAT.value else ticket.subject,
        phase=_phase(unit, ticket),
        place=_place(unit, ticket),
        opened_at=ticket.opened_at,
        expires_at=link.expires_at,
        zone=unit.policy.zone_of(ticket.team),
        lines=_lines(unit, rows[-_MESSAGES:]),
        shortened=len(rows) > _MESSAGES,
        proof=link.proof,
    )


def write(unit: Unit, token: str, message: NewMessage, key: RetryKey) -> str | None:
    """The requester writes on; the token of the link to where it went, ``None`` for a link that is not good.

    That is another request if this one is archived. What brought the message in is told by the link.
    """
    found = _of_link(unit, token)
    if found is None:
        return None
    link, ticket = found
    number = changes.number_of(ticket)
    message = replace(message, intake=_WRITTEN[link.proof])
    arrived = arrivals.receive_message(unit, number, message, key=key)
    return token if arrived.number == number else status_links.issue(unit, arrived.number, link.proof)


def withdraw(unit: Unit, token: str) -> bool:
    """The requester withdraws the request, if it is under way; ``False`` for a link that is not good."""
    found = _of_link(unit, token)
    if found is None:
        return False
    withdrawing.withdraw(unit, changes.number_of(found[1]))
    return True


def _of_link(unit: Unit, token: str) -> tuple[Link, Ticket] | None:
    """The link and where its conversation goes on.

    A form's link ends with a merge: the other ticket may hold what somebody else wrote, whose address the
    sender of the form only entered.
    """
    link = status_links.read(unit, token)
    ticket = None if link is None else tickets.get(unit.session, link.number)
    if link is None or ticket is None:
        return None
    merged = ticket.merged_into is not None or bool(conversation.merged_here(unit.session, link.number))
    if merged and link.proof is Proof.FORM:
        return None
    ticket = conversation.goes_on_in(unit.session, ticket)
    return None if status_links.revoked(unit, ticket, link.issued_at) else (link, ticket)


def _phase(unit: Unit, ticket: Ticket) -> Phase:
    status = Status(ticket.status)
    if status is Status.CLOSED:
        # Undone closes are no matter: a withdrawal cannot be undone, and what is reopened is not closed.
        last = tickets.last_change(unit.session, changes.number_of(ticket), (Action.CLOSE, Action.WITHDRAW))
        if last is not None and last.action == Action.WITHDRAW.value:
            return Phase.WITHDRAWN
    return _PHASES[status]


def _place(unit: Unit, ticket: Ticket) -> int | None:
    page = unit.policy.page
    if page is None or ticket.team not in page.places or ticket.status != Status.WAITING.value:
        return None
    ahead = listing.ahead_of(unit.session, ticket)
    return None if ahead > listing.COUNTED else ahead + 1


def _lines(unit: Unit, rows: Sequence[TicketMessage]) -> tuple[Line, ...]:
    files: dict[int, list[str]] = {}
    ids = [row.id for row in rows if row.id is not None]
    for message_id, name, *_rest in tickets.attachments(unit.session, ids):
        files.setdefault(message_id, []).append(name)
    return tuple(
        Line(row.text, row.at, row.kind == MessageKind.REPLY.value, tuple(files.get(row.id or 0, ())))
        for row in rows
    )
