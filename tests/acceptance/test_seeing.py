"""What the running bot lets one see: its figures, its health, and one ticket's way in its log."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.demo.homeserver import Homeserver
from tests.desk import Desk, free_port, running_desk
from tests.exposition import Scrape, scrape
from tests.people import Crowd

ROOT = Path(__file__).parents[2]
SENT = {frozenset({kind, "sent"}) for kind in ("card", "answer", "reaction", "alert", "seed", "untap")}
RULES = ROOT / "deploy/prometheus/tickettruhe.rules.yaml"


@pytest.fixture(scope="module")
async def seen(
    homeserver: Homeserver, crowd: Crowd, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """A desk whose bot tells Prometheus."""
    folder = tmp_path_factory.mktemp("seen")
    database = f"sqlite:///{folder / 'tickettruhe.db'}"
    async with running_desk(homeserver, crowd, folder, database, metrics={"port": free_port()}) as desk:
        yield desk


def inside(desk: Desk) -> str:
    """Address of what is served to those who look after the bot."""
    return f"http://127.0.0.1:{desk.extra['metrics']['port']}"


async def get(url: str) -> tuple[int, str]:
    """Status and text."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def answered(url: str, wanted: int) -> str:
    """The text, once the status is that: what is found out is kept for a second."""
    async with asyncio.timeout(10):
        while (answer := await get(url))[0] != wanted:
            pass
    return answer[1]


def lines_about(desk: Desk, number: int) -> list[dict[str, Any]]:
    """The log's lines that name a ticket, found by its number alone."""
    lines = [json.loads(line) for line in desk.bot.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("ticket") == number or number in line.get("tickets", ())]


def is_told(lines: list[dict[str, Any]], **wanted: object) -> bool:
    """Whether one of the lines says all of this."""
    return any(wanted.items() <= line.items() for line in lines)


async def test_one_tickets_way_can_be_followed_in_the_log(seen: Desk) -> None:
    number = await seen.file("Laptop for my niece", message="She begins her training in autumn.")
    card = await seen.card(number)
    taken = await seen.done("anna", f"!take {number}")
    await seen.card(number, "🔵")
    refused = await seen.say("ben", f"!take {number}")
    await seen.person("ben").wait_for_notice_reply(seen.rooms["freiburg"], refused)
    note = await seen.done("anna", f"!note {number} her name is Kim Doe")
    shown = await seen.say("anna", f"!show {number}")
    answer = await seen.person("anna").wait_for_notice_reply(seen.rooms["freiburg"], shown)
    tap = await seen.tap("anna", number, "⏳")
    await seen.card(number, "⏳")
    lines = lines_about(seen, number)
    assert lines[0].items() >= {"event": "change", "action": "open"}.items()
    assert is_told(lines, event="intake_accepted", intake="http")
    (posted,) = [line for line in lines if line.get("event_id") == card.event_id]
    assert posted.items() >= {"event": "sent", "kind": "card", "ticket": number}.items()
    assert is_told(lines, event="change", action="take", status="in_progress", event_id=taken)
    assert is_told(lines, event="command", command="take", result="done", event_id=taken)
    assert is_told(lines, event="command", result="refused", reason="TakenBy", event_id=refused)
    assert is_told(lines, event="change", action="note", event_id=note)
    assert is_told(lines, event="command", command="show", event_id=shown, ticket=number)
    assert is_told(lines, event="sent", kind="answer", event_id=answer.event_id, answers=shown)
    assert is_told(lines, event="tap", command="wait", result="done", event_id=tap)
    edits = [line for line in lines if line.get("edits") == card.event_id]
    assert edits
    assert all(line["row"] and line["event_id"] for line in edits)
    assert [word for word in ("niece", "training", "Kim Doe", "her name") if word in seen.bot.log] == []


async def use(desk: Desk) -> None:
    """Everything that is counted, once."""
    number = await desk.file("Laptop for my niece")
    await desk.card(number)
    await desk.done("anna", f"!take {number}")
    await desk.told("ben", f"!take {number}")
    await desk.told("ben", f"!close {number} 99999")
    await desk.told("anna", "!tkae 1")
    await desk.told("anna", "!take Kim")
    await desk.told("dora", f"!delete {number} 1 2", "admin")
    assert (await desk.post("/api/tickets.json", {"name": "Kim Doe"}))[0] == 400
    assert (await desk.post("/api/tickets.json", {}, **{"X-API-Key": "wrong"}))[0] == 401
    assert (await desk.post(f"/api/tickets/{number}/messages", {"message": "Me again"}))[0] == 201
    assert (await desk.post("/", b"name=Kim"))[0] == 400
    other = await desk.file("Another one")
    await desk.offers(other, "🙋 ⏳ ✅ 🚫")
    await desk.tap("ben", other, "🚫")
    await desk.card(other, "🚫")


def assert_counted(after: Scrape, before: Scrape) -> None:
    """What :func:`use` did, and nothing else."""
    assert after.grown(before, "commands_total") == {
        frozenset({"take", "done"}): 1,
        frozenset({"take", "refused"}): 1,
        frozenset({"close", "partly"}): 1,
        frozenset({"unknown", "not_understood"}): 1,
        frozenset({"take", "not_understood"}): 1,
        frozenset({"delete", "asked"}): 1,
    }
    assert after.grown(before, "taps_total") == {frozenset({"spam", "done"}): 1}
    assert after.grown(before, "intake_requests_total") == {
        frozenset({"ticket", "accepted"}): 2,
        frozenset({"ticket", "refused"}): 1,
        frozenset({"ticket", "unauthorized"}): 1,
        frozenset({"message", "accepted"}): 1,
        frozenset({"form", "refused"}): 1,
    }
    assert after.grown(before, "intake_request_seconds_count") == {
        frozenset({"ticket"}): 4, frozenset({"message"}): 1, frozenset({"form"}): 1,
    }  # fmt: skip
    assert after.grown(before, "sends_total").keys() == SENT
    assert after.grown(before, "database_unit_seconds_count").keys() == {
        frozenset({"read"}), frozenset({"write"}),
    }  # fmt: skip
    assert after.grown(before, "outbox_wait_seconds_count")[frozenset({"card"})] >= 2


async def test_the_figures_move_as_they_should_and_hold_nobodys_data(seen: Desk) -> None:
    before = await scrape(inside(seen))
    await use(seen)
    after = await scrape(inside(seen))
    async with asyncio.timeout(20):
        # What nobody waits for is sent last: reactions to offer, and the tap to take away.
        while not after.grown(before, "sends_total").keys() >= SENT:
            after = await scrape(inside(seen))
    assert_counted(after, before)
    assert (after["ready"], after["inbox_events"], after["sync_failures_in_a_row"]) == (1, 0, 0)
    assert 0 <= after["sync_lag_seconds"] < 60
    assert {name for name in after.names if name.startswith("process_")} >= {
        "process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total",
    }  # fmt: skip
    people = [human.user_id for human in seen.people.values()]
    private = {
        *seen.filed, *people, *seen.rooms.values(), seen.account.user_id, seen.account.access_token, seen.key,
        "Kim", "niece", "Me again", "tkae", "$", "@", "!",
    }  # fmt: skip
    assert [word for word in private if word in after.text] == []


async def test_the_alerts_are_about_figures_that_there_are(seen: Desk) -> None:
    names = (await scrape(inside(seen))).names
    for rule in yaml.safe_load(RULES.read_text())["groups"][0]["rules"]:
        used = set(re.findall(r"\btickettruhe_\w+", rule["expr"]))
        assert used <= names, rule["alert"]


async def test_the_figures_are_not_for_the_world(seen: Desk) -> None:
    assert (await get(f"{seen.url}/metrics"))[0] == 404
    assert (await get(f"{inside(seen)}/api/tickets.json"))[0] == 404


async def test_a_room_that_cannot_be_used_is_told(seen: Desk) -> None:
    for url in (seen.url, inside(seen)):
        assert await get(f"{url}/readyz") == (200, '{"status": "ok"}')
    carla, berlin = seen.person("carla"), seen.rooms["berlin"]
    await carla.send_state(berlin, "m.room.join_rules", {"join_rule": "public"})
    await seen.hears("admin", "I cannot use the room Berlin")
    held = await seen.file("Nobody may read this", region="berlin")
    said = json.loads(await answered(f"{seen.url}/readyz", 503))
    assert said == {"status": "failing", "problems": {"rooms": "team:berlin: anyone can join"}}
    assert (await get(f"{seen.url}/healthz"))[0] == 200
    told = await seen.told("dora", "!status", "admin")
    assert "⚠️ Please look at what is marked below" in told.body
    assert "⚠️ 1 message is held back" in told.body
    assert "⚠️ Berlin: Strangers can join it" in told.body
    assert is_told(lines_about(seen, held), event="held", kind="card")
    await carla.send_state(berlin, "m.room.join_rules", {"join_rule": "invite"})
    await seen.card(held, room="berlin")
    assert "✅ Everything is well" in (await seen.told("dora", "!status", "admin")).body
    await answered(f"{seen.url}/readyz", 200)
