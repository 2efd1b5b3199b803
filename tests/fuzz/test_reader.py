"""Whatever a sync is: reading it raises nothing, and what comes of it can be kept."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import given

from bot.matrix.events import Gap, Reader, in_order
from bot.matrix.json_text import parsed
from bot.matrix.room_state import room_state_of, whole_state
from bot.services.reception import Batch, ReceivedEvent
from tests.fuzz.cases import cases
from tests.fuzz.matrix_events import DIRECT, EVENTS, syncs
from tests.fuzz.rubbish import written
from tests.integration.desk_data import BOT, FREIBURG

READER = Reader(BOT, lambda content, *, private: private or "body" in content)


def texts(value: Any) -> Iterator[str]:
    """All strings in it, keys too."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts(getattr(value, each.name))
    elif isinstance(value, dict):
        yield from texts([*value, *value.values()])
    elif isinstance(value, list | tuple | frozenset):
        for inner in value:
            yield from texts(inner)


def judge(batch: Batch, events: tuple[ReceivedEvent, ...]) -> None:
    """What holds for everything that was read."""
    for text in texts((batch, events)):
        assert "\0" not in text
        text.encode()
    for update in batch.rooms:
        assert 0 < len(update.room_id) <= 255
        assert all(0 < len(user_id) <= 255 for user_id in update.members)
        assert all(len(name or "") <= 256 for name in (update.name, *update.members.values()))
        assert len(update.replaced_by or "") <= 255
    for event in events:
        assert all(0 < len(text) <= 255 for text in (event.event_id, event.room_id, event.sender))
        assert event.sender != BOT
    assert sorted(map(id, in_order(events))) == sorted(map(id, events))


@cases(100, 0.25)
@given(sync=syncs())
def test_any_sync_is_read(sync: dict[str, Any]) -> None:
    raw = parsed(written({**sync, "next_batch": "s1"}).encode())
    assert isinstance(raw, dict), "it is JSON, whatever it says"
    answer = READER.read(raw, frozenset({FREIBURG}), frozenset({FREIBURG, DIRECT}))
    assert answer.batch.token == "s1"
    judge(answer.batch, answer.batch.events)


@cases(50, 0.05)
@given(events=EVENTS)
def test_any_page_of_history_and_any_state_are_read(events: list[Any]) -> None:
    page = parsed(written(events).encode())
    assert isinstance(page, list)
    told: list[Mapping[str, Any]] = [each for each in page if isinstance(each, dict)]
    for since_join in (None, tuple(told)):
        said = READER.read_page(Gap(FREIBURG, "p1", since_join), told)
        judge(Batch("t", (whole_state(FREIBURG, told, BOT),), echoes=tuple(said.echoes)), tuple(said.events))
    room_state_of(told)
