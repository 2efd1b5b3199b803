"""Reads what the bot tells Prometheus, as Prometheus does."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

PREFIX = "tickettruhe_"


@dataclass(frozen=True)
class Scrape:
    """One reading: the text, and each sample by name and labels."""

    text: str
    samples: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def __getitem__(self, asked: tuple[str, Mapping[str, str]] | str) -> float:
        """A sample's value: ``scrape["ready"]``, ``scrape["tickets", {"team": …}]``."""
        name, labels = (asked, {}) if isinstance(asked, str) else asked
        return self.samples[PREFIX + name, frozenset(labels.items())]

    def grown(self, before: "Scrape", name: str) -> dict[frozenset[str], float]:
        """By how much the samples of a name have grown, those that have, by their labels' values."""
        return {
            frozenset(value for _label, value in labels): value - before.samples.get((full, labels), 0)
            for (full, labels), value in self.samples.items()
            if full == PREFIX + name and value != before.samples.get((full, labels), 0)
        }

    @property
    def names(self) -> frozenset[str]:
        """Of all samples."""
        return frozenset(name for name, _labels in self.samples)


def read(text: str) -> Scrape:
    """Parse an exposition; one that does not parse is an error."""
    return Scrape(
        text,
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        },
    )


async def scrape(url: str) -> Scrape:
    """Read ``/metrics`` of a running bot."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        assert answer.status == 200
        return read(await answer.text())
