"""PostgreSQL goes away under a running bot and comes back."""

from pathlib import Path

import aiohttp
import psycopg
from sqlalchemy import URL, make_url

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, free_port, running_desk
from tests.exposition import scrape
from tests.people import Crowd

REQUEST = {"name": "Kim Doe", "email": "kim@example.org", "subject": "Laptop", "message": "Hello!"}


async def asked(desk: Desk, path: str) -> tuple[int, str]:
    """Status and text."""
    async with aiohttp.ClientSession() as session, session.get(desk.url + path) as answer:
        return answer.status, await answer.text()


async def test_the_bot_waits_for_its_database_and_goes_on(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, postgres_url: URL, postgres_database: str
) -> None:
    name = make_url(postgres_database).database
    maintenance = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as server:
        metrics = {"port": free_port()}
        async with running_desk(homeserver, people, tmp_path, postgres_database, metrics=metrics) as desk:
            number = await desk.file("Before")
            await desk.card(number)
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            anna, room = desk.person("anna"), desk.rooms["freiburg"]
            command = await anna.say(room, f"!take {number}")
            status, _ = await desk.post("/api/tickets.json", REQUEST)
            assert status == 503
            assert await asked(desk, "/healthz") == (200, '{"status": "ok"}')
            ready, said = await asked(desk, "/readyz")
            assert (ready, '"database": "does not answer"' in said) == (503, True), said
            figures = await scrape(f"http://127.0.0.1:{metrics['port']}")
            assert (figures["ready"], figures["ready_part", {"part": "database"}]) == (0, 0)
            assert "tickettruhe_outbox_rows" not in figures.names, "rather none than old ones"
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await anna.wait_for_reaction(room, command, "✅", desk.account.user_id, timeout=60)
            await desk.card(await desk.file("After"))
