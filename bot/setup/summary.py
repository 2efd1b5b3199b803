"""What will be done, as the person reads it before saying yes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.config import Config
from bot.config.database import is_sqlite
from bot.setup.plan import Plan, RoomPlan
from bot.setup.texts import Texts

_DAILY: Final = re.compile(r"(\d+) (\d+) \* \* \*")


def summary(plan: Plan, config: Config, path: Path, say: Texts) -> Iterator[str]:
    """Line by line; for a plan without changes only that all is right."""
    if plan.config is not None:
        yield say("Write {file}, with the token beside it in a private file:", file=path)
        yield from (f"  {line}" for line in _settings(config, say))
    elif not plan.changes:
        yield say("{file} and the rooms are as they should be.", file=path)
    for room in plan.rooms:
        if room.changes:
            yield from _room(room, say)
    if plan.greets:
        yield say("Start the bot for a moment: it makes its database and says hello in its rooms")
    yield from (f"! {note}" for note in plan.notes)


def _settings(config: Config, say: Texts) -> Iterator[str]:
    yield say("Account: {account} at {url}", account=config.matrix.user, url=config.matrix.homeserver)
    yield say("Admins: {people}", people=", ".join(config.admins))
    if not is_sqlite(config.database):
        yield say("Database: {database}", database=config.database)
    for key, team in config.teams.items():
        names = ", ".join(
            config.regions[region].in_language(config.language_of(key)) for region in team.regions
        )
        yield say("Team {team}: {regions}", team=team.name, regions=names or "–")
    topics = (
        topic.name.in_language(config.language) + ("*" if topic.waitlist else "")
        for topic in config.topics.values()
    )
    yield say("Topics (* with a waiting list): {topics}", topics=", ".join(topics))
    yield say("Language {language}, time zone {zone}", language=config.language, zone=config.timezone)
    yield say("Digest: {when}", when=_when(config.digest.schedule) or say("never"))
    intake = config.intake
    where = f"{intake.listen}:{intake.port}" + (f", {intake.public_url}" if intake.public_url else "")
    form = say("API and contact form at {where}", where=where)
    yield form if intake.form.enabled else say("API without a contact form at {where}", where=where)


def _when(schedule: str | None) -> str | None:
    """A crontab line as the person answered it, where it is a time of every day."""
    daily = _DAILY.fullmatch(schedule or "")
    return f"{int(daily[2]):02}:{int(daily[1]):02}" if daily else schedule


def _room(room: RoomPlan, say: Texts) -> Iterator[str]:
    wanted = room.wanted
    named = {"name": wanted.name, "address": wanted.address}
    if room.to_make and wanted.encrypted:
        yield say("Make the encrypted room {name}: {address}", **named)
    elif room.to_make:
        yield say("Make the room {name}, without encryption: {address}", **named)
    elif not room.seen.joined:
        yield say("Go into the room {address}, if it lets the bot in", **named)
    elif room.seen.unfinished:
        yield say("Finish the room {address}", **named)
    if room.to_invite:
        yield say("  and invite {people}", people=", ".join(room.to_invite))
