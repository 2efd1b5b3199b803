"""Which ticket a message belongs to, by the thread it is in or the message it replies to."""

from bot.services.unit import Unit
from storage import posted


def tickets_shown_by(unit: Unit, *event_ids: str | None) -> tuple[int, ...]:
    """Tickets that the first of these events shows that is the bot's and shows any."""
    for event_id in event_ids:
        if event_id is not None and (shown := posted.tickets_of(unit.session, event_id)):
            return shown
    return ()
