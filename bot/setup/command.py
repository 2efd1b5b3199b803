"""``tickettruhe init``: flags in, a bot that works out."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import shell

if TYPE_CHECKING:
    from bot.setup.setting_up import Request, Result
    from bot.setup.terminal import Terminal
    from bot.setup.texts import Texts


def init(
    folder: Annotated[Path, typer.Option(help="Where config and token are to lie.")] = Path(),
    answers: Annotated[
        Path | None, typer.Option(help="A YAML file in the config's form that answers the questions.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, and go ahead.")] = False,
    language: Annotated[str | None, typer.Option(help="de or en; else as this terminal's.")] = None,
    homeserver: Annotated[str | None, typer.Option(help="Its name or address.")] = None,
    account: Annotated[str | None, typer.Option(help="The bot's account.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the account's password.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with an access token instead.")] = None,
    admin: Annotated[list[str] | None, typer.Option(help="An admin's Matrix id; may be repeated.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="A team's name; may be repeated.")] = None,
    timezone: Annotated[str | None, typer.Option(help="As in Europe/Berlin.")] = None,
    digest: Annotated[str | None, typer.Option(help="08:00, a crontab line, or never.")] = None,
    database: Annotated[
        str | None, typer.Option(help="postgresql://user@host/name instead of a file beside the config.")
    ] = None,
    database_password_file: Annotated[
        Path | None, typer.Option(help="File with that user's password, if it needs one.")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="Address for form and API to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port for form and API.")] = None,
    public_url: Annotated[str | None, typer.Option(help="Address under which people reach the form.")] = None,
    form: Annotated[bool | None, typer.Option("--form/--no-form", help="The contact form.")] = None,
    rooms: Annotated[bool | None, typer.Option("--rooms/--no-rooms", help="Make rooms that lack.")] = None,
    encryption: Annotated[
        bool | None, typer.Option("--encryption/--no-encryption", help="Encrypt new rooms.")
    ] = None,
    greet: Annotated[bool | None, typer.Option("--greet/--no-greet", help="Say hello in the rooms.")] = None,
) -> None:
    """Set the bot up: asks, logs in, makes rooms, writes the config. Run it again at any time."""
    from bot.setup import flags
    from bot.setup.errors import SetupStopped

    given = {name: value for name, value in locals().items() if name not in ("flags", "SetupStopped")}
    say = flags.texts(None, os.environ)
    try:
        say = flags.texts(language, os.environ)
        _set_up(flags.request(given, dict(os.environ), say), say)
    except SetupStopped as error:
        shell.fail(error.told)
    except (KeyboardInterrupt, EOFError):
        shell.out.print()
        shell.fail(say("Stopped. What was answered and done is kept: run this again to go on."))


def _set_up(request: "Request", say: "Texts") -> None:
    from bot import logs
    from bot.config import ConfigError
    from bot.setup.errors import SetupStopped
    from bot.setup.setting_up import SetUp, spoken
    from bot.setup.terminal import ConsoleTerminal

    if not (request.yes or sys.stdin.isatty()):
        raise SetupStopped(say("There is no terminal to ask at: give --answers or flags, and --yes."))
    logs.configure("critical", as_json=False)
    say = spoken(request, ConsoleTerminal(shell.out.rich, say), say)
    terminal = ConsoleTerminal(shell.out.rich, say)
    try:
        with asyncio.Runner() as runner:
            result = SetUp(request, terminal, say, runner).run()
            if result is not None:
                _prove(result, terminal, say, runner, yes=request.yes)
    except ConfigError as error:
        shell.fail(str(error))


def _prove(
    result: "Result", terminal: "Terminal", say: "Texts", runner: asyncio.Runner, *, yes: bool
) -> None:
    """Say hello, look whether all is well, and tell how to go on."""
    from bot import doctor
    from bot.config import load
    from bot.setup import recovery

    config = load(result.config, os.environ)
    if result.to_greet:
        _hello(_with_password(config, result.password), terminal, say, runner)
    runner.run(recovery.show(config, terminal, say, somebody=not yes))
    well = runner.run(shell.told(doctor.check(config)))
    if not well:
        shell.fail(say("Not all is well yet: do what the arrows say, then run this again."))
    shell.out.print()
    command = f"tickettruhe run --config {result.config.absolute()}"
    terminal.tell(say("All is set up. Start the bot: {command}", command=command))
    terminal.tell(say("As a service, with backups and behind a web server: docs/operations.md"))


def _with_password(config: Any, password: str | None) -> Any:  # noqa: ANN401
    """The config for the first start: some homeservers want the password once more for cross-signing."""
    if password is None or config.matrix.password is not None:
        return config
    from pydantic import SecretStr

    matrix = config.matrix.model_copy(update={"password": SecretStr(password)})
    return config.model_copy(update={"matrix": matrix})


def _hello(config: Any, terminal: "Terminal", say: "Texts", runner: asyncio.Runner) -> None:  # noqa: ANN401
    from bot import app
    from bot.domain.errors import TickettruheError
    from bot.explained import explained
    from bot.setup.hello import say_hello
    from storage.errors import AlreadyRunning

    terminal.tell(say("The bot starts for a moment …"))
    try:
        said = runner.run(say_hello(config, app.run))
    except AlreadyRunning:
        terminal.tell(say("the bot runs already, and greets by itself"), "[green]✓[/]")
        return
    except TickettruheError as error:
        shell.fail(explained(error))
    except BaseExceptionGroup as group:
        found, _others = group.split(TickettruheError)
        if found is None:
            raise
        shell.fail(explained(shell.first(found)))
    if said:
        works = say("the bot works; it greets each room, an encrypted one when somebody is there")
        terminal.tell(works, "[green]✓[/]")
    else:
        terminal.tell(say("the bot has not said hello everywhere yet; `run` makes up for it"), "[yellow]![/]")
