"""Time zones: is there data for them, and what time is it there."""

from datetime import datetime
from zoneinfo import available_timezones

from bot.config import Config
from bot.doctor.findings import Finding, bad, good
from bot.domain.words import TRIAGE


def examine_zones(config: Config, now: datetime) -> Finding:
    """Each zone in use with its time now, so that a wrong one is seen."""
    if not available_timezones():
        return bad("time zones", "this machine has no data for them", "Install `tzdata` (Debian, or PyPI).")
    zones = {config.timezone_of(team) for team in (TRIAGE, *config.teams)}
    told = sorted(f"{zone.key} {now.astimezone(zone):%H:%M}" for zone in zones)
    return good("time zones", ", ".join(told))
