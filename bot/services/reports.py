"""What the admin room is told, and of mails: how an outbox row's payload becomes a view when it is sent."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from bot.domain.trust import CrossSigningTrouble
from bot.services import letters, people, restoring, verification
from bot.services.letter_views import MailServerReport
from bot.services.unit import Unit
from bot.services.views import (
    Alert,
    CommandFailed,
    CrossSigningReport,
    DeliveryReport,
    MailAside,
    MailsUnmarked,
    NowhereReport,
    OwnSessionReport,
    PurgeReport,
    RoomMoved,
    RoomMoveQuestion,
    RoomMoveRejected,
    RoomMoveShutOut,
    RoomReport,
)
from storage import posted, tickets
from storage.models import Purged

Payload = dict[str, Any]


def _room(_unit: Unit, payload: Payload) -> Alert:
    return RoomReport(payload["name"], payload["room_id"], tuple(payload["problems"]))


def _delivery(_unit: Unit, payload: Payload) -> Alert:
    numbers, diverted = tuple(payload["numbers"]), payload.get("diverted", False)
    return DeliveryReport(payload["kind"], payload["room"], numbers, payload["reason"], diverted)


def _purged(unit: Unit, payload: Payload) -> Alert | None:
    purged = unit.session.get(Purged, payload["number"])
    return PurgeReport(purged.number, purged.redacted, purged.failed) if purged else None


def _failed(_unit: Unit, payload: Payload) -> Alert:
    return CommandFailed(payload["event_id"])


def _nowhere(unit: Unit, payload: Payload) -> Alert | None:
    """Those that stand nowhere still; rows from before it told of several have one number."""
    numbers = payload["numbers"] if "numbers" in payload else [payload["number"]]
    cardless = [each for each in numbers if posted.card(unit.session, each) is None]
    still = [(each, ticket) for each in cardless if (ticket := tickets.get(unit.session, each)) is not None]
    if not still:
        return None
    (number, first), *others = still
    return NowhereReport(number, first.diverted_from, tuple(each for each, _ticket in others))


def _move_question(_unit: Unit, payload: Payload) -> Alert:
    return RoomMoveQuestion(payload["name"], payload["old"], payload["new"])


def _move_rejected(_unit: Unit, payload: Payload) -> Alert:
    return RoomMoveRejected(payload["name"], payload["new"], payload["seen"], payload.get("serves"))


def _move_shut_out(_unit: Unit, payload: Payload) -> Alert:
    return RoomMoveShutOut(payload["name"], payload["new"])


def _room_moved(unit: Unit, payload: Payload) -> Alert:
    by = people.optional_person(unit, payload["by"])
    return RoomMoved(payload["name"], payload["new"], by, payload["outdated"])


def _restored(unit: Unit, payload: Payload) -> Alert:
    return restoring.report(unit, payload)


def _reply(unit: Unit, payload: Payload) -> Alert | None:
    return letters.reply_post(unit, payload["letter"])


def _mail_server(_unit: Unit, payload: Payload) -> Alert:
    return MailServerReport(payload["reason"])


def _mail_aside(_unit: Unit, payload: Payload) -> Alert:
    return MailAside(payload["id"], payload["mailbox"], payload["reason"], payload["size"], payload["here"])


def _mail_unmarked(_unit: Unit, payload: Payload) -> Alert:
    return MailsUnmarked(payload["mailbox"], payload["code"])


def _cross_signing(_unit: Unit, payload: Payload) -> Alert:
    return CrossSigningReport(CrossSigningTrouble(payload["trouble"]))


def _own_session(_unit: Unit, payload: Payload) -> Alert:
    return OwnSessionReport(payload["device"])


LOAD: Final[Mapping[str, Callable[[Unit, Payload], Alert | None]]] = MappingProxyType(
    {
        "room": _room,
        "delivery": _delivery,
        "purged": _purged,
        "failed": _failed,
        "nowhere": _nowhere,
        "move_question": _move_question,
        "move_rejected": _move_rejected,
        "move_shut_out": _move_shut_out,
        "room_moved": _room_moved,
        "restored": _restored,
        "reply": _reply,
        "undelivered": letters.undelivered,
        "mail_server": _mail_server,
        "mail_aside": _mail_aside,
        "mail_unmarked": _mail_unmarked,
        "cross_signing": _cross_signing,
        "own_session": _own_session,
        "comparison": verification.comparison,
        "verification_over": verification.outcome,
    }
)
"""What a payload says that it is → its view; ``None`` if what it was about is gone."""
