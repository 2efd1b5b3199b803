"""Queries about what belongs together read by index, however many tickets there are."""

from typing import Any

from sqlalchemy import event

from bot.domain.words import Status
from storage import conversation
from storage.models import Ticket
from tests.integration.desk_data import desk_on


async def test_a_persons_tickets_and_merged_ones_are_found_by_index(sqlite_database: str) -> None:
    async with desk_on(sqlite_database) as desk:
        number = await desk.open()
        by_phone = await desk.open(email=None)
        said: list[tuple[str, Any]] = []

        def listen(*execution: Any) -> None:
            said.append((execution[2], execution[3]))

        event.listen(desk.database.engine, "before_cursor_execute", listen)
        with desk.database.read() as session:
            for each in (number, by_phone):
                ticket = session.get_one(Ticket, each)
                conversation.others_of(session, ticket, {"freiburg", None}, 5, frozenset(Status))
            conversation.merged_here(session, number)
        event.remove(desk.database.engine, "before_cursor_execute", listen)
        plans = []
        with desk.database.engine.connect() as connection:
            for statement, parameters in said:
                if statement.startswith("SELECT"):
                    plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                    plans += [str(row["detail"]) for row in plan.mappings()]
    assert any("ix_requesters_email_key" in step for step in plans)
    assert any("ix_tickets_requester_id" in step for step in plans)
    assert any("ix_tickets_merged_into" in step for step in plans)
    assert [step for step in plans if step.startswith("SCAN")] == []
