"""PostgreSQL goes away under a running bot and comes back."""

from pathlib import Path

import aiohttp
import psycopg
from sqlalchemy import URL, make_url

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, running_desk
from tests.people import Crowd

REQUEST = {"name": "Kim Doe", "email": "kim@example.org", "subject": "Laptop", "message": "Hello!"}


async def healthz(desk: Desk) -> tuple[int, str]:
    """Status and text."""
    async with aiohttp.ClientSession() as session, session.get(f"{desk.url}/healthz") as answer:
        return answer.status, await answer.text()


async def test_the_bot_waits_for_its_database_and_goes_on(
    homeserver: Homeserver, people: Crowd, tmp_path: Path, postgres_url: URL, postgres_database: str
) -> None:
    name = make_url(postgres_database).database
    maintenance = postgres_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as server:
        async with running_desk(homeserver, people, tmp_path, postgres_database) as desk:
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
            assert await healthz(desk) == (
                503, '{"status": "failing", "problems": {"database": "does not answer"}}',
            )  # fmt: skip
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await anna.wait_for_reaction(room, command, "✅", desk.account.user_id, timeout=60)
            await desk.card(await desk.file("After"))
