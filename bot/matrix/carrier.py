"""Does the courier's jobs: requests to the homeserver, each noted in the database as it succeeds."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from bot.matrix.client import ABOUT_KEY, TX_KEY, MatrixClient
from bot.matrix.encryption.machine import Machine
from bot.matrix.encryption.receiving import ENCRYPTED
from bot.matrix.encryption.sealing import Labels
from bot.matrix.errors import AlreadyThere, Refused
from bot.matrix.events import TIMELINE_FILTER
from bot.matrix.media import Uploader
from bot.matrix.pace import Pace
from bot.services import outcomes, seeds
from bot.services.jobs import Clear, Job, Seed, Send
from bot.services.seeds import Plan
from bot.services.unit import Units

_LOG = structlog.get_logger(__name__)
_MOST_PAGES: Final = 50
_MARGIN: Final = timedelta(minutes=5)
"""The homeserver's clock may differ from ours."""

Render = Callable[[Send], Mapping[str, Any]]
"""Makes the content of what is rendered at the moment of sending; handed in by the composition root."""


class Carrier:
    """Brings to the rooms what a job says."""

    def __init__(
        self,
        client: MatrixClient,
        machine: Machine,
        units: Units,
        render: Render,
        uploader: Uploader,
        pace: Pace,
    ) -> None:
        """:param pace: is told of each event that the homeserver takes."""
        self._client = client
        self._machine = machine
        self._units = units
        self._render = render
        self._uploader = uploader
        self._pace = pace

    async def bring(self, job: Job) -> None:
        """Do a job and note what came of it.

        :raises MatrixError: it was not done, or not all of it.
        """
        match job:
            case Clear():
                await self._clear(job)
            case Seed():
                await self._seed(job)
            case Send():
                await self._send(job)

    async def _send(self, job: Send) -> None:
        event_id = await self.already_there(job) if job.search_first else None
        older = event_id is not None
        if event_id is None:
            text = job.content if job.content is not None else self._render(job)
            event_id = await self._brought(job, await self._uploader.content(job, text))
            self._accepted()
        thread = job.thread
        await self._units.run(
            lambda unit: outcomes.sent(unit, job.tx_id, event_id, job.room_id, thread, older=older)
        )
        waited = self._units.clock() - job.created_at
        self._units.meters.waited(job.kind, max(0.0, waited.total_seconds()))
        _LOG.info("sent", event_id=event_id, room_id=job.room_id, **_relation(job))

    async def _brought(self, job: Send, content: Mapping[str, Any]) -> str:
        """Send it, encrypted where that is due; reactions never are (specification, "Annotations")."""
        about = {ABOUT_KEY: dict(job.about)} if job.about else {}
        if job.event_type == "m.reaction" or not self._machine.is_encrypted(job.room_id):
            return await self._client.send(job.room_id, job.event_type, {**content, **about}, job.tx_id)
        label = {TX_KEY: job.tx_id, **about}
        sealed = await self._machine.sealed(job.room_id, job.event_type, content, label)
        return await self._client.put(job.room_id, ENCRYPTED, sealed, job.tx_id)

    async def _clear(self, job: Clear) -> None:
        for index, (room_id, event_id) in enumerate(job.events):
            await self._redact(room_id, event_id, f"{job.row_id}-{event_id}-{index}", job.number)
        if job.then is not None:
            await self._send(job.then)
        await self._units.run(lambda unit: outcomes.cleared(unit, job.row_id))

    async def _seed(self, job: Seed) -> None:
        """Bring the reactions on an event up to date; each is noted at once, so that a crash costs none."""
        plan = job.plan
        for _key, event_id in plan.remove:
            number = plan.shows[0] if plan.shows else 0
            await self._redact(plan.room_id, event_id, f"{job.tx_id}-{event_id}", number)
        for key in plan.add:
            # Named by the emoji: after a crash the plan is shorter, and a place in it means another one.
            placed = await self._placed(plan, key, f"{job.tx_id}-{key.encode().hex()}")
            if placed is not None:
                await self._units.run(partial(outcomes.seed_placed, plan=plan, key=key, event_id=placed))
        await self._units.run(lambda unit: seeds.looked_after(unit, job.row_id, plan))

    async def _redact(self, room_id: str, event_id: str, tx_id: str, number: int) -> None:
        """Take an event about a ticket away; one that cannot be is noted, too."""
        code: str | None = None
        try:
            await self._client.redact(room_id, event_id, tx_id)
            self._accepted()
        except Refused as error:
            code = error.code
        await self._units.run(partial(outcomes.redacted, event_id=event_id, number=number, error=code))

    async def _placed(self, plan: Plan, key: str, tx_id: str) -> str | None:
        relation = {"rel_type": "m.annotation", "event_id": plan.event_id, "key": key}
        try:
            placed = await self._client.send(plan.room_id, "m.reaction", {"m.relates_to": relation}, tx_id)
        except AlreadyThere:
            return await self._client.own_reaction(plan.room_id, plan.event_id, key)
        self._accepted()
        return placed

    def _accepted(self) -> None:
        self._pace.accepted(asyncio.get_running_loop().time())

    async def already_there(self, job: Send) -> str | None:
        """Look for the event in the room: the homeserver may have forgotten the transaction id."""
        start: str | None = None
        for _page in range(_MOST_PAGES):
            chunk, start = await self._client.page_back(job.room_id, start, None, TIMELINE_FILTER)
            for event in chunk:
                content, event_id = event.get("content"), event.get("event_id")
                if event.get("sender") != self._client.user_id or not isinstance(content, dict):
                    continue  # anybody may copy a transaction id
                told = self._machine.labels.read(job.room_id, content.get(Labels.KEY)) or content
                if told.get(TX_KEY) == job.tx_id and isinstance(event_id, str):
                    return event_id
            if start is None or _older(chunk, job.created_at - _MARGIN):
                return None
        return None


def _relation(job: Send) -> dict[str, str]:
    """For the log: which event was edited, or answered."""
    if job.edits is not None:
        return {"edits": job.edits}
    related = (job.content or {}).get("m.relates_to", {})
    answered = related.get("m.in_reply_to", related).get("event_id")
    return {"answers": answered} if isinstance(answered, str) else {}


def _older(chunk: list[dict[str, Any]], than: datetime) -> bool:
    """Whether a page is from before: all of it, as any server may put any time on one event."""
    moments = [event.get("origin_server_ts") for event in chunk]
    known = [moment for moment in moments if isinstance(moment, int)]
    return bool(known) and max(known) < than.timestamp() * 1000
