"""When it is quiet, whatever midnight and the clock changes do."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.quiet import QuietHours, parse_span

BERLIN: Final = ZoneInfo("Europe/Berlin")


def hours(span: str, zone: ZoneInfo = BERLIN) -> QuietHours:
    return QuietHours(*parse_span(span), zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["22:00-07:00", "22:00 - 7:00", " 22:00–07:00 "])
def test_spans_as_people_write_them(text: str) -> None:
    assert hours(text) == hours("22:00-07:00")


@pytest.mark.parametrize(
    "text", ["", "22-7", "22:00", "22:00-22:00", "24:00-07:00", "22:60-07:00", "22:00-07:00-08:00", "a:b-c:d"]
)
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_span(text)


@pytest.mark.parametrize(
    ("span", "now", "ends"),
    [
        # Winter in Berlin is an hour ahead of UTC; over midnight.
        ("22:00-07:00", "2026-11-23T20:59:59", None),
        ("22:00-07:00", "2026-11-23T21:00:00", "2026-11-24T06:00:00"),
        ("22:00-07:00", "2026-11-23T23:30:00", "2026-11-24T06:00:00"),
        ("22:00-07:00", "2026-11-24T05:59:59", "2026-11-24T06:00:00"),
        ("22:00-07:00", "2026-11-24T06:00:00", None),
        # Within a day, and the whole day but for a minute.
        ("12:00-14:00", "2026-11-23T12:59:00", "2026-11-23T13:00:00"),
        ("12:00-14:00", "2026-11-23T10:59:00", None),
        ("00:00-23:59", "2026-11-23T12:00:00", "2026-11-23T22:59:00"),
        ("22:00-00:00", "2026-11-23T22:59:59", "2026-11-23T23:00:00"),
        ("22:00-00:00", "2026-11-23T23:00:00", None),
        # The night on which the clocks skip from 02:00 to 03:00 is an hour shorter …
        ("22:00-07:00", "2027-03-27T21:00:00", "2027-03-28T05:00:00"),
        # … and 02:30 comes at 03:30, as for the digest.
        ("22:00-02:30", "2027-03-28T01:29:59", "2027-03-28T01:30:00"),
        ("22:00-02:30", "2027-03-28T01:30:00", None),
        ("02:30-07:00", "2027-03-28T01:29:59", None),
        ("02:30-07:00", "2027-03-28T01:30:00", "2027-03-28T05:00:00"),
        # The night on which they go back is an hour longer; 02:30 comes twice and counts the first time.
        ("22:00-07:00", "2026-10-24T20:00:00", "2026-10-25T06:00:00"),
        ("22:00-02:30", "2026-10-25T00:29:59", "2026-10-25T00:30:00"),
        ("22:00-02:30", "2026-10-25T01:15:00", None),
        ("02:30-07:00", "2026-10-25T01:15:00", "2026-10-25T06:00:00"),
    ],
)
def test_when_it_is_quiet(span: str, now: str, ends: str | None) -> None:
    assert hours(span).ends_at(utc(now)) == (utc(ends) if ends else None)


_MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_ZONES = st.sampled_from(["Europe/Berlin", "America/Santiago", "Asia/Kolkata", "Pacific/Kiritimati"])


@given(_MINUTES, _MINUTES, _MOMENTS, _ZONES)
def test_quiet_ends_within_a_day_and_not_before_it_is_over(
    begin: str, end: str, now: datetime, zone: str
) -> None:
    if begin == end:
        return
    quiet = hours(f"{begin}-{end}", ZoneInfo(zone))
    over = quiet.ends_at(now)
    if over is None:
        return
    assert now < over <= now + timedelta(hours=25)
    assert quiet.ends_at(over - timedelta(microseconds=1)) == over
    # The end is over: whatever is quiet then is another night's.
    later = quiet.ends_at(over)
    assert later is None or later > over
