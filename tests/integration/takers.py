"""One of several processes whose people all take the same tickets: prints what each of them was told.

``python -m tests.integration.takers URL TICKETS FIRST LAST``: begins once a line comes in, as all others do.
"""

import asyncio
import json
import sys

from bot.domain.errors import TakenBy
from bot.domain.words import Action
from bot.services import moves, people
from bot.services.unit import Unit, Units
from storage.database import Database
from tests.integration.desk_data import FREIBURG, POLICY


def member(index: int) -> str:
    """One of the many in Freiburg's room."""
    return f"@member{index}:example.org"


async def take(units: Units, number: int, person: str) -> str:
    """Take a ticket in Freiburg's room; says who has it afterwards, as far as this person was told."""

    def work(unit: Unit) -> None:
        moves.move(unit, Action.TAKE, number, people.caller_of(unit, person, FREIBURG))

    try:
        await units.run(work)
    except TakenBy as refusal:
        return refusal.assignee
    return person


async def main(url: str, tickets: int, first: int, last: int) -> None:
    """Everybody takes every ticket, all at once."""
    database = Database(url)
    try:
        units = Units(database, POLICY)
        await units.ping()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        attempts = [(number, person) for number in range(1, tickets + 1) for person in range(first, last)]
        told = await asyncio.gather(*(take(units, number, member(person)) for number, person in attempts))
        # Last of all: the log goes to the same place.
        print(json.dumps([[number, winner] for (number, _), winner in zip(attempts, told, strict=True)]))
    finally:
        await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
