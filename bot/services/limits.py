"""The homeserver's limit on what the bot sends, as the courier meets it."""

from bot.services.unit import Unit
from storage import limits


def met(unit: Unit, seconds: float) -> None:
    """The homeserver refused to take more; it seems to take one message in so many seconds."""
    limits.note(unit.session, seconds, unit.now)
