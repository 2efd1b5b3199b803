"""Mails that came in: which were received already, and which are kept aside. Queries never commit."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from bot.domain.words import Status
from storage import rows
from storage.models import KeptMail, MailMark, Requester, Ticket


def mark(session: Session, key: str) -> MailMark | None:
    """What became of a mail, if it was received before."""
    return session.get(MailMark, key)


def remember(session: Session, **values: Any) -> None:  # noqa: ANN401
    """Note that a mail was received."""
    rows.insert(session, MailMark, **values)


def forget(session: Session, before: datetime) -> None:
    """Drop what was noted so long ago that no server brings the mail again."""
    session.exec(delete(MailMark).where(col(MailMark.at) < before))


_OF_PERSON = (
    select(col(Ticket.number))
    .where(
        col(Ticket.requester_id).in_(select(Requester.id).where(Requester.email_key == bindparam("key"))),
        # Not by the index on it: SQLite does not know that a person has fewer tickets than a status.
        func.coalesce(col(Ticket.status), "").in_(bindparam("statuses", expanding=True)),
        func.coalesce(col(Ticket.merged_into), 0) == 0,
    )
    .order_by((col(Ticket.number) + 0).desc())
    .limit(bindparam("most"))
)


def tickets_of(session: Session, address_key: str, statuses: Collection[Status], most: int) -> Sequence[int]:
    """Numbers of a person's tickets with one of these statuses, newest first."""
    values = {"key": address_key, "statuses": [status.value for status in statuses], "most": most}
    return [number for (number,) in rows.run(session, _OF_PERSON, **values) if number is not None]


def keep(session: Session, **values: Any) -> int | None:  # noqa: ANN401
    """Keep a mail aside; ``None`` if the same one is kept already."""
    known = session.exec(select(KeptMail.id).where(KeptMail.key == values["key"])).first()
    return None if known is not None else rows.insert(session, KeptMail, **values)


def kept(session: Session) -> Sequence[KeptMail]:
    """The mails that are kept aside, oldest first, without what is in them."""
    query = select(KeptMail).options(defer(KeptMail.data)).order_by(col(KeptMail.id))  # type: ignore[arg-type]
    return session.exec(query).all()


def kept_one(session: Session, kept_id: int) -> KeptMail | None:
    """A mail that is kept aside."""
    return session.get(KeptMail, kept_id)


def drop(session: Session, mail: KeptMail) -> None:
    """Keep it no longer."""
    session.delete(mail)
