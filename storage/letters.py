"""Mails that go out: what became of each, and what they answer. Queries never commit."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_
from sqlmodel import Session, col, select

from bot.domain.mail import LetterKind, LetterState
from bot.domain.words import MessageKind
from storage import rows
from storage.models import LetterRow, Requester, Ticket, TicketMessage


def add(session: Session, **values: Any) -> int:  # noqa: ANN401
    """Add a mail that waits to be sent; its id."""
    added: int = rows.insert(session, LetterRow, state=LetterState.WAITING.value, **values)
    return added


def get(session: Session, letter_id: int) -> LetterRow | None:
    """The mail as it is now."""
    return rows.get(session, LetterRow, letter_id, fresh=True)


def by_mail_id(session: Session, mail_id: str) -> LetterRow | None:
    """The mail of a Message-ID."""
    return session.exec(select(LetterRow).where(LetterRow.mail_id == mail_id)).first()


_TO = select(func.count()).where(
    LetterRow.to_hash == bindparam("hashed"), col(LetterRow.at) > bindparam("since")
)
_FROM = select(func.count()).where(
    LetterRow.origin_hash == bindparam("hashed"), col(LetterRow.at) > bindparam("since")
)


def count_to(session: Session, hashed: str, since: datetime) -> int:
    """Acknowledgements that went to an address since then."""
    return int(rows.run(session, _TO, hashed=hashed, since=since).scalar_one())


def count_from(session: Session, hashed: str, since: datetime) -> int:
    """Acknowledgements that were caused from a network address since then."""
    return int(rows.run(session, _FROM, hashed=hashed, since=since).scalar_one())


def message_of(session: Session, mail_id: str) -> TicketMessage | None:
    """The message that came or went by the mail of this Message-ID; the first one, if it came twice."""
    query = select(TicketMessage).where(TicketMessage.mail_id == mail_id).order_by(col(TicketMessage.id))
    return session.exec(query.limit(1)).first()


def latest_head(session: Session, number: int, before: int | None = None) -> tuple[str, Sequence[str]] | None:
    """Message-ID and references of the ticket's last mail, in or out, that a next one answers."""
    query = select(TicketMessage.mail_id, TicketMessage.mail_references).where(
        TicketMessage.number == number,
        # Not by the index on it: a ticket has a few messages.
        func.coalesce(col(TicketMessage.mail_id), "") != "",
        TicketMessage.kind != MessageKind.AUTOMATIC.value,
    )
    if before is not None:
        query = query.where(col(TicketMessage.id) < before)
    found = session.exec(query.order_by(col(TicketMessage.id).desc()).limit(1)).first()
    if found is not None:
        return found[0] or "", found[1] or ()
    acknowledged = session.exec(
        select(LetterRow.mail_id)
        .where(LetterRow.number == number, LetterRow.kind == LetterKind.ACKNOWLEDGEMENT.value)
        .order_by(col(LetterRow.id))
        .limit(1)
    ).first()
    return (acknowledged, ()) if acknowledged is not None else None


def senders(session: Session, number: int) -> tuple[str | None, Sequence[str]]:
    """The address of a ticket's requester, and everybody else who wrote on it, as they are kept."""
    address = session.exec(
        select(Requester.email)
        .join(Ticket, col(Ticket.requester_id) == col(Requester.id))
        .where(Ticket.number == number)
    ).first()
    others = session.exec(
        select(TicketMessage.sender)
        .where(TicketMessage.number == number, col(TicketMessage.sender).is_not(None))
        .distinct()
    )
    return address, [each for each in others if each]


def erase(session: Session, number: int, message_ids: Collection[int | None]) -> None:
    """Forget the mails of a ticket, and those that carried its messages."""
    session.exec(
        delete(LetterRow).where(
            or_(col(LetterRow.number) == number, col(LetterRow.message_id).in_(message_ids))
        )
    )
