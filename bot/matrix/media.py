"""The file that a message shows: fetched and uploaded just before the message is sent."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import structlog

from bot.matrix.client import MatrixClient
from bot.matrix.encryption.machine import Machine
from bot.matrix.errors import Refused, Unreachable
from bot.matrix.nio_alone import nio
from bot.services import media
from bot.services.jobs import Send
from bot.services.media import File, Media, NoFile
from bot.services.unit import Units

encrypt_attachment: Final = nio.crypto.attachments.encrypt_attachment

_LOG = structlog.get_logger(__name__)
_PATIENCE: Final = 3
"""Attempts to upload that may fail for a passing reason until the text goes alone."""

Fetch = Callable[[Mapping[str, Any]], Awaitable[File]]
"""Makes or reads the file that a source names, or raises :class:`NoFile`; the composition root's."""


class Uploader:
    """Turns a message's text into a message that shows its file, wherever that is possible."""

    def __init__(self, client: MatrixClient, machine: Machine, units: Units, fetch: Fetch) -> None:
        self._client = client
        self._machine = machine
        self._units = units
        self._fetch = fetch

    async def content(self, job: Send, text: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content to send: with the file, or the text if there is no file or no place for it.

        :raises MatrixError: the homeserver does not answer now, or the login is over.
        """
        if job.media is None:
            return text
        done = await self._uploaded(job, job.media)
        if done is None:
            return text
        relation = {key: text[key] for key in ("m.relates_to",) if key in text}
        # What came with a message is named by its text; a picture has a caption of its own.
        named = {} if "body" in done.content else text
        return {**named, **done.content, **relation}

    async def _uploaded(self, job: Send, wanted: Media) -> Media | None:
        if wanted.source is None:
            return wanted
        try:
            file = await self._fetch(wanted.source)
            done = await self._brought(job.room_id, wanted, file)
        except NoFile as error:
            _LOG.error("no_file", reason=error.reason)
            return None
        except Refused as error:
            _LOG.warning("upload_refused", code=error.code)
            return None
        except Unreachable as error:
            if job.attempts < _PATIENCE:
                raise
            # The homeserver may well be there, and only the place for files not.
            _LOG.warning("upload_given_up", reason=error.reason)
            return None
        await self._units.run(lambda unit: media.uploaded(unit, job.row_id, done))
        return done

    async def _brought(self, room_id: str, wanted: Media, file: File) -> Media:
        """Upload it; for an encrypted room, what is uploaded is of use only to who can read the message."""
        if not self._machine.is_encrypted(room_id):
            return wanted.uploaded(await self._client.upload(file.data, file.media_type, file.name), file)
        sealed, key = await asyncio.to_thread(encrypt_attachment, file.data)
        url = await self._client.upload(sealed, "application/octet-stream", "file")
        return wanted.uploaded(url, file, {"v": "v2", **key, "url": url})
