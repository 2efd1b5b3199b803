"""The link to the page on which a requester sees how the request stands."""

from bot.services.unit import Unit


def status_link(_unit: Unit, _number: int) -> str | None:
    """The address of the ticket's page; ``None``: there is no such page."""
    return None
