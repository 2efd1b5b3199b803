"""Reading syncs: what strangers send is made fit to be kept, taken for the worst, and put in order."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.rooms import RoomProblem, problems
from bot.matrix import clean
from bot.matrix.client import TX_KEY
from bot.matrix.events import Reader, in_order
from bot.matrix.room_state import room_state_of
from bot.services.reception import Batch, ReceivedEvent, RoomUpdate

BOT = "@bot:example.org"
ANNA = "@anna:example.org"
ROOM = "!room:example.org"
START = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
UNFIT = ["An\0na", "An\ud800na", "An\udfffna"]


def read(section: str, room: Any, room_id: str = ROOM, joined: frozenset[str] = frozenset({ROOM})) -> Batch:
    """What a sync that tells this of one room is read as."""
    raw = {"next_batch": "t1", "rooms": {section: {room_id: room}}}
    reader = Reader(BOT, lambda content, *, private: private or "body" in content)
    return reader.read(raw, joined, frozenset({ROOM})).batch


def timeline(*events: Any) -> dict[str, Any]:
    return {"timeline": {"events": list(events)}}


def message(event_id: str = "$1", sender: str = ANNA, **content: Any) -> dict[str, Any]:
    return {"type": "m.room.message", "event_id": event_id, "sender": sender, "content": content}


def state(event_type: str, content: Any, state_key: str = "", sender: str = ANNA) -> dict[str, Any]:
    return {"type": event_type, "state_key": state_key, "sender": sender, "content": content}


def invite(*more: dict[str, Any], direct: Any = True, sender: str = ANNA) -> dict[str, Any]:
    own = state("m.room.member", {"membership": "invite", "is_direct": direct}, BOT, sender)
    return {"invite_state": {"events": [*more, own]}}


def test_outside_of_the_configured_rooms_every_message_may_be_for_the_bot() -> None:
    chatter = timeline(message("$1", body="hello"), message("$2"))
    assert [event.content for event in read("join", chatter).events] == [{"body": "hello"}, None]
    direct = "!direct:example.org"
    found = read("join", chatter, direct, frozenset({direct}))
    assert [event.content for event in found.events] == [{"body": "hello"}, {}]


def test_a_room_that_serves_is_looked_at_when_something_is_told_of_it() -> None:
    """Messages are most of what comes; a direct chat may have become one by what was told of other rooms."""
    talk, direct = timeline(message()), "!direct:example.org"
    assert read("join", talk).rooms == ()
    assert read("join", talk, joined=frozenset()).rooms == (RoomUpdate(ROOM, "join"),)
    assert read("join", talk, direct, frozenset({direct})).rooms == (RoomUpdate(direct, "join"),)
    named = timeline(message(), state("m.room.name", {"name": "Freiburg"}))
    assert read("join", named).rooms == (RoomUpdate(ROOM, "join", name="Freiburg"),)


@pytest.mark.parametrize("unfit", UNFIT)
def test_names_lose_what_no_database_holds(unfit: str) -> None:
    """PostgreSQL refuses NUL, UTF-8 lone surrogates; homeservers let both through in names."""
    (update,) = read(
        "join",
        timeline(
            state("m.room.member", {"membership": "join", "displayname": unfit}, ANNA),
            state("m.room.name", {"name": unfit}),
        ),
    ).rooms
    assert (update.members, update.name) == ({ANNA: "An\ufffdna"}, "An\ufffdna")


@pytest.mark.parametrize("unfit", [*UNFIT, "!" + "n" * 255, "", 7, None])
def test_a_room_that_is_replaced_by_nothing_that_can_be_named_is_replaced_all_the_same(unfit: Any) -> None:
    """PostgreSQL's index would refuse an id of some thousand signs, and no sync would come through."""
    (update,) = read("join", timeline(state("m.room.tombstone", {"replacement_room": unfit}))).rooms
    assert update.replaced_by == "?"


def test_names_are_cut() -> None:
    """A card that shows a name as long as an event may be would itself be too long to be sent."""
    (update,) = read(
        "join",
        timeline(
            state("m.room.member", {"membership": "join", "displayname": "n" * 60_000}, ANNA),
            state("m.room.name", {"name": "n" * 60_000}),
        ),
    ).rooms
    assert (update.members, update.name) == ({ANNA: "n" * 256}, "n" * 256)


@pytest.mark.parametrize("unfit", UNFIT)
def test_the_content_of_commands_is_cleaned_to_its_depths(unfit: str) -> None:
    (event,) = read("join", timeline(message(body=unfit, nested={unfit: [{"deep": unfit}]}))).events
    assert event.content == {"body": "An\ufffdna", "nested": {"An\ufffdna": [{"deep": "An\ufffdna"}]}}


@pytest.mark.parametrize("unfit", [*UNFIT, "$" + "x" * 255])
def test_ids_that_cannot_be_kept_are_passed_over(unfit: str) -> None:
    """With another character in its place the id would be that of somebody or something else."""
    good = message("$good", body="!take 1")
    batch = read("join", timeline(message(unfit, body="x"), message("$2", unfit, body="x"), good))
    assert [event.event_id for event in batch.events] == ["$good"]
    member = state("m.room.member", {"membership": "join"}, unfit)
    assert read("join", timeline(member)).rooms == ()
    assert read("join", timeline(good), unfit) == Batch("t1")
    assert read("leave", {}, unfit) == Batch("t1")
    assert read("invite", invite(), unfit) == Batch("t1")
    assert read("invite", invite(sender=unfit)) == Batch("t1")


def test_the_bots_own_event_is_known_by_a_transaction_that_can_be_kept() -> None:
    (echo,) = read("join", timeline(message("$1", BOT, **{TX_KEY: "a\0b"}))).echoes
    assert echo.tx_id == "a\ufffdb"


def test_endless_nesting_ends() -> None:
    deep: Any = "\0"
    for _level in range(5000):
        deep = [deep]
    (event,) = read("join", timeline(message(body="!take 1", deep=deep))).events
    assert event.content is not None
    assert event.content["body"] == "!take 1"
    assert str(event.content).count("[") < 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@given(JSON)
def test_whatever_is_cleaned_can_be_kept(value: Any) -> None:
    told = str(clean.content(value))
    assert "\0" not in told
    told.encode()
    assert clean.content(clean.content(value)) == clean.content(value)


OPEN = {
    "m.room.join_rules": RoomProblem.PUBLIC,
    "m.room.history_visibility": RoomProblem.WORLD_READABLE,
    "m.room.guest_access": RoomProblem.GUESTS,
}
KEYS = {
    "m.room.join_rules": "join_rule",
    "m.room.history_visibility": "history_visibility",
    "m.room.guest_access": "guest_access",
}


@pytest.mark.parametrize("event_type", OPEN)
@pytest.mark.parametrize("value", [7, None, ["shared"], {"invite": True}, True])
def test_an_unreadable_setting_opens_the_room(event_type: str, value: Any) -> None:
    content = {KEYS[event_type]: value}
    assert problems(room_state_of([state(event_type, content)])) == (OPEN[event_type],)
    (update,) = read("join", timeline(state(event_type, content))).rooms
    assert getattr(update, KEYS[event_type]) in {"public", "world_readable", "can_join"}


@pytest.mark.parametrize("event_type", OPEN)
def test_content_that_is_no_mapping_opens_the_room(event_type: str) -> None:
    for content in ("invite", None, 7):
        assert problems(room_state_of([state(event_type, content)])) == (OPEN[event_type],)


def test_a_room_that_says_nothing_has_the_specifications_defaults() -> None:
    assert problems(room_state_of([])) == ()
    assert read("join", timeline(), joined=frozenset()).rooms == (RoomUpdate(ROOM, "join"),)


def test_an_invitation_is_told_of_the_room() -> None:
    assert read("invite", invite()).rooms == (
        RoomUpdate(ROOM, "invite", invited_by=ANNA, direct=True, encrypted=False),
    )
    assert read("invite", invite(direct="yes")).rooms == (
        RoomUpdate(ROOM, "invite", invited_by=ANNA, direct=False, encrypted=False),
    )
    encryption = state("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    assert read("invite", invite(encryption)).rooms == (
        RoomUpdate(ROOM, "invite", invited_by=ANNA, direct=True, encrypted=True),
    )


@pytest.mark.parametrize("room", [{}, {"invite_state": 7}, {"invite_state": {"events": [7, {"type": 7}]}}])
def test_an_invitation_by_nobody_is_none(room: Any) -> None:
    assert read("invite", room) == Batch("t1")


def said(room: str, *seconds: int) -> list[ReceivedEvent]:
    """One room's events with these times, in this order."""
    return [
        ReceivedEvent(f"${room}{index}", f"!{room}", ANNA, None, START + timedelta(seconds=second))
        for index, second in enumerate(seconds)
    ]


def test_events_of_all_rooms_are_ordered_by_their_times() -> None:
    ordered = in_order([*said("a", 1, 4, 6), *said("b", 2, 3, 5)])
    assert [event.event_id for event in ordered] == ["$a0", "$b0", "$b1", "$a1", "$b2", "$a2"]


def test_events_of_the_same_instant_stay_as_they_came() -> None:
    events = [*said("a", 1, 1), *said("b", 1, 1)]
    assert list(in_order(events)) == events


@given(st.lists(st.lists(st.integers(-1000, 1000)), max_size=4))
def test_within_a_room_the_order_stays_whatever_times_are_claimed(rooms: list[list[int]]) -> None:
    events = [event for index, seconds in enumerate(rooms) for event in said(str(index), *seconds)]
    ordered = in_order(events)
    assert sorted(ordered, key=events.index) == events
    for room in {event.room_id for event in events}:
        of_room = [event for event in events if event.room_id == room]
        assert [event for event in ordered if event.room_id == room] == of_room
