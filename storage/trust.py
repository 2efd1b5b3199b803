"""Who the bot is to others, and whom it has verified. Queries never commit."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, select

from storage.trust_models import OwnIdentity, Verification, VerifiedPerson

_ONLY = 1


def own(session: Session) -> OwnIdentity | None:
    """The account's keys, as far as the bot has them."""
    return session.get(OwnIdentity, _ONLY)


def own_of(session: Session, user_id: str) -> OwnIdentity:
    """The same for this account, begun anew if it was another's."""
    known = own(session)
    if known is not None and known.user_id != user_id:
        session.delete(known)
        session.flush()
        known = None
    if known is None:
        known = OwnIdentity(id=_ONLY, user_id=user_id)
        session.add(known)
    return known


def verification(session: Session, transaction: str) -> Verification | None:
    """A verification under way."""
    return session.get(Verification, transaction)


def verifications(session: Session) -> Sequence[Verification]:
    """All that are under way."""
    return session.exec(select(Verification).order_by(Verification.began_at)).all()  # type: ignore[arg-type]


def note_verified(session: Session, user_id: str, master_key: str, now: datetime) -> None:
    """This master key is this person's."""
    session.merge(VerifiedPerson(user_id=user_id, master_key=master_key, verified_at=now))
