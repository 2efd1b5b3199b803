"""The database: is it there, whole, writable and of this version; who runs on it, and what waits in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy.engine import URL
from sqlmodel import Session

from bot.doctor.findings import Finding, bad, good, poor
from storage import inspection, schema
from storage.errors import DatabaseUnavailable
from storage.inspection import Lease, Limit, Trust, Work
from storage.key_models import KeyAccount

_MIB: Final = 1024**2
_LITTLE: Final = 100 * _MIB
_SOME: Final = 1024 * _MIB
_LATE: Final = timedelta(minutes=5)
_OFFLINE: Final = timedelta(minutes=2)
_CLOCK_APART: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and what the other checks need to know of it."""

    findings: tuple[Finding, ...]
    running: bool = False
    """Whether a bot runs on it."""
    keys: int | None = None
    """Valid API keys; ``None``: not known."""
    account: KeyAccount | None = None
    """The bot's own device, if it has keys."""
    moved: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Upgraded rooms → the room that the bot uses instead."""
    limit: Limit | None = None
    """The homeserver's limit on messages, as the bot has met it."""
    trust: Trust = field(default_factory=Trust)


def examine_schema(url: URL) -> Report:
    """Whether the database answers, and is of this version of the program."""
    first, current = _schema(url)
    if not current:
        return Report((first,))
    try:
        with inspection.opened(url) as session:
            # Who may not see whether it runs must take care as if it did.
            running = inspection.lease(url, session).held is not False
            moved, limit = inspection.moved_rooms(session), inspection.limit(session)
            trust = inspection.trust(session)
            return Report((first,), running, moved=moved, limit=limit, trust=trust)
    except DatabaseUnavailable:
        return Report((first, _unreadable()))


def examine_database(url: URL, now: datetime) -> Report:
    """Everything about the database; of one that is not this version's, only that."""
    first, current = _schema(url)
    if not current:
        return Report((first,))
    found = [first]
    try:
        with inspection.opened(url) as session:
            if url.get_backend_name() == "sqlite":
                found.append(_space(url))
            found += [_writable(url, session), _whole(url, session)]
            held = inspection.lease(url, session)
            work = inspection.work(session, now)
            running = _is_recent(work.synced_at, now) if held.held is None else held.held
            found += [_lease(held), *_work(work, now, running=running)]
            moved, limit = inspection.moved_rooms(session), inspection.limit(session)
            trust, account = inspection.trust(session), inspection.key_account(session)
            if url.get_backend_name() != "sqlite":
                found.append(_clock(inspection.clock(session), now))
    except DatabaseUnavailable:
        return Report((*found, _unreadable()))
    return Report(tuple(found), running, work.keys, account, moved, limit, trust)


def _unreadable() -> Finding:
    hint = "Is its server or its disk all right? The lines above may tell; else restore the last backup."
    return bad("database", "cannot be read to its end", hint)


def _schema(url: URL) -> tuple[Finding, bool]:
    """The finding, and whether the schema is this version's."""
    what = f"database ({url.get_backend_name()})"
    if inspection.is_missing(url):
        return good(what, "not there yet, will be made by `run`"), False
    try:
        with inspection.opened(url) as session:
            found = inspection.found_schema(session)
    except DatabaseUnavailable:
        return bad(what, "does not answer", "Is it running, is the URL right?"), False
    if found is None:
        return good(what, "empty, will be set up by `run`"), False
    if inspection.is_from_newer(found):
        hint = "Install the newer version again, or restore a backup."
        return bad(what, f"made by a newer version ({found})", hint), False
    if found != schema.newest():
        return bad(what, f"schema {found} is old", "Back up, then run `migrate`."), False
    return good(what, f"schema {found}"), True


def _space(url: URL) -> Finding:
    room = inspection.room_for(url)
    detail = f"{room.free / _MIB:,.0f} MiB free, the database has {room.used / _MIB:,.1f} MiB"
    hint = f"Make room on the disk of {url.database}; when it is full, nothing can be accepted any more."
    if room.free < _LITTLE:
        return bad("disk", detail, hint)
    if room.free < max(_SOME, room.used):
        return poor("disk", detail, hint)
    return good("disk", detail)


def _writable(url: URL, session: Session) -> Finding:
    reason = inspection.why_not_writable(url, session)
    if reason is None:
        return good("writing", "allowed")
    hint = (
        f"Give the bot's user the file and its folder (`chown -R`), or end the program that has locked it "
        f"(`fuser {url.database}`)."
        if url.get_backend_name() == "sqlite"
        else "Connect to the primary server, as the user to whom the tables belong."
    )
    return bad("writing", reason, hint)


def _whole(url: URL, session: Session) -> Finding:
    try:
        found = inspection.damage(url, session)
    except TimeoutError:
        hint = f"At a quiet time: `sqlite3 {url.database} 'PRAGMA quick_check'`."
        return poor("integrity", "too large to be looked through within 20 seconds", hint)
    if found is None:
        return good("integrity", "no damage found")
    return bad("integrity", found, "Look at the disk, stop the bot, and restore the last backup.")


def _lease(found: Lease) -> Finding:
    holder = found.holder
    if found.held is None:
        return poor("bot", "this user may not see whether it runs", "Run `doctor` as the bot's user.")
    if found.held and holder is not None:
        return good("bot", f"runs as pid {holder.pid} on {holder.host} since {_moment(holder.since)}")
    last = f"; last started on {holder.host}, {_moment(holder.since)}" if holder else ""
    return poor(
        "bot", f"does not run{last}", "Start it: `tickettruhe run`, or `systemctl start tickettruhe`."
    )


def _work(found: Work, now: datetime, *, running: bool) -> Iterator[Finding]:
    if running:
        yield _synced(found.synced_at, now)
    yield _queue("commands", found.inbox, found.inbox_oldest, now, "The log says why (`command_fault`).")
    why = "Is the homeserver slow, or does its rate limit apply (below)? The log says (`delivery_put_off`)."
    yield _queue("sending", found.outbox, found.outbox_oldest, now, why)
    if found.set_aside:
        hint = "The admin room was told of each: let the bot write where it could not. It is not sent again."
        yield poor("set aside", f"{found.set_aside} could not be sent for good", hint)


def _synced(at: datetime | None, now: datetime) -> Finding:
    if at is not None and _is_recent(at, now):
        return good("sync", f"{(now - at).total_seconds():.0f} s ago")
    detail = f"last at {_moment(at)}" if at else "never"
    return bad("sync", detail, "The bot runs but hears nothing: is the homeserver up?")


def _is_recent(synced_at: datetime | None, now: datetime) -> bool:
    return synced_at is not None and now - synced_at < _OFFLINE


def _queue(what: str, count: int, oldest: datetime | None, now: datetime, hint: str) -> Finding:
    if not count or oldest is None:
        return good(what, "nothing waits")
    detail = f"{count} waiting, the oldest since {_moment(oldest)}"
    return poor(what, detail, hint) if now - oldest > _LATE else good(what, detail)


def _clock(theirs: datetime, now: datetime) -> Finding:
    apart = abs(theirs - now)
    if apart <= _CLOCK_APART:
        return good("clock (database)", "as here")
    hint = "Let both machines get their time from the network (`timedatectl set-ntp true`)."
    return poor("clock (database)", f"{apart.total_seconds():.0f} s apart from this machine's", hint)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
