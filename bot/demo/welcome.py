"""What the demo tells about itself: where everything is, and what can be typed."""

from collections.abc import Iterable
from typing import Protocol

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot.demo.cast import HELP_DESK, PEOPLE, ROOMS
from bot.demo.stage import Stage


class Listed(Protocol):
    """An order as the help lists it."""

    @property
    def name(self) -> str:
        """What is typed after the slash."""

    @property
    def parameter(self) -> str:
        """An example of what follows, if something does."""

    @property
    def summary(self) -> str:
        """What it does."""


def page(stage: Stage) -> RenderableType:
    """All that a person needs to begin."""
    form = _columns()
    form.add_row("Contact form", Text(stage.bot.form_url, style="bold underline green"))
    form.add_row("", "Open it in a browser, send a request, and watch it arrive below.")
    form.add_row("E-mail", Text.assemble((HELP_DESK, "bold"), ": /write sends one, /mails shows all"))
    return Group(
        Rule("Tickettruhe · demo", style="green"),
        form,
        "",
        rooms(),
        "",
        people(stage),
        Rule(style="green"),
    )


def rooms() -> RenderableType:
    """The rooms, what they are for and who is in them."""
    table = _columns()
    for index, room in enumerate(ROOMS.values()):
        who = " and ".join(PEOPLE[person] for person in room.people)
        table.add_row("" if index else "Rooms", Text(room.name, style="bold"), f"{who}: {room.purpose}")
    return table


def people(stage: Stage) -> RenderableType:
    """Who there is, and how to join with a client."""
    table = _columns()
    table.add_row("Or join with", "any Matrix client on this machine, such as Element:")
    table.add_row("homeserver", Text(stage.homeserver.url, style="bold"))
    table.add_row("user name", Text(", ".join(PEOPLE), style="bold"))
    table.add_row("password", Text.assemble((stage.password, "bold"), " (the same for all)"))
    return table


def first_steps(number: int, form_url: str) -> RenderableType:
    """What to type first, with a ticket of Freiburg's."""
    table = _columns()
    table.add_row("Now type", "what you would in the room. You are Anna; for example:")
    for line, meaning in (
        (f"!take {number}", f"Anna works on ticket {number}: its card changes"),
        (f"!reply {number} Hi", "Anna answers by e-mail: you see it go out"),
        (f"!wait {number}", "it goes on the waiting list"),
        (f"/tap {number} close", "as if you tapped ✅ under its card: it is done; ↩️ takes that back"),
        (f"/answer {number} Hi", "the requester answers that: a closed ticket is opened again"),
        ("/write", "somebody else writes an e-mail: it becomes a ticket, too"),
        ("/mails 1", "the first e-mail, with a link to the requester's own page"),
        ("!help", "everything that the bot can do"),
        ("/help", "what this demo can do: be Ben, go to Berlin, kill the bot, …"),
    ):
        table.add_row(Text(line, style="bold"), meaning)
    table.add_row("Or file one", Text.assemble("in your browser: ", (form_url, "bold underline green")))
    return table


def help_page(orders: Iterable[Listed]) -> RenderableType:
    """What can be typed."""
    table = _columns()
    table.add_row("", "What you type is said in the room; the bot listens for !help.")
    for order in orders:
        table.add_row(Text(f"/{order.name} {order.parameter}".rstrip(), style="bold"), order.summary)
    return table


def _columns() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=12)
    return table
