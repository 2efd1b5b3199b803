"""A whole HTTP intake for tests: real database, real socket, and what it stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from sqlmodel import SQLModel, select

from bot.domain.errors import NameKind
from bot.intake.health import Checks, Health
from bot.intake.server import build_app, serve
from bot.intake.settings import Choice, FormSettings, IntakeSettings
from bot.mail.markup import to_html
from bot.services import apikeys
from bot.services.unit import PagePolicy, Policy, Units, utc_now
from storage import schema
from storage.database import Database
from tests.integration.templates import filled

POLICY = Policy(
    bot_user="@bot:example.org",
    topics={"donation_request": True, "donation_offer": False, "other": False},
    default_topic="other",
    regions={"freiburg": "freiburg", "strasbourg": "strasbourg", "elsewhere": None},
    teams={"freiburg": "Freiburg", "strasbourg": "Strasbourg"},
    spoken={
        NameKind.REGION: {
            "freiburg": "freiburg",
            "Freiburg im Breisgau": "freiburg",
            "strasbourg": "strasbourg",
            "Straßburg": "strasbourg",
        },
        NameKind.TOPIC: {"donation_request": "donation_request", "Spendenanfrage": "donation_request"},
    },
    page=PagePolicy(timedelta(days=180), "https://help.example.org", frozenset({"freiburg"})),
)
SETTINGS = IntakeSettings(
    listen="127.0.0.1",
    port=0,
    trusted_proxies=(),
    max_body=2 * 1024 * 1024,
    max_attachment=1024 * 1024,
    max_attachments=3,
    form=FormSettings(
        enabled=True,
        title={"de": "Kontaktformular", "en": "Contact form"},
        privacy_url="https://example.org/privacy",
        per_address=50,
        window=timedelta(minutes=10),
    ),
    regions=(
        Choice("freiburg", {"de": "Freiburg", "en": "Freiburg"}),
        Choice("strasbourg", {"de": "Straßburg", "en": "Strasbourg"}),
    ),
    topics=(
        Choice("donation_request", {"de": "Spendenanfrage", "en": "Donation request"}, 10),
        Choice("donation_offer", {"de": "Gerätespende", "en": "Donation offer"}, 11),
        Choice("other", {"de": "Sonstiges", "en": "Other"}),
    ),
    language="de",
    answer_html=to_html,
)

REQUEST: dict[str, Any] = {
    "name": "Maria Muster",
    "email": "maria@Example.ORG",
    "subject": "Laptop für die Ausbildung",
    "message": "Guten Tag,\nich beginne im Herbst.",
    "region": "freiburg",
    "topicId": 10,
}
"""A request as osTicket's clients send it."""

CREATE = "/api/tickets.json"


def form_settings(**changes: Any) -> IntakeSettings:
    """The settings with other ones for the form."""
    return replace(SETTINGS, form=replace(SETTINGS.form, **changes))


@dataclass
class Site:
    """A running intake. ``late`` is how much its clock is ahead; ``problems`` is why it is not ready."""

    database: Database
    units: Units
    url: str
    http: aiohttp.ClientSession
    key: str
    late: timedelta = timedelta()
    problems: dict[str, str] = field(default_factory=dict)

    async def rows(self, table: type[SQLModel]) -> list[Any]:
        """All rows of a table in the order of their keys."""
        with self.database.read() as session:
            return list(session.exec(select(table).order_by(*table.__table__.primary_key)).all())  # type: ignore[attr-defined]

    async def call(
        self, path: str = CREATE, *, headers: dict[str, str] | None = None, **body: Any
    ) -> tuple[int, str]:
        """Call the API with its key; answers with status and text."""
        sent = {"X-API-Key": self.key} | (headers or {})
        async with self.http.post(self.url + path, headers=sent, **body) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def site(
    database_url: str,
    settings: IntakeSettings = SETTINGS,
    policy: Policy = POLICY,
    *,
    key_name: str = "tests",
) -> AsyncIterator[Site]:
    """Run an intake on a database that is empty or was made by an earlier one."""
    await filled(database_url, "bare", schema.ensure)
    database = Database(database_url)

    def clock() -> datetime:
        return utc_now() + running.late

    units = Units(database, policy, clock)
    running = Site(database, units, "", aiohttp.ClientSession(), "")

    async def alive() -> Health:
        return Health()

    async def ready() -> Health:
        return Health(running.problems)

    try:
        app = await build_app(units, settings, Checks(alive, ready), clock)
        async with serve(app, settings.listen, settings.port) as port:
            running.url = f"http://127.0.0.1:{port}"
            running.key = await units.run(lambda unit: apikeys.create(unit, key_name))
            yield running
    finally:
        await running.http.close()
        await database.close()
