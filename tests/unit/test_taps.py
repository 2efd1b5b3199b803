"""What a tap means, and which taps a card offers in which status."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import taps
from bot.domain.lifecycle import RULES, Change
from bot.domain.words import Action, Standing, Status

NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "waitlist", "undoable", "keys"),
    [
        (Status.OPEN, True, False, "🙋 ⏳ ✅ 🚫"),
        (Status.OPEN, False, False, "🙋 ✅ 🚫"),
        (Status.IN_PROGRESS, True, False, "⏳ ✅ 🚫"),
        (Status.IN_PROGRESS, False, False, "✅ 🚫"),
        (Status.WAITING, True, False, "🙋 ✅ 🚫"),
        (Status.CLOSED, True, False, ""),
        (Status.CLOSED, True, True, "↩️"),
        (Status.SPAM, False, False, ""),
        (Status.SPAM, False, True, "↩️"),
        (Status.ARCHIVED, True, False, ""),
        (Status.DELETED, True, False, ""),
    ],
)
def test_offered(status: Status, waitlist: bool, undoable: bool, keys: str) -> None:
    assert taps.offered(status, waitlist=waitlist, undoable=undoable) == tuple(keys.split())


@pytest.mark.parametrize("status", list(Status))
def test_only_what_the_lifecycle_allows_is_offered(status: Status) -> None:
    for key in taps.offered(status, waitlist=True, undoable=False):
        assert status in RULES[taps.CARD[key]].sources


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("🙋", "🙋"), ("🙋🏽", "🙋"), ("🙋‍♀️", "🙋"), ("🙋🏿‍♂️", "🙋"), ("⏳", "⏳"), ("⌛", "⏳"),
        ("⌛️", "⏳"), ("✅", "✅"), ("✔️", "✅"), ("✔", "✅"), ("☑️", "✅"), ("🚫", "🚫"), ("↩️", "↩️"),
        ("↩", "↩️"), ("▶", "▶️"), ("▶️", "▶️"), ("❌", "❌"), ("✖️", "❌"), ("👍", "👍"), ("", ""),
    ],
)  # fmt: skip
def test_variants_of_an_emoji_are_one(typed: str, key: str) -> None:
    assert taps.canonical(typed) == key


@given(st.text())
def test_any_key_is_read(key: str) -> None:
    once = taps.canonical(key)
    assert taps.canonical(once) == once


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("status", list(Status))
def test_only_a_close_or_spam_that_stands_can_be_taken_back_by_a_tap(action: Action, status: Status) -> None:
    last = Change(action, "@anna:example.org", NOW, Standing(Status.OPEN, "other"))
    stands = (action, status) in {(Action.CLOSE, Status.CLOSED), (Action.SPAM, Status.SPAM)}
    assert taps.undo_until(status, last) == (NOW + timedelta(minutes=10) if stands else None)
    assert taps.undo_until(status, None) is None


def test_what_is_reached_already() -> None:
    reached = {(action, status) for action in Action for status in Status if taps.is_reached(action, status)}
    assert reached == {
        (Action.WAIT, Status.WAITING),
        (Action.CLOSE, Status.CLOSED),
        (Action.SPAM, Status.SPAM),
    }
