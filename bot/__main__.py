"""The command line: ``python -m bot`` or ``tickettruhe``."""

from bot import lean as lean

# isort: split

import asyncio
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from sqlalchemy import make_url

from bot import app as composition
from bot import doctor as examinations
from bot import logs, trusting, wiring
from bot.config import Config, ConfigError, load
from bot.console import escape
from bot.domain.mail import LetterKind
from bot.explained import explained
from bot.mail.errors import MailError
from bot.mail.preview import sample
from bot.presentation.language import Language
from bot.presentation.verification import shown_names
from bot.services import apikeys, mail_in, verification
from bot.services.unit import Units
from bot.setup.command import init
from bot.shell import err
from bot.shell import fail as _fail
from bot.shell import finish as _finish
from bot.shell import out as _out
from bot.shell import told as _told
from storage import schema
from storage.backup import back_up
from storage.database import Database
from storage.database import hangs as database_hangs
from storage.errors import BackupFailed

cli = typer.Typer(
    name="tickettruhe",
    help="A help desk that lives in Matrix rooms.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="Keys for the HTTP intake.", no_args_is_help=True)
cli.add_typer(keys, name="apikey")
cli.command()(init)

ConfigPath = Annotated[
    Path, typer.Option("--config", "-c", envvar="TICKETTRUHE_CONFIG", help="The config file.")
]
_CONFIG = Path("config.yaml")


@cli.command()
def run(config: ConfigPath = _CONFIG) -> None:
    """Run the bot until SIGTERM or Ctrl-C."""
    settings = _load(config)
    logs.configure(settings.logging.level, as_json=settings.logging.format == "json")
    # A query gives Python's lock away with each statement; a busy loop would keep it for 5 ms each time.
    sys.setswitchinterval(0.0005)
    try:
        _finish(_run(settings))
    finally:
        _leave()


def _leave() -> None:
    """End, also if a query hangs in its thread: Python would wait for it, and so for ever."""
    if not database_hangs():
        return
    structlog.get_logger(__name__).error("database_hangs")
    logging.shutdown()
    sys.stdout.flush()
    os._exit(1)


async def _run(settings: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await composition.run(settings, stop)


@cli.command()
def check(config: ConfigPath = _CONFIG) -> None:
    """Before the first start: is anything wrong with config, schema, login or rooms, and how to mend it."""
    settings = _load(config)
    logs.configure("error", as_json=False)
    _out.print(f"[green]✓[/] {escape(str(config))}")
    if not _finish(_told(examinations.check(settings))):
        raise typer.Exit(1)


@cli.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")] = False,
    config: ConfigPath = _CONFIG,
) -> None:
    """At any time: look at everything that the bot needs, and say how to mend what is wrong."""
    settings = _load(config)
    logs.configure("error", as_json=False)
    if not _finish(_told(examinations.doctor(settings), as_json=as_json)):
        raise typer.Exit(1)


@cli.command()
def migrate(config: ConfigPath = _CONFIG) -> None:
    """Bring the database to this version's schema. Back it up first."""
    settings = _load(config)

    async def work() -> bool:
        database = Database(settings.database_url())
        try:
            return await schema.upgrade(database)
        finally:
            await database.close()

    changed = _finish(work())
    _out.print(f"Migrated to {schema.newest()}." if changed else f"Nothing to do: {schema.newest()}.")


@cli.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A new file, or a folder for one named by the time.")],
    config: ConfigPath = _CONFIG,
) -> None:
    """Copy the database, also while the bot runs. PostgreSQL needs pg_dump."""
    url = make_url(_load(config).database_url())
    try:
        made = back_up(url, target, datetime.now(UTC))
    except BackupFailed as error:
        _fail(explained(error))
    _out.print(f"{escape(str(made.path))}: {made.size / 1024**2:.1f} MiB, whole.", soft_wrap=True)


@cli.command()
def mails(
    number: Annotated[int | None, typer.Argument(help="Write this one to the standard output.")] = None,
    drop: Annotated[bool, typer.Option(help="Keep it no longer.")] = False,
    config: ConfigPath = _CONFIG,
) -> None:
    """Show the mails that could not be read and are kept aside; or one of them, as it came."""
    if number is None and drop:
        raise typer.BadParameter("which one? `tickettruhe mails` lists them", param_hint="NUMBER")
    if number is None:
        from rich.table import Table

        kept = _with_units(config, lambda units: units.look(mail_in.kept))
        if not kept:
            _out.print("No mail is kept aside.")
            return
        table = Table("number", "mailbox", "why", "bytes", "came", "where")
        for each in kept:
            where = "here" if each.here else "mailbox"
            came = f"{each.at:%Y-%m-%d %H:%M}"
            table.add_row(str(each.id), escape(each.mailbox), each.reason, str(each.size), came, where)
        _out.print(table)
    elif drop:
        if not _with_units(config, lambda units: units.run(lambda unit: mail_in.drop(unit, number))):
            _fail("There is no such mail.")
    else:
        data = _with_units(config, lambda units: units.look(lambda unit: mail_in.kept_data(unit, number)))
        if data is None:
            _fail("There is no such mail here; one that was too large lies in its mailbox.")
        if _to_terminal():
            _fail(f"It may hold what confuses a terminal. Into a file: tickettruhe mails {number} > mail.eml")
        sys.stdout.buffer.write(data)


def _to_terminal() -> bool:
    return sys.stdout.isatty()


@cli.command("recovery-key")
def recovery_key(config: ConfigPath = _CONFIG) -> None:
    """Show, once, the key that brings back the bot's cross-signing keys. It is removed here afterwards."""
    settings = _load(config)
    key = _with_units(config, lambda units: trusting.kept_recovery_key(units, settings))
    _out.print(key, soft_wrap=True, highlight=False)
    if sys.stdin.isatty() and not typer.confirm("Is it stored away? Then it is removed here.", err=True):
        err.print("It stays, and can be shown again.")
        return
    _with_units(config, trusting.forget_recovery_key)
    err.print("Removed here. The bot itself does not need it; you do, if its database is ever lost.")


@cli.command()
def verify(
    same: Annotated[
        bool | None, typer.Option("--same/--different", help="Say so without being asked, if there is one.")
    ] = None,
    config: ConfigPath = _CONFIG,
) -> None:
    """Show what admins who verify the bot have to see in their client, and answer for the bot."""
    language = Language(_load(config).language)
    waiting = [
        each for each in _with_units(config, lambda units: units.look(verification.running)) if each.shown
    ]
    if not waiting:
        _fail("Nobody is comparing anything. Begin in the client: once it shows emoji, so does this command.")
    if same is not None and len(waiting) > 1:
        _fail("Several are comparing at once: answer without --same and --different.")
    for each in waiting:
        _out.print(f"{escape(each.person.user_id)}, device {escape(each.device_id)}:", soft_wrap=True)
        _out.print("    " + "   ".join(shown_names(each.emoji, each.decimals, language)), soft_wrap=True)
        answer = same
        if answer is None and sys.stdin.isatty():
            answer = typer.confirm("Does the client show the same, in the same order?")
        if answer is not None:
            decide = partial(verification.decide, transaction=each.transaction, yes=answer)
            _with_units(config, lambda units, decide=decide: units.run(decide))


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    address: Annotated[
        list[str] | None, typer.Option(help="Address or network that may use it; may be repeated.")
    ] = None,
    config: ConfigPath = _CONFIG,
) -> None:
    """Make a key. It is shown once and kept only as a hash."""
    networks = tuple(address or ())
    _out.print(_with_units(config, lambda units: units.run(lambda u: apikeys.create(u, name, networks))))


@keys.command("list")
def list_keys(config: ConfigPath = _CONFIG) -> None:
    """Show the keys' names, addresses and dates."""
    from rich.table import Table

    table = Table("name", "addresses", "made", "revoked")
    for key in _with_units(config, lambda units: units.look(apikeys.list_keys)):
        revoked = f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else ""
        table.add_row(
            escape(key.name), ", ".join(key.addresses) or "any", f"{key.created_at:%Y-%m-%d}", revoked
        )
    _out.print(table)


@keys.command("revoke")
def revoke_key(name: str, config: ConfigPath = _CONFIG) -> None:
    """End a key at once."""
    _with_units(config, lambda units: units.run(lambda unit: apikeys.revoke(unit, name)))
    _out.print(f"{escape(name)} is revoked.")


@cli.command()
def demo(
    once: Annotated[bool, typer.Option(help="Play a scripted round without a keyboard, and exit.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Where homeserver and database live.")] = None,
    keep: Annotated[bool, typer.Option(help="Go on with the last demo's rooms and tickets.")] = False,
) -> None:
    """Try everything on this machine: homeserver, rooms, people, form and tickets of its own."""
    from bot.demo.show import start

    raise typer.Exit(_finish(start(once=once, folder=folder, keep=keep)))


@cli.command()
def preview(
    kind: Annotated[LetterKind, typer.Argument(help="Which mail.")] = LetterKind.REPLY,
    team: Annotated[str | None, typer.Option(help="Key of the team in whose name it goes.")] = None,
    language: Annotated[str | None, typer.Option(help="de or en; the team's, if left out.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write its HTML half into this file.")] = None,
    config: ConfigPath = _CONFIG,
) -> None:
    """Show a mail as it would go out, with an invented ticket. Nothing is sent."""
    settings = _load(config)
    if team is not None and team not in settings.teams:
        _fail(f"There is no team `{team}`; there are {', '.join(settings.teams)}.")
    wanted = language or settings.language_of(team)
    if wanted not in wiring.LANGUAGES:
        _fail(f"There is no language `{wanted}`; there are {' and '.join(wiring.LANGUAGES)}.")
    try:
        composer = wiring.composer(settings)
        if composer is None:
            _fail("No mail goes out: set `mail.sender` and `mail.smtp`.")
        page = wiring.policy(settings).page
        address = page.address if page is not None else None
        letter = sample(kind, team, wanted, address)
        writing, headers = composer.write(letter), composer.headers(letter)
    except MailError as error:
        _fail(explained(error))
    if address is None and kind is LetterKind.ACKNOWLEDGEMENT:
        err.print("Without a link to the request's page: that needs `intake.public_url`, and `intake.page`.")
    for name in ("From", "To", "Reply-To", "Subject"):
        if name in headers:
            _out.print(f"{name}: {headers[name]}", markup=False, soft_wrap=True)
    _out.print(f"\n{writing.plain}", markup=False, soft_wrap=True)
    if html is not None:
        html.write_text(f"<!DOCTYPE html>\n<meta charset='utf-8'>\n{writing.html}\n", encoding="utf-8")
        _out.print(f"\n→ {escape(str(html))}", soft_wrap=True)


@cli.command()
def version() -> None:
    """Print the version."""
    _out.print(version_of("tickettruhe"))


def _load(path: Path) -> Config:
    try:
        return load(path, os.environ)
    except ConfigError as error:
        _fail(str(error))


def _with_units(path: Path, work: Any) -> Any:  # noqa: ANN401
    settings = _load(path)

    async def inside() -> Any:  # noqa: ANN401
        database = Database(settings.database_url())
        try:
            await schema.ensure(database)
            return await work(Units(database, wiring.policy(settings)))
        finally:
            await database.close()

    return _finish(inside())


def main() -> None:
    """Entry point of the command ``tickettruhe``."""
    # Database, keys and backups hold requesters' data: nobody else on this machine may read what is made.
    os.umask(0o077)
    cli()


if __name__ == "__main__":
    main()
