"""What people do in a ticket's conversation, on a desk without a homeserver."""

from dataclasses import replace

from bot.services import notes, tasks
from bot.services.changes import Done
from tests.integration.desk_data import ANNA, Desk


async def note(desk: Desk, number: int, text: str, by: str = ANNA, cause: str | None = None) -> Done:
    """Keep a note."""
    caller = replace(await desk.caller(by), cause=cause)
    return await desk.units.run(lambda unit: notes.note(unit, number, text, caller))


async def add(desk: Desk, number: int, text: str, by: str = ANNA, cause: str | None = None) -> Done:
    """Add a task."""
    caller = replace(await desk.caller(by), cause=cause)
    return await desk.units.run(lambda unit: tasks.add(unit, number, text, caller))


async def tick(desk: Desk, number: int, *positions: int, by: str = ANNA, cause: str | None = None) -> Done:
    """Tick tasks off."""
    caller = replace(await desk.caller(by), cause=cause)
    return await desk.units.run(lambda unit: tasks.done(unit, number, positions, caller))
