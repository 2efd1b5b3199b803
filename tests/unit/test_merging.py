"""Which of two tickets stays, and who counts as the same person."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

import pytest

from bot.domain.merging import Contact, Half, address_key, same_person, stays
from bot.domain.words import Status

NOW: Final = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
UNDER_WAY: Final = {"open", "in_progress", "waiting"}


def test_the_one_under_way_stays_else_the_older_whatever_comes_first() -> None:
    for one, other, days in product(Status, Status, (-1, 0, 1)):
        first = Half(42, one, NOW)
        second = Half(57, other, NOW + timedelta(days=days))
        if (one in UNDER_WAY) != (other in UNDER_WAY):
            expected = first if one in UNDER_WAY else second
        else:
            # Opened in the same instant, the lower number is the older.
            expected = second if days < 0 else first
        assert stays(first, second) is stays(second, first) is expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Contact(1, "kim@example.org", None), Contact(2, "KIM@Example.org", "0761 1"), True),
        (Contact(1, "kim@example.org", None), Contact(2, "toni@example.org", None), False),
        (Contact(1, "kim@example.org", "0761 1"), Contact(2, None, "0761 1"), False),
        (Contact(1, None, "0761 1"), Contact(1, None, "0761 1"), True),
        (Contact(1, None, "0761 1"), Contact(2, None, "0761 1"), False),
        # "–" who left nothing: the same row, but by name alone.
        (Contact(1, None, None), Contact(1, None, None), False),
    ],
)
def test_the_same_person(one: Contact, other: Contact, same: bool) -> None:
    assert same_person(one, other) is same_person(other, one) is same


@pytest.mark.parametrize(
    ("email", "key"), [("Kim.Doe@Example.ORG", "kim.doe@example.org"), (None, None), ("", None), (" ", None)]
)
def test_addresses_are_compared_in_any_case(email: str | None, key: str | None) -> None:
    assert address_key(email) == key
