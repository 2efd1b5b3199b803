"""Commands of every form, to try the command language on."""

from bot.commands.parser import Call, Context, parse
from bot.commands.spec import Command, Kind, Option, Parameter, Registry
from bot.domain.errors import UsageError
from bot.domain.words import Right

NUMBERS = Parameter("number", Kind.NUMBERS, "tickets")
NUMBER = Parameter("number", Kind.NUMBER, "ticket")
PERSON = Parameter("person", Kind.PERSON, "who")
TEAM = Parameter("team", Kind.WORD, "team")
REASON = Parameter("reason", Kind.TEXT, "why", required=False)
TEXT = Parameter("text", Kind.TEXT, "what was said")
TASKS = Parameter("task", Kind.ITEMS, "which tasks")
PAIR = Parameter("number", Kind.PAIR, "which two")
FORCE = Option("--force", "although it is another's")
NAME = Option("--name", "name", "name")
EMAIL = Option("--email", "address", "address")


def command(
    name: str, *parameters: Parameter, aliases: tuple[str, ...] = (), options: tuple[Option, ...] = ()
) -> Command[None]:
    return Command(
        name, aliases, f"summary of {name}", "ticket", Right.MEMBER, parameters, options, handler=None
    )


REGISTRY = Registry(
    [
        command("take", NUMBERS, aliases=("nehmen",), options=(FORCE,)),
        command("close", NUMBERS, REASON, aliases=("schließen",)),
        command("assign", NUMBERS, PERSON, aliases=("zuweisen",)),
        command("transfer", NUMBERS, TEAM, aliases=("übergeben",)),
        command("message", NUMBER, TEXT, aliases=("nachricht",)),
        command("show", NUMBER, aliases=("zeigen",)),
        command("new", TEXT, aliases=("neu",), options=(NAME, EMAIL)),
        command("task add", NUMBER, TEXT, aliases=("aufgabe neu",)),
        command("task done", NUMBER, TASKS, aliases=("aufgabe erledigt",)),
        command("task list", NUMBER, aliases=("aufgabe liste", "task", "aufgabe")),
        command("merge", PAIR, aliases=("zusammenführen",), options=(FORCE,)),
        command("list", Parameter("team", Kind.WORD, "team", required=False), aliases=("liste",)),
        command("mine", aliases=("meine",)),
    ]
)
HERE, IN_42, SEVERAL = Context(), Context((42,)), Context((41, 42))


def command_of(name: str) -> Command[None]:
    found = REGISTRY.lookup(name)
    assert found is not None
    return found


def attempt(line: str, context: Context = HERE) -> Call[None] | UsageError | None:
    """What the parser makes of a line; any other exception is a failure of the test."""
    try:
        return parse(line, REGISTRY, "!", context)
    except UsageError as error:
        return error


def refusal(line: str, context: Context = HERE) -> UsageError:
    """The error of a line that must be refused."""
    found = attempt(line, context)
    assert isinstance(found, UsageError)
    return found
