"""Two rounds over one set of checks: `check` before the first start, `doctor` over everything at any time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import make_url

from bot import wiring
from bot.config import Config
from bot.doctor import database, encryption, homeserver, intake, limit, mail, mailboxes, rooms, trust, zones
from bot.doctor.database import Report
from bot.doctor.findings import Finding, Level
from bot.matrix.client import MatrixClient
from bot.services.unit import Clock, utc_now


async def check(config: Config, clock: Clock = utc_now) -> AsyncIterator[Finding]:
    """What has to be right before the bot is started: schema, login, rooms, and how fast it may send.

    While no bot runs, and if nothing is known of it yet, the homeserver's limit is measured.
    """
    report = await asyncio.to_thread(database.examine_schema, make_url(config.database_url()))
    for finding in report.findings:
        yield finding
    yield mail.examine_templates(config)
    async for finding in _account(config, report, clock(), closely=False):
        yield finding


async def doctor(config: Config, clock: Clock = utc_now) -> AsyncIterator[Finding]:
    """Everything that the bot needs to work, whether it runs or not."""
    url = make_url(config.database_url())
    report = await asyncio.to_thread(database.examine_database, url, clock())
    for finding in report.findings:
        yield finding
    server = await homeserver.examine_server(config.matrix.homeserver, clock())
    for finding in server:
        yield finding
    if server[0].level is Level.GOOD:
        async for finding in _account(config, report, clock(), closely=True):
            yield finding
    for finding in await intake.examine_intake(config, running=report.running):
        yield finding
    async for finding in mailboxes.examine_mailboxes(config):
        yield finding
    if report.keys is not None:
        yield intake.examine_keys(report.keys)
        yield encryption.examine_room_keys(config, report.account)
    yield mail.examine_templates(config)
    yield await mail.examine_server(config)
    yield zones.examine_zones(config, clock())


async def _account(config: Config, report: Report, now: datetime, *, closely: bool) -> AsyncIterator[Finding]:
    """The login, and with it cross-signing, the rooms (of an upgraded one that which is used) and the limit.

    A password makes a device of its own for the moment: to log in as the bot's would end the login of a bot
    that runs.
    """
    client = MatrixClient(wiring.login(config, None))
    try:
        login = await homeserver.examine_login(config, client)
        yield login
        if login.level is not Level.GOOD:
            return
        yield await trust.examine_trust(config, client, report.trust)
        for key, address in wiring.rooms(config).items():
            yield await rooms.examine_room(client, key, address, report.moved, closely=closely)
        may_measure = not closely and not report.running
        yield await limit.examine_limit(config, client, report.limit, now, may_measure=may_measure)
        if config.matrix.password is not None:
            await client.log_out()
    finally:
        await client.close()
