"""The pace that is learned from a homeserver's refusals, against a bucket as Synapse keeps it."""

from dataclasses import dataclass

import pytest

from bot.matrix.pace import Pace


@dataclass
class Bucket:
    """Synapse's limiter (``synapse/api/ratelimiting.py``): a leaking bucket."""

    interval: float
    burst: int = 10
    held: float = 0.0
    at: float = 0.0

    def send(self, now: float) -> float:
        """0 if the message is taken, else after how many seconds one will be."""
        self.held = max(0.0, self.held - (now - self.at) / self.interval)
        self.at = now
        if self.held > self.burst - 1:
            return (self.held - (self.burst - 1)) * self.interval
        self.held += 1
        return 0.0


def attempt(pace: Pace, bucket: Bucket, now: float, *, delay: float = 0.0) -> bool:
    """One message at a time; the answer comes ``delay`` later."""
    retry = bucket.send(now)
    if retry:
        pace.refused(retry, now + delay)
    else:
        pace.accepted(now + delay)
    return not retry


def met(interval: float, *, delay: float = 0.0) -> tuple[Pace, Bucket, float]:
    """A pace that has just met the limit, the bucket, and the time."""
    pace, bucket, now = Pace(), Bucket(interval), 100.0
    while attempt(pace, bucket, now, delay=delay):
        now += 0.01
    return pace, bucket, now


def test_without_a_refusal_there_is_no_limit() -> None:
    pace = Pace()
    pace.accepted(1.0)
    assert (pace.interval, pace.allowance(1.0), pace.paused(1.0)) == (None, None, 0.0)


@pytest.mark.parametrize("interval", [0.5, 5.0, 20.0])
def test_a_limit_is_learned_and_kept_to(interval: float) -> None:
    """In a minute's worth of backlog hardly a message is refused, and none is sent later than it could be."""
    pace, bucket, now = met(interval, delay=0.05)
    start, sent, refusals = now, 0, 0
    while now - start < 55:
        now += pace.paused(now) + 0.001
        taken = attempt(pace, bucket, now, delay=0.05)
        sent, refusals = sent + taken, refusals + (not taken)
        now += 0.05
    assert pace.interval == pytest.approx(interval, rel=0.05)
    assert sent >= 0.85 * (now - start) / interval - 1
    assert refusals <= max(3, 0.25 * sent)


def test_what_may_be_sent_grows_with_time_up_to_the_burst() -> None:
    pace, bucket, now = met(5.0)
    assert pace.interval == pytest.approx(5.0, rel=0.05)
    for _message in range(3):
        now += pace.paused(now) + 0.001
        attempt(pace, bucket, now)
    free = now + pace.paused(now)
    assert pace.allowance(free) == pytest.approx(1.0, rel=0.05)
    assert pace.allowance(free + 20) == pytest.approx(5.0, rel=0.05)
    assert pace.allowance(free + 3600) == 10
    pace.accepted(free + 3600)
    assert pace.allowance(free + 3600) == pytest.approx(9, rel=0.01)


def test_a_limit_that_was_lifted_is_forgotten() -> None:
    pace, _bucket, now = met(5.0)
    now += 61
    for _message in range(13):
        assert pace.paused(now) == 0
        pace.accepted(now)
    assert pace.interval is None
    assert pace.allowance(now) is None


def test_a_limit_that_still_holds_is_met_again_once_it_is_tried() -> None:
    pace, bucket, now = met(5.0)
    now += 61
    while attempt(pace, bucket, now):
        assert pace.paused(now) == 0
    assert pace.interval == pytest.approx(5.0, rel=0.02)
    assert pace.paused(now) > 4


def test_a_long_pause_is_kept_to_and_teaches_nothing() -> None:
    pace = Pace()
    pace.refused(600, 1.0)
    assert (pace.interval, pace.paused(1.0)) == (None, 600)


def test_a_pause_for_another_reason_is_kept_to() -> None:
    pace = Pace()
    pace.pause(3, 1.0)
    pace.pause(1, 2.0)
    assert (pace.paused(2.0), pace.allowance(2.0)) == (2.0, None)
