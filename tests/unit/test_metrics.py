"""What is counted for Prometheus: closed sets of labels, and every series from the start."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.meters import UNKNOWN, UNMETERED, Fate, Meters, Outcome, Work
from bot.metrics.counting import ANSWERS, REQUESTS, TAPS, Counting, answer_of, new_registry

COMMANDS = ("take", "task add")
KINDS = ("card", "answer")


def samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and label values, by the labels' names, of every sample → its value."""
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def counted(registry: CollectorRegistry, before: dict[Any, float]) -> dict[tuple[str, ...], float]:
    """What has grown since then, histograms by their count; as name and label values in a row."""
    return {
        (name.removeprefix("tickettruhe_"), *labels): value - before.get((name, labels), 0)
        for (name, labels), value in samples(registry).items()
        if value != before.get((name, labels), 0) and not name.endswith(("_sum", "_bucket"))
    }


def tell_all(meters: Meters) -> None:
    """Every call once."""
    meters.unit(Work.WRITE, 0.002)
    meters.run_again()
    meters.command("task add", Outcome.PARTLY)
    meters.tap("take", Outcome.DONE)
    meters.request("ticket", 201, 0.1)
    meters.delivery("card", Fate.RATE_LIMITED)
    meters.waited("card", 2)
    meters.sync(good=False)


def test_each_call_moves_its_own_series() -> None:
    registry = new_registry()
    counting = Counting(registry, COMMANDS, KINDS)
    before = samples(registry)
    tell_all(counting)
    assert counted(registry, before) == {
        ("database_unit_seconds_count", "write"): 1,
        ("database_units_run_again_total",): 1,
        ("commands_total", "task add", "partly"): 1,
        ("taps_total", "done", "take"): 1,
        ("intake_requests_total", "ticket", "accepted"): 1,
        ("intake_request_seconds_count", "ticket"): 1,
        ("sends_total", "card", "rate_limited"): 1,
        ("outbox_wait_seconds_count", "card"): 1,
        ("syncs_total", "failed"): 1,
    }


def test_every_series_is_there_from_the_start() -> None:
    registry = new_registry()
    Counting(registry, COMMANDS, KINDS)
    found = samples(registry)
    assert set(found.values()) == {0}
    expected = {
        *(
            ("tickettruhe_commands_total", (name, each.value))
            for name in (*COMMANDS, UNKNOWN)
            for each in Outcome
        ),
        *(("tickettruhe_sends_total", (kind, fate.value)) for kind in KINDS for fate in Fate),
        *(("tickettruhe_intake_requests_total", (kind, each)) for kind in REQUESTS for each in ANSWERS),
        *(("tickettruhe_taps_total", ("refused", tap)) for tap in TAPS),
    }
    assert expected <= found.keys()


def test_a_word_from_outside_never_becomes_a_label() -> None:
    registry = new_registry()
    counting = Counting(registry, COMMANDS, KINDS)
    counting.command("kim@example.org", Outcome.DONE)
    counting.tap("💩", Outcome.DONE)
    counting.request("/api/tickets/42/messages", 201, 0.1)
    counting.delivery("!room:example.org", Fate.SENT)
    counting.waited("!room:example.org", 1)
    page = generate_latest(registry).decode()
    assert not [word for word in ("kim@", "💩", "/api", "!room") if word in page]
    assert samples(registry)["tickettruhe_commands_total", ("other", "done")] == 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (201, "accepted"), (303, "accepted"), (400, "refused"), (404, "refused"), (409, "refused"),
        (401, "unauthorized"), (413, "too_large"), (429, "limited"), (500, "failed"), (503, "unavailable"),
    ],
)  # fmt: skip
def test_what_a_status_of_the_intake_means(status: int, answer: str) -> None:
    assert answer_of(status) == answer


def test_where_nobody_looks_nothing_is_counted() -> None:
    tell_all(UNMETERED)
