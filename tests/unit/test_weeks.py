"""Weeks as the people of a place live them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.weeks import Weeks

BERLIN = ZoneInfo("Europe/Berlin")
TOKYO = ZoneInfo("Asia/Tokyo")


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 60))
def test_the_last_week_holds_today(today: date, count: int) -> None:
    mondays = Weeks.until(today, count).mondays
    assert len(mondays) == count
    assert {monday.isoweekday() for monday in mondays} == {1}
    assert timedelta() <= today - mondays[-1] < timedelta(days=7)


def test_weeks_go_on_over_the_new_year() -> None:
    """2026 has 53 weeks: that of the 1st of January 2027 is its last one."""
    weeks = Weeks.until(date(2027, 1, 6), 3)
    assert weeks.mondays == (date(2026, 12, 21), date(2026, 12, 28), date(2027, 1, 4))
    assert weeks.index(datetime(2027, 1, 1, 12, tzinfo=UTC), BERLIN) == 1


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        (datetime(2026, 11, 15, 22, 59, 59, tzinfo=UTC), BERLIN, None),
        (datetime(2026, 11, 15, 23, tzinfo=UTC), BERLIN, 0),
        (datetime(2026, 11, 22, 22, 59, 59, tzinfo=UTC), BERLIN, 0),
        (datetime(2026, 11, 22, 23, tzinfo=UTC), BERLIN, 1),
        (datetime(2026, 11, 22, 14, 59, 59, tzinfo=UTC), TOKYO, 0),
        (datetime(2026, 11, 22, 15, tzinfo=UTC), TOKYO, 1),
        # It is Monday in Tokyo, where the readers have Sunday.
        (datetime(2026, 11, 29, 16, tzinfo=UTC), TOKYO, 1),
    ],
)
def test_a_week_begins_at_midnight_there(moment: datetime, zone: ZoneInfo, expected: int | None) -> None:
    assert Weeks(date(2026, 11, 16), 2).index(moment, zone) == expected


@pytest.mark.parametrize(
    ("first", "begin"),
    [
        # The clocks change on the 25th of October 2026 and on the 28th of March 2027.
        (date(2026, 10, 19), datetime(2026, 10, 18, 22, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        (date(2027, 3, 22), datetime(2027, 3, 21, 23, tzinfo=UTC)),
        (date(2027, 3, 29), datetime(2027, 3, 28, 22, tzinfo=UTC)),
    ],
)
def test_a_week_in_which_the_clocks_change_is_whole(first: date, begin: datetime) -> None:
    weeks = Weeks(first, 1)
    assert weeks.begin(BERLIN) == begin
    assert weeks.index(begin, BERLIN) == 0
    assert weeks.index(begin - timedelta(seconds=1), BERLIN) is None
