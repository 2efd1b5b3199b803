"""Verifications as the database knows them: who may, where the emoji stand, what an admin says to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bot.domain.errors import PromptOver
from bot.domain.trust import VerificationEnd
from bot.domain.words import RoomKind, Team
from bot.services import people, prompts
from bot.services.prompts import NewPrompt, PromptKind
from bot.services.unit import ADMIN_ROOM, Unit
from bot.services.views import Comparison, Person, VerificationOver
from storage import outbox, rooms, trust
from storage.outbox import Kind, Priority
from storage.trust_models import Verification

WITHIN: Final = timedelta(minutes=10)
"""How long one may take (client-server API, "Key verification framework")."""
_YES: Final = "yes"
_NO: Final = "no"


@dataclass(frozen=True, slots=True)
class Running:
    """A verification under way, as whoever sits at the bot's machine sees it."""

    transaction: str
    person: Person
    device_id: str
    room_id: str | None
    began_at: datetime
    emoji: tuple[int, ...] = ()
    decimals: tuple[int, ...] = ()
    decision: bool | None = None

    @property
    def shown(self) -> bool:
        """Whether there is something to compare, and nobody has yet."""
        return bool(self.emoji or self.decimals) and self.decision is None


def is_acquainted(unit: Unit, user_id: str) -> bool:
    """Whether the person shares a room with the bot; a stranger is not answered at all."""
    return rooms.in_any(unit.session, [user_id]) != frozenset()


def may_verify(unit: Unit, user_id: str, room_id: str | None) -> bool:
    """Whether the person is an admin; in a room: and it is their direct chat."""
    caller = people.caller_of(unit, user_id, room_id or "")
    return caller.actor.admin and (room_id is None or caller.place.kind is RoomKind.DIRECT)


def begin(unit: Unit, transaction: str, user_id: str, device_id: str, room_id: str | None) -> None:
    """Note that a verification has begun: after a crash it is to be called off."""
    running = Verification(
        transaction=transaction, user_id=user_id, device_id=device_id, room_id=room_id, began_at=unit.now
    )
    unit.session.merge(running)


def show(unit: Unit, transaction: str, emoji: Sequence[int], decimals: Sequence[int]) -> bool:
    """Let the admin compare, and answer; says whether there is a room for it.

    From device to device there is none that belongs to it: then it is the direct chat with the admin, else
    the admin room, if they are there.
    """
    running = trust.verification(unit.session, transaction)
    if running is None:
        return False
    running.shown = shown = {"emoji": list(emoji), "decimals": list(decimals)}
    unit.session.add(running)
    room, team = _place(unit, running)
    if room is None:
        return False
    about = {
        "what": "comparison",
        "transaction": transaction,
        "person": running.user_id,
        "team": team,
        **shown,
    }
    row = outbox.put(unit.session, Kind.REPORT, Priority.ANSWER, unit.now, room=room, payload=about)
    question = NewPrompt(PromptKind.COMPARE, {"transaction": transaction})
    prompts.ask(unit, question, row.id, room, thread=None, person=running.user_id, command="", shows=())
    running.question = row.id
    unit.wake_courier()
    return True


def _place(unit: Unit, running: Verification) -> tuple[str | None, Team]:
    """Where to show it: room key or id, and whose language is spoken there."""
    room_id = running.room_id or rooms.direct_chat(unit.session, running.user_id, unit.policy.bot_user)
    if room_id is not None:
        caller = people.caller_of(unit, running.user_id, room_id)
        if caller.place.kind is RoomKind.DIRECT:
            return room_id, caller.place.team
    return (ADMIN_ROOM, None) if running.user_id in people.joined_to(unit, ADMIN_ROOM) else (None, None)


def comparison(unit: Unit, payload: dict[str, Any]) -> Comparison | None:
    """What the question says; ``None`` if it is over."""
    running = trust.verification(unit.session, payload["transaction"])
    if running is None:
        return None
    person = people.person(unit, payload["person"], payload["team"])
    until = running.began_at + WITHIN
    return Comparison(person, tuple(payload["emoji"]), tuple(payload["decimals"]), payload["team"], until)


def decide(unit: Unit, transaction: str, *, yes: bool) -> None:
    """The admin says whether both sides show the same.

    :raises PromptOver: it has ended meanwhile.
    """
    running = trust.verification(unit.session, transaction)
    if running is None or running.decision is not None:
        raise PromptOver(None)
    running.decision = _YES if yes else _NO
    unit.session.add(running)
    if running.question is not None:
        prompts.end(unit, running.question)


def running(unit: Unit) -> tuple[Running, ...]:
    """All that are under way, oldest first."""
    return tuple(_seen(unit, each) for each in trust.verifications(unit.session))


def _seen(unit: Unit, each: Verification) -> Running:
    shown = each.shown or {}
    return Running(
        each.transaction,
        people.person(unit, each.user_id),
        each.device_id,
        each.room_id,
        each.began_at,
        tuple(shown.get("emoji", ())),
        tuple(shown.get("decimals", ())),
        None if each.decision is None else each.decision == _YES,
    )


def note_verified(unit: Unit, user_id: str, master_key: str) -> None:
    """The person's master key was compared."""
    trust.note_verified(unit.session, user_id, master_key, unit.now)


def over(unit: Unit, transaction: str, end: VerificationEnd, *, signed: bool = False) -> None:
    """It has ended: tell whoever was asked, where they were asked.

    :param signed: whether the bot has signed the person's master key.
    """
    running = trust.verification(unit.session, transaction)
    if running is None:
        return
    if running.question is not None:
        prompts.end(unit, running.question)
        room, team = _place(unit, running)
        payload = {
            "what": "verification_over", "person": running.user_id, "end": end.value, "signed": signed,
            "team": team,
        }  # fmt: skip
        if room is not None:
            outbox.put(unit.session, Kind.REPORT, Priority.ANSWER, unit.now, room=room, payload=payload)
            unit.wake_courier()
    unit.session.delete(running)


def outcome(unit: Unit, payload: dict[str, Any]) -> VerificationOver:
    """What came of one."""
    person = people.person(unit, payload["person"], payload["team"])
    return VerificationOver(person, VerificationEnd(payload["end"]), payload["signed"])
