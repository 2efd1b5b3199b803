"""Files that go with a message: named in the outbox, made and uploaded when the message is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.errors import TickettruheError
from bot.services.unit import Unit
from storage import outbox
from storage.outbox import RowState


class NoFile(TickettruheError):
    """The file cannot be made, or is gone; ``reason`` holds no content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload. ``width`` and ``height`` in pixels, of a picture."""

    data: bytes
    name: str
    media_type: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A message that shows a file, to be sent instead of the text if the file can be had.

    ``source`` names what the file is made from; ``None``: it is uploaded, and ``content`` says where.
    """

    content: Mapping[str, Any]
    source: Mapping[str, Any] | None

    def uploaded(self, url: str, file: File, key: Mapping[str, Any] | None = None) -> "Media":
        """With the file's address and measures (client-server API, "m.image", "m.file").

        :param key: of an encrypted file, how to read it ("EncryptedFile"), which names the address as well.
        """
        info: dict[str, Any] = {"mimetype": file.media_type, "size": len(file.data)}
        if file.width is not None and file.height is not None:
            info |= {"w": file.width, "h": file.height}
        place: dict[str, Any] = {"url": url} if key is None else {"file": dict(key)}
        named = {} if "filename" in self.content else {"filename": file.name}
        return replace(self, content={**self.content, **named, **place, "info": info}, source=None)

    def to_json(self) -> dict[str, Any]:
        """As the outbox keeps it."""
        return {"content": dict(self.content), "source": None if self.source is None else dict(self.source)}


def media_of(payload: Mapping[str, Any]) -> Media | None:
    """What an outbox row wants to show beside its text."""
    kept = payload.get("media")
    return None if kept is None else Media(kept["content"], kept["source"])


def uploaded(unit: Unit, row_id: int, media: Media) -> None:
    """The file is at the homeserver: sent again, the row does not upload it once more."""
    row = outbox.get(unit.session, row_id)
    if row is not None and row.state == RowState.WAITING and row.payload is not None:
        row.payload = {**row.payload, "media": media.to_json()}
        unit.session.add(row)
