"""After a restore the database is older than the rooms: what stands there is taken up, nothing is said twice.

The proof is in the first sync of a run: own events that the database does not know. They say what they are,
so that digests, greetings and answers of the lost time are recognised and cards are found again. Members'
commands of that time come once more and are done once more, at their time and silently, which brings their
tickets to where they were. What came from outside and what was tapped is lost; the admins are told.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import structlog

from bot.domain.taps import ACKNOWLEDGED
from bot.services import changes, restored_mail
from bot.services.echoes import EDIT, Echo
from bot.services.unit import ADMIN_ROOM, DatabaseUnavailable, Unit, Units, room_key
from bot.services.views import LostTicket, RestoredReport
from storage import greetings, inbox, outbox, posted, restored, rooms
from storage.models import Card, DigestMark, OutboxRow, SyncState
from storage.outbox import Kind, Priority

_LOG = structlog.get_logger(__name__)
T = TypeVar("T")

MARGIN: Final = 20
"""Numbers that are skipped: those given in the last moments may have left no trace in the rooms."""
_BEHIND: Final = timedelta(minutes=1)
"""A database that heard of the homeserver so long ago may be a backup. A bot hears every half minute."""
_LATER: Final = timedelta(seconds=2)
MOST: Final = 50
"""Tickets of each sort that a report names."""


def is_behind(unit: Unit) -> bool:
    """Whether the database may be a restored one, so that it does not know which numbers were given."""
    state = unit.session.get(SyncState, 1)
    return state is not None and state.synced_at is not None and unit.now - state.synced_at > _BEHIND


class GuardedUnits(Units):
    """Units for what comes in from outside: it has to wait until it is known which numbers were given, and
    then goes before what is posted.
    """

    def __init__(self, units: Units, closed: Callable[[], bool]) -> None:
        super().__init__(units.database, units.policy, units.clock, units.meters)
        self.signals = units.signals
        self._closed = closed

    async def run(self, work: Callable[[Unit], T]) -> T:
        """Run ``work`` in one transaction.

        :raises DatabaseUnavailable: not yet.
        """
        if self._closed():
            raise DatabaseUnavailable(self.database.dialect)
        self.signals.comes_in()
        try:
            return await super().run(work)
        finally:
            self.signals.comes_in()


class RepeatedUnits(Units):
    """Units that do once more what was done before the restore: at its time, and without a word."""

    def __init__(self, units: Units, at: datetime) -> None:
        super().__init__(units.database, units.policy, lambda: min(at, units.clock()))
        self.signals = units.signals

    async def run(self, work: Callable[[Unit], T]) -> T:
        """Run ``work`` in one transaction; whatever it would say is not said."""
        return await super().run(partial(_silently, work))


def _silently(work: Callable[[Unit], T], unit: Unit) -> T:
    newest = restored.newest_row(unit.session)
    result = work(unit)
    restored.take_words_back(unit.session, newest, unit.now)
    unit.at_once.clear()
    return result


def take_up(unit: Unit, echoes: Sequence[Echo]) -> tuple[bool, Mapping[str, dict[str, Any]]]:
    """Take up what the bot posted since a backup was made, if this is one.

    :returns: whether it is; the members' events that were answered since, each with what is known of the
        answer.
    """
    strays = [echo for echo in echoes if _is_stray(unit, echo)]
    if not strays:
        return False, {}
    since = inbox.sync_state(unit.session).synced_at
    _LOG.warning("restored", since=since.isoformat() if since else None, strays=len(strays))
    for echo in strays:
        _adopt(unit, echo)
    numbers = frozenset[int]().union(*(echo.numbers for echo in strays))
    if numbers:
        restored.raise_numbers(unit.session, max(numbers) + MARGIN)
    for number in numbers:
        _bring_up_to_date(unit, number)
    for echo in echoes:
        if echo.is_seed:
            _adopt_seed(unit, echo)
    acknowledged = {
        echo.on: echo.sent_at for echo in strays if echo.on is not None and echo.key == ACKNOWLEDGED
    }
    restored_mail.take_up(unit, acknowledged)
    _report(unit, since, strays, numbers)
    return True, _answers(strays)


def _is_stray(unit: Unit, echo: Echo) -> bool:
    """Whether the database knows nothing of an own event, not even under another transaction."""
    if echo.is_seed or outbox.by_tx(unit.session, echo.tx_id) is not None:
        return False
    return posted.get(unit.session, echo.event_id) is None


def _adopt(unit: Unit, echo: Echo) -> None:
    """Note an event, so that a purge finds it, and what it stands for."""
    kind = restored.STRAY_CARD if echo.kind == Kind.CARD else echo.kind or "answer"
    thread = echo.on if echo.kind == EDIT else echo.thread
    posted.record(unit.session, echo.event_id, echo.room_id, kind, echo.numbers, echo.sent_at, thread)
    if echo.thread is not None:
        posted.thread_goes_on(unit.session, echo.thread, echo.event_id)
    key = rooms.key_of(unit.session, echo.room_id)
    if echo.kind == Kind.DIGEST and echo.day is not None:
        mark = DigestMark(key=room_key(echo.team), day=echo.day, sent=True, at=echo.sent_at)
        unit.session.merge(mark)
    elif echo.kind == Kind.REMINDER and key is not None:
        restored.reminded(unit.session, key, echo.sent_at, echo.tx_id)
    elif echo.what == "greeting":
        greetings.note(unit.session, echo.room_id, echo.sent_at)
    elif echo.what == "room" and (room := rooms.get(unit.session, echo.told_room or "")) is not None:
        room.reported = ",".join(echo.problems)
        unit.session.add(room)


def _bring_up_to_date(unit: Unit, number: int) -> None:
    """A card shows what is not known any more: let it show again what is."""
    if restored.doubt_card(unit.session, number):
        outbox.refresh_card(unit.session, number, unit.now, new=False)
        changes.refresh_seeds(unit, number)
        unit.wake_courier()


def _adopt_seed(unit: Unit, echo: Echo) -> None:
    """Note a reaction that the bot offers; on a question that the database does not know it is taken away."""
    if echo.on is None or echo.key is None or posted.get(unit.session, echo.event_id) is not None:
        return
    shows = posted.tickets_of(unit.session, echo.on)
    posted.record(
        unit.session, echo.event_id, echo.room_id, Kind.SEED, shows, echo.sent_at, echo.on, echo.key
    )
    if not restored.is_card(unit.session, echo.on):
        _untap(unit, echo.room_id, echo.event_id)


def _untap(unit: Unit, room_id: str, event_id: str) -> None:
    outbox.take_away(unit.session, room_id, event_id, unit.now)
    unit.wake_courier()


def _answers(strays: Sequence[Echo]) -> Mapping[str, dict[str, Any]]:
    """Events that were answered → whether they were done, and which tickets the answer named."""
    found: dict[str, dict[str, Any]] = {}
    for echo in strays:
        acknowledged = echo.key is not None and echo.on is not None
        event_id = echo.on if acknowledged else echo.answers if echo.kind == Kind.ANSWER else None
        if event_id is None:
            continue
        told = found.setdefault(event_id, {"done": False, "numbers": []})
        told["done"] |= acknowledged
        told["numbers"] += sorted(echo.numbers)
    return found


def number_for(unit: Unit, cause: str) -> int | None:
    """The number that the ticket opened by an event had before the restore."""
    named = restored.answered(unit.session, cause).get("numbers")
    numbers = [each for each in named if isinstance(each, int)] if isinstance(named, list) else []
    taken = restored.known_tickets(unit.session, numbers).keys() | {*posted.any_purged(unit.session, numbers)}
    return next((number for number in numbers if number not in taken), None)


def found_card(unit: Unit, number: int, room_id: str) -> Card | None:
    """A card that was posted in a room before the restore: it becomes the ticket's again."""
    event = restored.stray_card(unit.session, number, room_id)
    if event is None:
        return None
    event.kind = Kind.CARD.value
    unit.session.add(event)
    card = posted.card(unit.session, number) or Card(number=number, room_id="", event_id="", version=0)
    card.room_id, card.event_id, card.version, card.latest = room_id, event.event_id, 0, None
    unit.session.add(card)
    unit.session.flush()
    changes.refresh_seeds(unit, number)
    return card


# --- what the admins are told ---


def _report(unit: Unit, since: datetime | None, strays: Sequence[Echo], numbers: frozenset[int]) -> None:
    cards = {
        number: [echo.room_id, echo.event_id, echo.sent_at.isoformat()]
        for echo in strays
        if echo.kind == Kind.CARD
        for number in echo.numbers
    }
    payload = {
        "what": "restored",
        "since": since.isoformat() if since else None,
        "cards": [[number, *place] for number, place in sorted(cards.items())],
        "numbers": sorted(numbers),
    }
    outbox.put(
        unit.session, Kind.REPORT, Priority.ALERT, unit.now, room=ADMIN_ROOM, payload=payload, shows=numbers
    )
    unit.wake_courier()


def put_off(unit: Unit, row: OutboxRow) -> bool:
    """Let the report wait until the commands are done once more; says whether it does."""
    if not inbox.depth(unit.session):
        return False
    row.next_attempt_at = unit.now + _LATER
    unit.session.add(row)
    return True


def report(unit: Unit, payload: Mapping[str, Any]) -> RestoredReport:
    """What is lost, as things stand once the commands are done; a lost ticket's card offers nothing more."""
    numbers: list[int] = payload["numbers"]
    known = restored.known_tickets(unit.session, numbers)
    purged = {*posted.any_purged(unit.session, numbers)}
    lost = [
        LostTicket(number, room_id, event_id)
        for number, room_id, event_id, sent_at in payload["cards"]
        if number not in purged
        # A ticket that is younger than the card has the number of the lost one.
        and (number not in known or known[number] > datetime.fromisoformat(sent_at))
    ]
    for each in lost:
        for seed in posted.seeds_on(unit.session, each.event_id).values():
            _untap(unit, each.room_id, seed)
    since = payload["since"]
    return RestoredReport(
        since=datetime.fromisoformat(since) if since else None,
        lost=tuple(lost[:MOST]),
        lost_total=len(lost),
        doubtful=tuple(sorted(known)[:MOST]),
        doubtful_total=len(known),
        highest=max(numbers, default=0) + MARGIN,
    )
