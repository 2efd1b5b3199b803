"""Whether the bot lives and is ready: what /healthz and /readyz say."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from bot.domain.rooms import in_words
from bot.intake.email.mailbox import Mailbox
from bot.intake.health import Health
from bot.matrix.sync import SyncLoop
from bot.recent import Recent
from bot.services import status
from bot.services.status import Soundness
from bot.services.unit import DatabaseUnavailable, Units

PARTS: Final = (
    "database", "schema", "lease", "homeserver", "sync", "rooms", "mailboxes", "intake", "mail",
)  # fmt: skip
"""What has to be well for the bot to be ready."""

STUCK_AFTER: Final = 300.0
"""Seconds. The loops come round every half minute at least, and the longest wait inside is two minutes."""
_SYNC_STALE: Final = timedelta(seconds=90)
_SYNC_FAILURES: Final = 3
"""In a row; fewer are a hiccup that nobody need be called for."""
_KEEP: Final = 1.0
_PATIENCE: Final = 2.0


class Watch:
    """What is known of the running bot's parts. Whoever starts them tells; nothing here polls."""

    def __init__(self, units: Units, schema: str) -> None:
        """:param schema: the revision that this version works with."""
        self._units = units
        self._schema = schema
        self._database = Recent(self._soundness, keep=_KEEP, patience=_PATIENCE)
        self._turned: dict[str, Callable[[], float | None]] = {}
        self._mailboxes: list[Mailbox] = []
        self.lease_held = True
        self.logged_in = False
        self.synced_at: datetime | None = None
        self.sync: SyncLoop | None = None
        self.stopping = False
        self.mail_in_trouble: Callable[[], bool] = lambda: False
        """Whether no mail could be sent for some minutes."""

    def over(self, part: str, turned_at: Callable[[], float | None]) -> None:
        """Look after a loop. ``turned_at`` is the running loop's time at which it came round last."""
        self._turned[part] = turned_at

    def over_mailbox(self, mailbox: Mailbox) -> None:
        """Look after a mailbox from which mail is fetched."""
        self._mailboxes.append(mailbox)
        self.over(f"mailbox {mailbox.name}", lambda: mailbox.turned_at)

    async def _soundness(self) -> Soundness:
        return await self._units.look(status.soundness)

    async def alive(self) -> Health:
        """Whether the process can still do its work; where it cannot, only a new start helps."""
        now = asyncio.get_running_loop().time()
        since = {part: now - (turned_at() or now) for part, turned_at in self._turned.items()}
        return Health(
            {
                part: f"has not moved for {int(age)} seconds"
                for part, age in since.items()
                if age > STUCK_AFTER
            }
        )

    async def ready(self) -> Health:
        """Whether all parts do what they should, with the reason where one does not."""
        problems = await self._of_database()
        if not self.lease_held:
            problems["lease"] = "the database's lock is lost, and not yet held again"
        if not self.logged_in:
            problems["homeserver"] = "not logged in yet"
        if (late := self._of_sync()) is not None:
            problems["sync"] = late
        if self.mail_in_trouble():
            problems["mail"] = "the mail server takes nothing"
        boxes = [f"{each.name}: {each.problem}" for each in self._mailboxes if each.problem]
        if boxes:
            problems["mailboxes"] = "; ".join(boxes)
        if self.stopping:
            problems["intake"] = "is stopping"
        return Health({part: problems[part] for part in PARTS if part in problems})

    async def _of_database(self) -> dict[str, str]:
        try:
            found = await self._database.get()
        except TimeoutError:
            return {"database": f"no answer within {_PATIENCE:.0f} seconds"}
        except DatabaseUnavailable:
            return {"database": "does not answer"}
        problems: dict[str, str] = {}
        if found.schema != self._schema:
            problems["schema"] = f"is {found.schema}, this version works with {self._schema}"
        rooms = [f"{key}: {in_words(each)}" for key, each in found.rooms.items() if each]
        if rooms:
            problems["rooms"] = "; ".join(rooms)
        return problems

    def _of_sync(self) -> str | None:
        if self.synced_at is None:
            return "no sync yet"
        if self.sync is not None and self.sync.failures >= _SYNC_FAILURES:
            return f"the homeserver failed {self.sync.failures} times in a row"
        if self._units.clock() - self.synced_at > _SYNC_STALE:
            return f"no answer from the homeserver for more than {_SYNC_STALE.total_seconds():.0f} seconds"
        return None

    @property
    def sync_lag(self) -> float | None:
        """Seconds since the last good sync; ``None`` before the first."""
        if self.synced_at is None:
            return None
        # A clock that is set back makes the last sync one of the future.
        return max(0.0, (self._units.clock() - self.synced_at).total_seconds())

    async def close(self) -> None:
        """End what is under way."""
        await self._database.close()
