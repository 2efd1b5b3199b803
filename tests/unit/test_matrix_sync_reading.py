"""Reading syncs: what is asked for again, what counts in a room that is new, and what was taken away."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.matrix.client import TX_KEY
from bot.matrix.events import Gap, Reader, Said, SyncAnswer
from bot.matrix.levels import may_post
from bot.matrix.room_state import whole_state
from bot.services.reception import Redaction, RoomUpdate
from tests.unit.test_matrix_events import ANNA, BOT, ROOM, invite, message, state

OTHER = "!other:example.org"


def reader() -> Reader:
    return Reader(BOT, lambda _content, *, private: True)


def sync(room: Any, room_id: str = ROOM, *, known: bool = True, section: str = "join") -> SyncAnswer:
    """A sync that tells this of one room; ``ROOM`` is configured."""
    joined = frozenset({room_id} if known else ())
    raw = {"next_batch": "t", "rooms": {section: {room_id: room}}}
    return reader().read(raw, joined, frozenset({ROOM}))


def member(membership: str, user_id: str = BOT, **content: Any) -> dict[str, Any]:
    return state("m.room.member", {"membership": membership, **content}, user_id)


def timeline(*events: dict[str, Any], limited: bool = False) -> dict[str, Any]:
    return {"events": list(events), "limited": limited, "prev_batch": "p"}


def ids(answer: SyncAnswer | Said) -> list[str]:
    said = answer.batch if isinstance(answer, SyncAnswer) else answer
    return [event.event_id for event in said.events]


def first(count: int, *, room_id: str = ROOM) -> SyncAnswer:
    """A room as a first sync tells it: how many are in it, and not who."""
    room = {"summary": {"m.joined_member_count": count}, "timeline": timeline(member("join"), message("$1"))}
    return sync(room, room_id, known=False)


def test_a_first_sync_asks_only_for_the_state_of_rooms_that_may_serve() -> None:
    assert first(40).unsure == (ROOM,)
    assert first(2, room_id=OTHER).unsure == (OTHER,)
    for count in (0, 1, 3, 1000):
        stranger = first(count, room_id=OTHER)
        assert stranger.batch.rooms == (RoomUpdate(OTHER, "join"),)
        assert (stranger.unsure, stranger.gaps, ids(stranger)) == ((), (), [])


def test_who_is_in_a_new_room_is_asked_for_also_where_no_count_is_told() -> None:
    """The members who never spoke are not in a sync that loads them lazily."""
    new = sync(
        {"state": {"events": [member("join", ANNA)]}, "timeline": timeline(member("join"))}, known=False
    )
    assert new.unsure == (ROOM,)


def test_the_room_that_replaces_one_in_use_is_read_whole_however_many_are_in_it() -> None:
    create = state("m.room.create", {"predecessor": {"room_id": ROOM}})
    come = {
        "summary": {"m.joined_member_count": 5},
        "state": {"events": [create]},
        "timeline": timeline(member("join")),
    }
    answer = sync(come, OTHER, known=False)
    assert [(each.room_id, each.predecessor, BOT in each.members) for each in answer.batch.rooms] == [
        (OTHER, ROOM, True)
    ]
    assert answer.unsure == (OTHER,)
    another = {"summary": {"m.joined_member_count": 6}, "timeline": timeline(member("join", ANNA))}
    raw = {"next_batch": "t", "rooms": {"join": {OTHER: another}}}
    later = reader().read(raw, frozenset({OTHER}), frozenset({ROOM}), frozenset({OTHER}))
    assert [ANNA in each.members for each in later.batch.rooms] == [True]


def test_only_what_was_said_since_the_bot_came_in_last_counts() -> None:
    events = (
        member("join"), message("$in"), member("leave"), message("$out"), member("join"), message("$back"),
        member("join", displayname="Renamed"), message("$on"),
    )  # fmt: skip
    answer = sync({"timeline": timeline(*events)}, known=False)
    assert (ids(answer), answer.gaps) == (["$back", "$on"], ())
    out = sync({"timeline": timeline(*events[:4])}, known=False)
    assert ids(out) == []


def test_a_cut_timeline_of_a_new_room_is_gone_back_to_where_the_bot_came_in() -> None:
    answer = sync({"timeline": timeline(message("$4"), limited=True)}, known=False)
    (gap,) = answer.gaps
    assert (ids(answer), gap) == ([], Gap(ROOM, "p", (message("$4"),)))
    page = [message("$1"), member("join"), message("$2"), message("$3")]
    assert ids(reader().read_page(gap, page)) == ["$2", "$3", "$4"]
    assert ids(reader().read_page(gap, [message("$1")])) == []
    known = sync({"timeline": timeline(message("$4"), limited=True)})
    assert (ids(known), known.gaps) == (["$4"], (Gap(ROOM, "p"),))
    assert ids(reader().read_page(known.gaps[0], page)) == ["$1", "$2", "$3"]


@pytest.mark.parametrize(
    ("where", "sender", "told"),
    [("content", ANNA, True), ("event", ANNA, True), ("content", BOT, True), ("nowhere", ANNA, False)],
)
def test_what_is_taken_away_is_told_in_either_form(where: str, sender: str, *, told: bool) -> None:
    event: dict[str, Any] = {"type": "m.room.redaction", "event_id": "$r", "sender": sender, "content": {}}
    event["origin_server_ts"] = 1_700_000_000_000
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    target = {"redacts": "$gone"}
    event |= {"content": target} if where == "content" else target if where == "event" else {}
    answer = sync({"timeline": timeline(event)})
    expected = Redaction("$gone", ROOM, by_bot=sender == BOT, at=at)
    assert answer.batch.redactions == ((expected,) if told else ())


def test_what_an_old_room_version_takes_away_its_content_does_not_say() -> None:
    both = {"redacts": "$gone", "content": {"redacts": "$card"}}
    event = {"type": "m.room.redaction", "event_id": "$r", "sender": ANNA, **both}
    assert sync({"timeline": timeline(event)}).batch.redactions == (Redaction("$gone", ROOM),)


def test_an_own_event_that_was_gone_before_it_was_seen_is_told() -> None:
    because = {"sender": ANNA, "origin_server_ts": 1_700_000_000_000}
    gone = {**message("$gone", BOT), "unsigned": {"redacted_because": because}}
    own = {**message("$own", BOT), "unsigned": {"redacted_because": {"sender": BOT}}}
    echo = message("$echo", BOT, **{TX_KEY: "tx"})
    answer = sync({"timeline": timeline(gone, own, echo)})
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert answer.batch.redactions == (Redaction("$gone", ROOM, own=True, at=at),)
    assert [each.event_id for each in answer.batch.echoes] == ["$echo"]


def test_an_invitation_tells_which_room_it_continues() -> None:
    for content, expected in (
        ({"predecessor": {"room_id": OTHER}}, OTHER),
        ({"predecessor": OTHER}, None),
        ({}, None),
    ):
        answer = sync(invite(state("m.room.create", content)), known=False, section="invite")
        assert [room.predecessor for room in answer.batch.rooms] == [expected]


CREATE = state("m.room.create", {"room_version": "12"})
OLDER = state("m.room.create", {"room_version": "11"}, sender=BOT)


def helped_by(*creators: Any) -> dict[str, Any]:
    return state("m.room.create", {"room_version": "12", "additional_creators": list(creators)})


def levels(**content: Any) -> dict[str, Any]:
    return state("m.room.power_levels", content)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], True),
        ([levels(events_default=50)], False),
        ([levels(events_default=50, users={BOT: 50})], True),
        ([levels(events_default="50", users={BOT: "49"})], False),
        ([levels(events_default=50, users_default=50)], True),
        ([levels(events={"m.room.message": 100}, users={BOT: 50})], False),
        ([levels(events={"m.reaction": 100})], True),
        ([levels(events_default=[], users=7, events=None)], True),
        ([levels(events_default=100), {**CREATE, "sender": BOT}], True),
        ([levels(events_default=100), OLDER], False),
        ([levels(events_default=100), helped_by(BOT)], True),
        ([levels(events_default=100), helped_by({})], False),
    ],
)  # fmt: skip
def test_the_levels_say_whether_the_bot_may_write(events: list[dict[str, Any]], *, expected: bool) -> None:
    assert may_post(events, BOT) is expected
    assert whole_state(ROOM, events, BOT).muted is not expected


def test_levels_alone_are_looked_at_with_the_whole_state() -> None:
    answer = sync({"timeline": timeline(levels(events_default=50))})
    assert (answer.unsure, answer.batch.rooms) == ((ROOM,), ())
    new = {"state": {"events": [CREATE, levels(events_default=50)]}, "timeline": timeline(member("join"))}
    assert sync(new, known=False).batch.rooms[0].muted is True
