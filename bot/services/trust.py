"""Who the bot is to others' clients: its cross-signing keys, and what the admins are told of them."""

from dataclasses import dataclass

from bot.domain.trust import CrossSigningTrouble
from bot.services.unit import ADMIN_ROOM, Unit
from storage import outbox, trust
from storage.outbox import Kind, Priority


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """What is kept of the account's keys; both are sealed."""

    keys: str | None = None
    recovery_key: str | None = None
    stored: bool = False


def own_keys(unit: Unit, user_id: str) -> OwnKeys:
    """What is kept for this account."""
    kept = trust.own(unit.session)
    if kept is None or kept.user_id != user_id:
        return OwnKeys()
    return OwnKeys(kept.keys, kept.recovery_key, kept.stored)


def keep(unit: Unit, user_id: str, keys: str, recovery_key: str | None, *, stored: bool) -> None:
    """Keep the account's keys; ``recovery_key`` until an operator takes it."""
    own = trust.own_of(unit.session, user_id)
    own.keys, own.recovery_key, own.stored = keys, recovery_key, stored
    unit.session.add(own)


def note_stored(unit: Unit, user_id: str) -> None:
    """The account's secret storage has the keys."""
    own = trust.own_of(unit.session, user_id)
    own.stored = True
    unit.session.add(own)


def forget_recovery_key(unit: Unit) -> None:
    """An operator has it: from now on it is nowhere here."""
    own = trust.own(unit.session)
    if own is not None:
        own.recovery_key = None
        unit.session.add(own)
        unit.scrub = True


def tell(unit: Unit, user_id: str, trouble: CrossSigningTrouble | None) -> None:
    """Tell the admins of a trouble, once; and again if it comes back after it was over."""
    own = trust.own_of(unit.session, user_id)
    told = trouble.value if trouble is not None else None
    if own.told == told:
        return
    own.told = told
    unit.session.add(own)
    if trouble is not None:
        payload = {"what": "cross_signing", "trouble": trouble.value}
        outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
        unit.wake_courier()


def tell_of_session(unit: Unit, device_id: str) -> None:
    """Tell the admins that another session of the bot's account wants to be verified."""
    payload = {"what": "own_session", "device": device_id}
    outbox.put(unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload)
    unit.wake_courier()
