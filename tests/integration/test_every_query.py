"""Growth: whatever the bot does, no statement reads a growing table whole."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import time, timedelta
from functools import partial
from typing import Any, Final

import pytest
from sqlalchemy import Connection, event, text

from bot.domain.mail import MailPolicy
from bot.domain.quiet import QuietHours
from bot.domain.words import Action, Intake
from bot.services import (
    apikeys,
    arrivals,
    delivery,
    digest,
    figures,
    intake,
    invitations,
    keys,
    mail_ids,
    mail_in,
    mail_jobs,
    mail_outcomes,
    outcomes,
    quiet,
    reception,
    room_updates,
    sealed,
    status,
    status_links,
    status_page,
)
from bot.services.arrivals import NewMessage
from bot.services.intake import RetryKey
from bot.services.letters import AckWish
from bot.services.reception import Batch, ReceivedEvent
from bot.services.status_links import Proof
from bot.services.unit import PagePolicy, Unit
from tests.integration.desk_data import ADMINS, ANNA, BEN, DORA, FREIBURG, POLICY, Desk, desk_on, request
from tests.integration.test_worker_taps import Chat
from tests.mail_data import mail

GROWING: Final = (
    "tickets", "requesters", "messages", "attachments", "tasks", "history", "inbox", "outbox",
    "outbox_tickets", "posted_events", "posted_tickets", "cards", "prompts", "prompt_tickets",
    "idempotency_keys", "mutes", "room_members", "digest_marks", "purged", "search_index", "mail_marks",
    "megolm_sessions", "known_devices",
    "letters",
)  # fmt: skip
"""Not so: rooms, API keys, people's device lists and channels, notes of quiet hours of a week."""
PARTIAL: Final = ("ix_inbox_waiting",)
"""Indexes that hold only what waits: reading them whole is what they are for."""


@contextmanager
def said_to(desk: Desk) -> Iterator[dict[str, Any]]:
    """Every statement that the database is given, with its last values."""
    said: dict[str, Any] = {}

    def listen(*execution: Any) -> None:
        statement, values, many = execution[2], execution[3], execution[5]
        said[statement] = values[0] if many else values

    event.listen(desk.database.engine, "before_cursor_execute", listen)
    yield said
    event.remove(desk.database.engine, "before_cursor_execute", listen)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    page = PagePolicy(timedelta(days=90), None, frozenset({"freiburg"}))
    mail = MailPolicy("example.org", acknowledging=frozenset({"freiburg", None}))
    quiet_all_day = {"team:freiburg": ALL_DAY}
    policy = replace(POLICY, page=page, mail=mail, thankful=frozenset({"freiburg"}), quiet=quiet_all_day)
    async with desk_on(database_url, policy) as desk:
        yield desk


class Quick(Chat):
    """Handles what comes in once, and asks nothing of the database itself."""

    async def handle(self) -> None:
        for incoming in await self.desk.units.look(reception.waiting):
            await self.worker.handle(incoming)
        self.jobs = await self.desk.deliver()


ACK: Final = AckWish(origin="192.0.2.7")
ALL_DAY: Final = QuietHours(time(0), time(23, 59), POLICY.zone)
COMMANDS: Final = (
    "!take {a}", "!take {a} {b}", "!release {a}", "!wait {a} a screen", "!take {a}", "!note {a} She called",
    "!task add {a} Install it", "!task list {a}", "!reply {a} On Friday", "!reply {a} @", "!reply {b} Soon",
    "!close {a}", "!task done {a} 1", "!message {a} I came by",
    "!topic {b} other", "!assign {b} ben", "!mute {b}", "!unmute {b}", "!show {a}", "!history {a}", "!more",
    "!list", "!list --all", "!mine", "!list waiting", "!waitlist", "!list --age 3", "!list other", "!next",
    "!search laptop", "!search kim@example.org", "!more", "!stats", "!stats --text", "!help", "!help take",
    "!merge {b} {c}", "!undo {c}", "!close {a} done", "!undo {a}", "!spam {c}", "!reopen {c}", "!new Another",
    "!transfer {c} berlin", "!close {a} {b} {c}", "!tkae {a}", "!take 999",
)  # fmt: skip
BY_ADMINS: Final = (
    "!status", "!list --all", "!stats", "!search laptop --all", "!close {a}", "!archive {a}", "!restore {a}",
    "!delete {a}", "!show {a}", "!purge {a}", "!help",
)  # fmt: skip


async def busy_days(desk: Desk) -> None:
    """Everything that a desk does."""
    chat = Quick(desk)
    numbers = [await desk.open() for _each in range(3)]
    numbers += [await desk.open(email=None, name="Nobody", phone=phone) for phone in ("1", None)]
    key = await desk.units.run(lambda unit: apikeys.create(unit, "form"))
    await desk.units.look(lambda unit: apikeys.check(unit, key, None))
    retry = RetryKey("api:1", "once", "same")
    for _again in range(2):
        await desk.units.run(lambda unit: intake.open_ticket(unit, request(), key=retry, acknowledge=ACK))
    await desk.deliver()
    named = dict(zip("abc", numbers, strict=False))
    for line in COMMANDS:
        await chat.say(ANNA, line.format(**named))
    await chat.tap(ANNA, chat.card(numbers[3]), "🙋")
    message = NewMessage("And one thing more", Intake.HTTP)
    await desk.units.run(lambda unit: arrivals.receive_message(unit, numbers[1], message))
    await desk.deliver()
    for name in ("plain", "reply_thunderbird", "ooo_gmail_en", "bounce_postfix", "nested", "plain"):
        read = replace(mail(name), subject=f"[#{numbers[0]}]")
        await desk.units.run(partial(mail_in.receive_mail, mail=read, box=mail_in.Box("help", most_open=1)))
    await desk.deliver()
    await desk.units.run(mail_in.tidy)
    await letters_go_out(desk)
    for line in BY_ADMINS:
        await chat.say(DORA, line.format(a=numbers[4]), ADMINS)
    await chat.tap(DORA, chat.prompt(), "✅", desk.clock.now)
    await page_of(desk)
    await nights(desk)


async def secrets_come(desk: Desk) -> None:
    """Encrypted messages, some of which nobody can read yet, and keys."""
    events = tuple(
        ReceivedEvent(
            f"$sealed-{cipher}", FREIBURG, ANNA, {"x": 1}, desk.clock.now, sealed=where, cipher=cipher
        )
        for cipher, where in (("one:", True), ("two:", True), ("three:7", False))
    )
    await desk.units.run(lambda unit: reception.receive(unit, Batch("t", events=events)))
    desk.clock.advance(minutes=2)
    for each in await desk.units.look(sealed.to_tell):
        await desk.units.run(partial(sealed.told, event=each))
    for each in await desk.units.look(sealed.waiting):
        await desk.units.run(partial(sealed.opened, event=each, told=None))
    await desk.units.run(sealed.give_up)
    await desk.units.look(reception.waiting)
    await desk.units.look(keys.kept)
    for work in (
        partial(keys.room_keys, wanted=[(FREIBURG, "one"), (FREIBURG, "two")]),
        partial(keys.devices, user_ids=[ANNA, BEN]),
        partial(keys.channels, sender_keys=["one"]),
        partial(keys.acquainted, user_ids=[ANNA]),
        partial(keys.members, room_id=FREIBURG),
    ):
        await desk.units.look(work)
    await desk.units.run(keys.tidy)


async def page_of(desk: Desk) -> None:
    """What a requester does behind their link."""
    number = await desk.open()
    await desk.do(Action.WAIT, number)
    token = ""
    for proof in Proof:
        issue: Callable[[Unit], str | None] = partial(status_links.issue, number=number, proof=proof)
        issued = await desk.units.run(issue)
        token = issued or ""
        assert await desk.units.look(partial(status_page.view, token=token)) is not None
    await desk.units.run(partial(status_page.withdraw, token=token))
    assert await desk.units.look(partial(status_page.view, token=token)) is not None
    await desk.deliver()


async def letters_go_out(desk: Desk) -> None:
    """What the mail courier does, and what comes back."""
    jobs = [(await desk.units.run(mail_jobs.claim)).job for _each in range(3)]
    first, second, *others = [job for job in jobs if job is not None]
    assert others
    await desk.units.run(lambda unit: mail_jobs.release(unit, others[0].row_id))
    await desk.units.run(mail_jobs.resume)
    await desk.units.run(lambda unit: mail_outcomes.sent(unit, first.row_id, first.letter.id))
    await desk.units.run(lambda unit: mail_outcomes.failed(unit, second.row_id, second.letter.id, "550 x"))
    pause = timedelta(minutes=1)
    for job in others:
        await desk.units.run(
            partial(mail_outcomes.later, row_id=job.row_id, letter_id=job.letter.id, delay=pause, reason="4")
        )
    await desk.units.run(lambda unit: mail_outcomes.bounced(unit, first.letter.mail_id, "5.1.1 x"))
    await desk.units.run(mail_outcomes.give_up_old)
    await desk.units.look(lambda unit: mail_ids.known_ticket(unit, first.letter.mail_id))
    await desk.units.look(lambda unit: mail_ids.correspondents(unit, first.letter.number))
    await desk.deliver()


async def nights(desk: Desk) -> None:
    """What happens by itself."""
    desk.clock.advance(days=8)
    day = desk.clock.now.date()
    for team in ("freiburg", None):
        await desk.units.run(partial(digest.send_digest, team=team, day=day, zone=POLICY.zone))
    await desk.units.run(quiet.remind)
    await desk.deliver()
    await desk.units.run(outcomes.tidy)
    await desk.units.run(delivery.hurry)
    await desk.update(FREIBURG, members={BEN: None})
    await desk.update("!direct:example.org", membership="invite", invited_by=ANNA, direct=True)
    await desk.units.look(invitations.pending)
    await desk.units.run(room_updates.judge_all)
    await desk.units.look(reception.strangers_rooms)
    await desk.units.look(lambda unit: figures.figures(unit, figures.over(unit)))
    await desk.units.look(status.soundness)
    await desk.units.run(lambda unit: reception.start(unit, "@bot:example.org", "OTHER"))
    await desk.deliver()


def plan_of(connection: Connection, statement: str, values: Any) -> str:
    """How the database does it; PostgreSQL reads a small table whole unless it is told not to."""
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{explain} {statement}", values)
    return "\n".join(" ".join(map(str, row)) for row in rows)


def whole_reads(plan: str) -> list[str]:
    """Lines of a plan that read a growing table from end to end."""
    tables = "|".join(GROWING)
    whole = re.compile(rf"(?:SCAN ({tables})\b|Seq Scan on ({tables})\b)")
    return [
        line
        for line in plan.splitlines()
        if whole.search(line) and not any(index in line for index in (*PARTIAL, "VIRTUAL TABLE INDEX"))
    ]


async def test_no_statement_reads_a_growing_table_whole(desk: Desk) -> None:
    with said_to(desk) as said:
        await secrets_come(desk)
        await busy_days(desk)
    checked = {
        statement: values
        for statement, values in said.items()
        if re.match(r"(SELECT|UPDATE|DELETE|WITH)\b", statement.strip())
    }
    assert len(checked) > 100
    found: list[str] = []
    with desk.database.engine.connect() as connection:
        if desk.database.dialect != "sqlite":
            connection.execute(text("SET enable_seqscan = off"))
        for statement, values in checked.items():
            whole = whole_reads(plan_of(connection, statement, values))
            found += [f"{' '.join(statement.split())}\n    {line}" for line in whole]
    assert found == [], "\n".join(found)
