"""Files that came with a message: posted into the ticket's thread, each as an event of its own."""

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.domain.words import Status
from bot.services.media import File, NoFile
from bot.services.unit import Unit
from bot.services.views import AttachmentView, FilePost
from storage import outbox, tickets
from storage.models import Attachment, OutboxRow, TicketMessage
from storage.outbox import Kind, Priority

_PICTURES: Final = {"image/png", "image/jpeg", "image/gif", "image/webp"}
"""What clients show in the timeline; other sorts can hold scripts."""
_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}", re.IGNORECASE | re.ASCII)
_SHOWN_IN: Final = frozenset({Status.OPEN, Status.IN_PROGRESS, Status.WAITING, Status.CLOSED})


def post(unit: Unit, number: int, message_id: int) -> None:
    """Let a message's files be posted below its ticket's card, after what is to be posted about it so far."""
    for attachment_id, media_type in tickets.kept_files(unit.session, message_id):
        plain = media_type.partition(";")[0].strip().lower()
        source = {
            "what": "attachment",
            "id": attachment_id,
            "message": message_id,
            "at": unit.now.isoformat(),
        }
        content = {"msgtype": "m.image" if plain in _PICTURES else "m.file"}
        payload = {**source, "what": "file", "media": {"content": content, "source": source}}
        outbox.put(unit.session, Kind.ALERT, Priority.ALERT, unit.now, number=number, payload=payload)


def view(unit: Unit, row: OutboxRow, payload: dict[str, Any]) -> FilePost | None:
    """The file as the thread names it; ``None`` if it is gone, or its ticket's conversation is not shown."""
    found = _found(unit, payload)
    ticket = tickets.get(unit.session, row.number or 0)
    if found is None or ticket is None or Status(ticket.status) not in _SHOWN_IN:
        return None
    file = AttachmentView(found.name, found.media_type, found.size)
    return FilePost(row.number or 0, file)


def load(unit: Unit, source: Mapping[str, Any]) -> File:
    """The file itself.

    :raises NoFile: it is gone.
    """
    found = _found(unit, source)
    if found is None:
        raise NoFile("the attachment is gone")
    known = _TYPE.fullmatch(found.media_type.partition(";")[0].strip())
    return File(found.data, found.name, known[0] if known else "application/octet-stream")


def _found(unit: Unit, source: Mapping[str, Any]) -> Attachment | None:
    """SQLite gives the id of a row that is gone to the next one, of whatever ticket: the time must fit."""
    found = unit.session.get(Attachment, source["id"])
    message = unit.session.get(TicketMessage, source["message"])
    if found is None or message is None or found.message_id != message.id:
        return None
    return found if message.at.isoformat() == source["at"] else None
