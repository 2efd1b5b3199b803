"""How the demo sees a room: events folded into what a client shows, and the bot's posts found in it."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from bot.demo import cards
from bot.demo.person import Event
from bot.demo.pictures import Pictures, clean
from bot.demo.room_view import Happening, RoomView

BOT, ANNA, BEN = "@bot:x", "@anna:x", "@ben:x"
CARD = "🟢 #1 · Laptop\nOffen"


def event(event_id: str, kind: str, content: dict[str, Any], sender: str = BOT) -> Event:
    return {
        "event_id": event_id,
        "type": kind,
        "content": content,
        "sender": sender,
        "origin_server_ts": 1_763_900_000_000,
    }


def message(event_id: str, body: str, sender: str = BOT) -> Event:
    return event(event_id, "m.room.message", {"msgtype": "m.text", "body": body}, sender)


def edit(event_id: str, target: str, body: str, sender: str = BOT) -> Event:
    relation = {"rel_type": "m.replace", "event_id": target}
    new = {"msgtype": "m.text", "body": body}
    content = {**new, "m.new_content": new, "m.relates_to": relation}
    return event(event_id, "m.room.message", content, sender)


def tap(event_id: str, target: str, key: str = "✅", sender: str = BOT) -> Event:
    relation = {"rel_type": "m.annotation", "event_id": target, "key": key}
    return event(event_id, "m.reaction", {"m.relates_to": relation}, sender)


def answer(event_id: str, target: str, body: str) -> Event:
    relation = {"m.in_reply_to": {"event_id": target}}
    return event(event_id, "m.room.message", {"msgtype": "m.notice", "body": body, "m.relates_to": relation})


def view(events: Iterable[Event]) -> RoomView:
    room = RoomView()
    for each in events:
        room.apply(each)
    return room


def test_an_edit_changes_the_message_and_only_its_author_can() -> None:
    room = view([message("$1", CARD), edit("$2", "$1", "🔵 #1 · Laptop"), edit("$3", "$1", "forged", ANNA)])

    (shown,) = room.messages
    assert (shown.body, shown.edited) == ("🔵 #1 · Laptop", True)


def test_an_event_that_comes_twice_counts_once() -> None:
    room = view([message("$1", "!take 1", ANNA), tap("$2", "$1"), tap("$2", "$1")])

    assert cards.reactions_to(room, BOT, "$1") == 1


def test_two_acknowledgements_are_two() -> None:
    room = view([message("$1", "!take 1", ANNA), tap("$2", "$1"), answer("$3", "$1", "again")])

    assert cards.reactions_to(room, BOT, "$1") == 2
    assert not cards.done(room, BOT, "$1")


def test_a_tap_that_is_taken_back_is_gone_and_others_stay() -> None:
    room = view([message("$1", CARD), tap("$2", "$1", "🙋", ANNA), tap("$3", "$1", "🙋", BEN)])
    room.apply(event("$4", "m.room.redaction", {"redacts": "$2"}, ANNA))

    assert room.messages[0].reactions == {"🙋": [BEN]}


def test_a_removed_message_leaves_an_empty_place() -> None:
    room = view([message("$1", CARD), tap("$2", "$1")])
    change = room.apply(event("$3", "m.room.redaction", {"redacts": "$1"}))

    assert change is not None
    assert change.kind is Happening.REMOVAL
    assert (room.messages[0].body, room.messages[0].removed) == ("", True)
    assert room.apply(edit("$4", "$1", "back again")) is None
    assert not list(cards.cards(room, BOT))


def test_a_card_is_no_answer_no_other_ticket_and_not_somebody_elses_words() -> None:
    room = view(
        [message("$1", CARD), answer("$2", "$9", CARD), message("$3", CARD, ANNA), message("$4", "🗑️ #12")]
    )

    assert [card.event_id for card in cards.cards(room, BOT, 1)] == ["$1"]
    assert [card.event_id for card in cards.cards(room, BOT)] == ["$1", "$4"]
    assert cards.card_says(room, BOT, 1, "Laptop", "Offen")
    assert not cards.card_says(room, BOT, 1, "Geschlossen")


def test_a_second_card_is_one_too_many() -> None:
    assert not cards.card_says(view([message("$1", CARD), message("$2", CARD)]), BOT, 1, "Laptop")


def test_text_from_outside_does_not_steer_the_terminal() -> None:
    assert clean("\x1b[2Jgone\x07\nnext\x9b1m") == "�[2Jgone�\nnext�1m"


def test_a_room_is_drawn_within_the_terminals_width() -> None:
    room = view([message("$1", f"🟢 #1 · {'wörter ' * 40}"), tap("$2", "$1", sender=ANNA)])
    console = Console(width=80, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(Pictures(console, lambda user: user[1:].partition(":")[0]).room("freiburg", room))

    rows = capture.get().splitlines()
    assert max(map(len, rows)) <= 80
    assert "[✅ anna]" in rows[-1]
    assert all("│" in row for row in rows[1:])
