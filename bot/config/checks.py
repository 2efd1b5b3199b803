"""Settings that are right each alone but not together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from bot.config.database import is_sqlite
from bot.config.problems import Finding, KeyPath, dotted

if TYPE_CHECKING:
    from bot.config.model import Config


def contradictions(config: Config) -> Iterator[Finding]:
    """Everything about the config that cannot be so."""
    yield from _regions(config)
    yield from _rooms(config)
    yield from _team_names(config)
    yield from _topics(config)
    yield from _sizes(config)
    yield from _ports(config)
    yield from _database_password(config)
    yield from _mail(config)
    yield from _mailboxes(config)


def _regions(config: Config) -> Iterator[Finding]:
    served: dict[str, str] = {}
    for key, team in config.teams.items():
        for index, region in enumerate(team.regions):
            path: KeyPath = ("teams", key, "regions", index)
            if region not in config.regions:
                known = ", ".join(config.regions) or "none yet"
                yield Finding(
                    path, f"`{region}` is not one of the regions", f"Add it to `regions` ({known})."
                )
            elif region in served:
                other = served[region]
                message = f"`{region}` is already served by the team `{other}`"
                yield Finding(path, message, "A region leads to one team only: remove it from the other.")
            else:
                served[region] = key


def _rooms(config: Config) -> Iterator[Finding]:
    named: list[tuple[KeyPath, str]] = [
        (("rooms", "admin"), config.rooms.admin),
        (("rooms", "triage"), config.rooms.triage),
        *((("teams", key, "room"), team.room) for key, team in config.teams.items()),
    ]
    seen: dict[str, KeyPath] = {}
    for path, room in named:
        first = seen.setdefault(room, path)
        if first != path:
            message = f"is the same room as `{dotted(first)}`"
            yield Finding(path, message, "Each team, triage and the admins need a room of their own.")


def _team_names(config: Config) -> Iterator[Finding]:
    """Members name a team by its key or its name, so no two teams may answer to one word."""
    owners = {key.casefold(): key for key in config.teams}
    for key, team in config.teams.items():
        name = team.name.casefold()
        path = ("teams", key, "name")
        if name == "none":
            yield Finding(path, "is a reserved word: `transfer 42 none` leads to triage", "Use another name.")
        elif (other := owners.setdefault(name, key)) != key:
            message = f"is already the name or key of the team `{other}`"
            yield Finding(path, message, "Give each team a name of its own.")


def _topics(config: Config) -> Iterator[Finding]:
    if config.default_topic not in config.topics:
        known = ", ".join(f"`{key}`" for key in config.topics)
        yield Finding(("default_topic",), f"`{config.default_topic}` is not a topic", f"Use one of {known}.")
    owners: dict[int, str] = {}
    for key, topic in config.topics.items():
        if topic.topic_id is None:
            continue
        other = owners.setdefault(topic.topic_id, key)
        if other != key:
            message = f"{topic.topic_id} is already the number of the topic `{other}`"
            yield Finding(("topics", key, "topic_id"), message, "Give each topic a number of its own.")


def _sizes(config: Config) -> Iterator[Finding]:
    # Attachments come as base64 (RFC 2397): three bytes become four.
    needed = config.intake.max_attachment * 4 // 3
    if config.intake.max_attachments and config.intake.max_body <= needed:
        message = "is so large that a request with one such attachment exceeds `max_body`"
        hint = f"In transit it grows by a third: set `max_body` above {needed} bytes, or lower this."
        yield Finding(("intake", "max_attachment"), message, hint)


def _ports(config: Config) -> Iterator[Finding]:
    if config.metrics.port and config.metrics.port == config.intake.port:
        message = "is the intake's port, which the world may reach"
        yield Finding(("metrics", "port"), message, "Give the metrics a port of their own.")


def _database_password(config: Config) -> Iterator[Finding]:
    given = [
        name for name in ("database_password", "database_password_file") if getattr(config, name) is not None
    ]
    if len(given) > 1:
        yield Finding((given[1],), "there is a `database_password` as well", "Keep one of the two.")
    if given and is_sqlite(config.database):
        yield Finding((given[0],), "SQLite has no password", "Remove it, or set `database` to PostgreSQL.")


_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _mail(config: Config) -> Iterator[Finding]:
    mail, smtp = config.mail, config.mail.smtp
    if smtp is not None:
        if mail.sender is None:
            hint = 'Add `sender: "Help desk <help@example.org>"` to `mail`.'
            yield Finding(("mail", "smtp"), "there is no `mail.sender`", hint)
        given = [name for name in ("password", "password_file") if getattr(smtp, name) is not None]
        if len(given) > 1:
            yield Finding(("mail", "smtp", given[1]), "there is a `password` as well", "Keep one of the two.")
        if bool(given) != (smtp.user is not None):
            message = "user and password belong together"
            hint = "Give both, or neither where the server needs no login."
            yield Finding(("mail", "smtp", given[0] if given else "user"), message, hint)
        if given and smtp.security == "none" and smtp.host not in _LOCAL:
            message = "`none` would send the password in clear"
            yield Finding(("mail", "smtp", "security"), message, "Use `tls` or `starttls`.")
    for name, answer in mail.answers.items():
        for field, known in (("topics", config.topics), ("teams", config.teams)):
            for index, key in enumerate(getattr(answer, field)):
                if key not in known:
                    listed = ", ".join(f"`{each}`" for each in known)
                    path: KeyPath = ("mail", "answers", name, field, index)
                    yield Finding(path, f"`{key}` is not one of the {field}", f"Use one of {listed}.")


def _mailboxes(config: Config) -> Iterator[Finding]:
    folders: dict[tuple[str, str, str], str] = {}
    for name, box in config.mail.mailboxes.items():
        path: KeyPath = ("mail", "mailboxes", name)
        yield from _places((*path, "team"), "teams", box.team, config.teams)
        yield from _places((*path, "topic"), "topics", box.topic, config.topics)
        for index, rule in enumerate(box.rules):
            here = (*path, "rules", index)
            yield from _places((*here, "team"), "teams", rule.team, config.teams)
            yield from _places((*here, "topic"), "topics", rule.topic, config.topics)
            yield from _places((*here, "region"), "regions", rule.region, config.regions)
        if box.security == "none" and box.host not in _LOCAL:
            message = "`none` would send the password in clear"
            yield Finding((*path, "security"), message, "Use `tls` or `starttls`.")
        if box.folder in (box.done_folder, box.aside_folder) or box.done_folder == box.aside_folder:
            message = "folders must differ: what is moved into one of them would be fetched again"
            yield Finding((*path, "folder"), message, "Give each of the folders another name.")
        other = folders.setdefault((box.host, box.user, box.folder), name)
        if other != name:
            hint = "Remove one of the two, or give them different folders."
            yield Finding((*path, "folder"), f"is the folder of the mailbox `{other}` already", hint)


def _places(path: KeyPath, what: str, key: str | None, known: Iterable[str]) -> Iterator[Finding]:
    if key is not None and key not in known:
        listed = ", ".join(f"`{each}`" for each in known) or "none yet"
        yield Finding(path, f"`{key}` is not one of the {what}", f"There are {listed}.")
