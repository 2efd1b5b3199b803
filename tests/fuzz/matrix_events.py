"""Events and syncs as no decent homeserver tells them, with something that is valid in between."""

from typing import Any, Final

from hypothesis import strategies as st

from tests.fuzz.rubbish import NOISE, TEXTS, VALUES, Pairs, mostly
from tests.integration.desk_data import ANNA, BEN, BERLIN, BOT, CARLA, DORA, FREIBURG, OLGA, TRIAGE

DIRECT: Final = "!direct:example.org"
ODD_IDS: Final = (
    "",
    "!",
    "!a\0b:example.org",
    "!\ud800:x",
    "!" + "r" * 300,
    "!" + NOISE,
    "no room",
    "!ü:example.org",
    "__proto__",
)
ROOMS: Final = st.sampled_from([FREIBURG, FREIBURG, DIRECT, TRIAGE, "!new:example.org", *ODD_IDS])
"""Rooms that rubbish happens in; Berlin stays as it is, apart from what is said there."""
USERS: Final = st.sampled_from(
    [ANNA, BEN, CARLA, DORA, OLGA, BOT, "@x:evil.example", "@" + NOISE, "@a\0:x", "\ud800", "anna", ""]
)
LINES: Final = st.sampled_from(
    [
        "!list", "!help", "!help take", "!show 1", "!show 99", "!search laptop", "!search „", "!mine",
        "!take 99999999999999", "!take", "!t", "!take 1,2", "!assign 1 -- \u202e", "!note 2", "!waitlist",
        "!history 1", "!more", "hello", "take 7", "! 1", "!1", "!" + "x" * 5_000, "!note 7 " + "\n" * 3_000,
        "!new --name „A“ -- b", "!new", "!help \ud800", "!close 7 \0", "!merge 7 8", "!mute 2", "!undo 2",
        "!task 2 add x", "!reply 2 x", "!message 2 x", "!transfer 2 none", "!topic 2 other", "!more more",
    ]
)  # fmt: skip
"""What is said in the rooms. Nothing of it changes the ticket of the valid commands."""


TYPES: Final = st.sampled_from(
    [
        "m.room.message",
        "m.room.message",
        "m.reaction",
        "m.room.encrypted",
        "m.room.redaction",
        "m.sticker",
        "a\0b",
    ]
)
SETTINGS: Final = {
    "m.room.join_rules": ("join_rule", "invite", "public", "restricted"),
    "m.room.history_visibility": ("history_visibility", "shared", "world_readable"),
    "m.room.guest_access": ("guest_access", "forbidden", "can_join"),
    "m.room.name": ("name", "Room", "\0"),
    "m.room.tombstone": ("replacement_room", "!new:example.org", "!" + NOISE),
    "m.room.encryption": ("algorithm", "m.megolm.v1.aes-sha2"),
    "m.room.power_levels": ("users_default", 100, "100"),
    "m.room.create": ("room_version", "11", 11),
}
"""Type of a state event → the key that counts in it, and some values."""
EVENT_IDS: Final = (
    st.integers(0, 10**9).map(lambda number: f"$odd{number}")
    | st.sampled_from(["$same", "", "$a\0b", "$\ud800", "$" + NOISE, "$sent0"])
    | VALUES
)
TIMES: Final = st.sampled_from([0, -1, 1_790_000_000_000, 10**12, 10**15, 2**63, 1e15, True]) | VALUES
RELATIONS: Final = st.fixed_dictionaries(
    {},
    optional={
        "rel_type": st.sampled_from(["m.thread", "m.replace", "m.annotation", "m.reference"]) | VALUES,
        "event_id": EVENT_IDS,
        "key": st.sampled_from(["✅", "🙋", "⏳", "🚫", "❌", "🙋🏽‍♀️", "x" * 900, "\0"]) | VALUES,
        "is_falling_back": VALUES,
        "m.in_reply_to": st.fixed_dictionaries({}, optional={"event_id": EVENT_IDS}) | VALUES,
    },
)
MARKUP: Final = st.sampled_from(
    ["<b>!take 7</b>", '<a href="https://matrix.to/#/@anna:example.org">Anna</a> !list', "<a " * 3_000,
     "<div>" * 3_000, "<!x[", "&#xd800;", "<mx-reply>", "</" * 5_000]
)  # fmt: skip
CONTENTS: Final = (
    st.fixed_dictionaries(
        {},
        optional={
            "msgtype": st.sampled_from(["m.text", "m.text", "m.text", "m.notice", "m.image"]) | VALUES,
            "body": LINES | TEXTS | VALUES,
            "format": st.just("org.matrix.custom.html") | VALUES,
            "formatted_body": MARKUP | VALUES,
            "m.relates_to": RELATIONS | VALUES,
            "m.new_content": VALUES,
            "m.mentions": VALUES,
            "membership": st.sampled_from(["join", "leave", "invite", "ban", "knock"]) | VALUES,
            "displayname": TEXTS | VALUES,
            "is_direct": st.booleans() | VALUES,
            "org.tickettruhe.tx": VALUES,
            "reason": VALUES,
        },
    )
    | VALUES
)
MEGOLM: Final = "m.megolm.v1.aes-sha2"
OLM: Final = "m.olm.v1.curve25519-aes-sha2"
KEYS: Final = st.sampled_from(
    ["", "x", "JgzSIYuOENYbHdHzjYOHW3Pr4LIaCdrQ3CFm2hSkdiU", "A" * 43, "ü" * 43, "\0", "\ud800", NOISE]
)
CIPHERTEXTS: Final = st.sampled_from(["", "AwgA", "AwgAEgEA" + "A" * 200, "A" * 70_000, "!", "\0"])
SEALED: Final = st.fixed_dictionaries(
    {},
    optional={
        "algorithm": st.sampled_from([MEGOLM, MEGOLM, OLM, OLM, "x"]) | VALUES,
        "session_id": KEYS | VALUES,
        "sender_key": KEYS | VALUES,
        "device_id": KEYS | VALUES,
        "ciphertext": CIPHERTEXTS
        | VALUES
        | st.dictionaries(
            KEYS,
            st.fixed_dictionaries(
                {},
                optional={
                    "type": st.sampled_from([0, 1, 2, -1, 2**70]) | VALUES,
                    "body": CIPHERTEXTS | VALUES,
                },
            )
            | VALUES,
            max_size=2,
        ),
        "m.relates_to": RELATIONS | VALUES,
        "org.tickettruhe.sealed": KEYS | VALUES,
    },
)
"""What claims to be encrypted."""
KEYS_GIVEN: Final = st.fixed_dictionaries(
    {},
    optional={
        "algorithm": st.just(MEGOLM) | VALUES, "room_id": st.just(FREIBURG) | ROOMS | VALUES,
        "session_id": KEYS | VALUES, "session_key": CIPHERTEXTS | VALUES, "code": KEYS | VALUES,
    },
)  # fmt: skip
TO_DEVICE: Final = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["m.room.encrypted", "m.room.encrypted", "m.room_key", "m.room_key.withheld",
                 "m.room_key_request", "m.key.verification.request", "m.dummy", "\0"]
            ) | VALUES,
            "sender": USERS | VALUES,
            "content": SEALED | KEYS_GIVEN | VALUES,
        },
    )
    | VALUES,
    max_size=3,
)  # fmt: skip
COMMANDS: Final = st.builds(lambda line: {"msgtype": "m.text", "body": line}, LINES)
SAID: Final = st.fixed_dictionaries({"type": TYPES, "content": COMMANDS | CONTENTS}) | st.fixed_dictionaries(
    {"type": st.just("m.room.encrypted"), "content": SEALED}
)
MEMBERSHIPS: Final = st.fixed_dictionaries(
    {"type": st.just("m.room.member"), "state_key": USERS, "content": CONTENTS}
)


def settings(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """A room's setting, mostly with the key that counts."""
    key, *values = SETTINGS[kind]
    content = mostly(st.fixed_dictionaries({key: st.sampled_from(values) | VALUES}))
    return st.fixed_dictionaries({"type": st.just(kind), "state_key": st.just(""), "content": content})


@st.composite
def events(draw: st.DrawFn) -> Any:
    """An event with anything missing, and anything in its fields."""
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    event: dict[str, Any] = {
        "event_id": draw(EVENT_IDS),
        "sender": draw(USERS),
        "origin_server_ts": draw(TIMES),
        **draw(SAID | MEMBERSHIPS | st.sampled_from(sorted(SETTINGS)).flatmap(settings)),
    }
    if draw(st.integers(0, 9)) == 0:
        event["state_key"] = draw(st.just("") | USERS | VALUES)
    if draw(st.integers(0, 4)) == 0:
        event[draw(st.sampled_from([*event, "unsigned", "redacts", "age"]))] = draw(VALUES)
    if draw(st.integers(0, 9)) == 0:
        del event[draw(st.sampled_from(sorted(event)))]
    if draw(st.integers(0, 19)) == 0:
        return Pairs((*event.items(), ("content", draw(VALUES)), ("event_id", draw(EVENT_IDS))))
    return event


@st.composite
def objects(draw: st.DrawFn, /, **keys: st.SearchStrategy[Any]) -> dict[str, Any]:
    """An object with most of these keys."""
    return {key: draw(mostly(value)) for key, value in keys.items() if draw(st.integers(0, 5))}


EVENTS: Final = st.lists(events(), min_size=1, max_size=4)
SECTIONS: Final = objects(events=EVENTS)
JOINED: Final = objects(
    state=SECTIONS,
    timeline=st.builds(
        # The token is the homeserver's own, not a stranger's.
        lambda told, start: told if not isinstance(told, dict) else {**told, "prev_batch": start},
        objects(events=EVENTS, limited=st.booleans()),
        st.sampled_from(["p1", "", "\0", 7, None, []]),
    ),
    summary=VALUES,
)
INVITED: Final = objects(invite_state=SECTIONS)


@st.composite
def syncs(draw: st.DrawFn) -> dict[str, Any]:
    """A sync, mostly with something of Freiburg's room."""
    others = st.dictionaries(ROOMS, mostly(JOINED), max_size=1)
    rooms = objects(
        join=st.builds(lambda room, more: {**more, FREIBURG: room}, mostly(JOINED), others),
        invite=st.dictionaries(ROOMS, mostly(INVITED), max_size=1),
        leave=st.dictionaries(ROOMS, mostly(JOINED), max_size=1),
    )
    found = {"rooms": draw(mostly(rooms))}
    if draw(st.booleans()):
        found["to_device"] = {"events": draw(TO_DEVICE)}
        lists = st.lists(USERS | VALUES, max_size=3) | VALUES
        found["device_lists"] = draw(mostly(objects(changed=lists, left=lists)))
        counts = st.dictionaries(st.just("signed_curve25519"), st.integers(-1, 60) | VALUES, max_size=1)
        found["device_one_time_keys_count"] = draw(counts | VALUES)
        found["device_unused_fallback_key_types"] = draw(st.just(["signed_curve25519"]) | VALUES)
    if draw(st.integers(0, 5)) == 0:
        found[draw(st.sampled_from(["presence", "account_data", "to_device", "device_lists", "x"]))] = draw(
            VALUES
        )
    return found


def with_command(sync: dict[str, Any], event_id: str, line: str, around: list[Any]) -> dict[str, Any]:
    """The sync with a valid command of Carla's in Berlin's room, between other things that are said there."""
    command = {
        "type": "m.room.message", "event_id": event_id, "sender": CARLA,
        "origin_server_ts": 1_790_000_000_000, "content": {"msgtype": "m.text", "body": line},
    }  # fmt: skip
    before, after = around[: len(around) // 2], around[len(around) // 2 :]
    said = {"timeline": {"events": [*before, command, *after]}}
    found = sync.get("rooms")
    rooms = found if isinstance(found, dict) else {}
    join = rooms.get("join")
    return {**sync, "rooms": {**rooms, "join": {**(join if isinstance(join, dict) else {}), BERLIN: said}}}


def harmless(event: Any) -> Any:
    """The event without what would change the room that it is in."""
    fields = event.pairs if isinstance(event, Pairs) else event.items() if isinstance(event, dict) else None
    return event if fields is None else Pairs(tuple(pair for pair in fields if pair[0] != "state_key"))


IN_BERLIN: Final = st.lists(events().map(harmless), max_size=3)
