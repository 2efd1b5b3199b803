"""All commands of the chat, as data. Help, usage errors, did-you-mean and the reference come from here.

The texts are message ids: English, translated by the catalogs.
"""

from typing import Any

from bot.commands import handlers
from bot.commands.handlers import Ask, Handler, View, move
from bot.commands.parser import Call
from bot.commands.spec import Command, Kind, Option, Parameter, Registry
from bot.domain.errors import NameKind, UnknownName
from bot.domain.marks import N_
from bot.domain.words import Action, Right
from bot.services.people import Caller
from bot.services.status import Program
from bot.services.unit import Unit
from bot.services.views import HelpView

_NUMBERS = Parameter("number", Kind.NUMBERS, N_("one or more tickets; none in a ticket's thread"))
_NUMBER = Parameter("number", Kind.NUMBER, N_("the ticket; none in its thread"))

_TICKET: tuple[Command[Handler], ...] = (
    Command(
        "take", ("nehmen", "claim"), N_("Take a ticket: you work on it now"), "ticket", Right.MEMBER,
        (_NUMBERS,),
        (Option("--force", N_("even if somebody else has it; they are told")),),
        ((N_("!take 42"), N_("you take ticket 42")),),
        handler=handlers.TAKE,
    ),
    Command(
        "release", ("freigeben",), N_("Give a ticket back: nobody has it then"), "ticket", Right.ASSIGNEE,
        (_NUMBERS,),
        examples=((N_("!release 42"), N_("ticket 42 is free for others")),),
        handler=move(Action.RELEASE),
    ),
    Command(
        "assign", ("zuweisen",), N_("Give a ticket to a member of its team"), "ticket", Right.MEMBER,
        (_NUMBERS, Parameter("person", Kind.PERSON, N_("a mention, user id or name"))),
        examples=((N_("!assign 42 @anna:example.org"), N_("Anna gets ticket 42 and is told")),),
        handler=move(Action.ASSIGN),
    ),
    Command(
        "wait", ("warten",), N_("Put a ticket on the waiting list and release it"), "ticket",
        Right.MEMBER,
        (_NUMBERS, Parameter("need", Kind.TEXT, N_("what it waits for"), required=False)),
        examples=((N_("!wait 42 a laptop with a camera"), N_("ticket 42 waits for a laptop with a camera")),),
        handler=move(Action.WAIT),
    ),
    Command(
        "close", ("schließen", "schliessen", "zu"), N_("Close a ticket: everything is done"), "ticket",
        Right.MEMBER,
        (_NUMBERS, Parameter("reason", Kind.TEXT, N_("why, or how it ended"), required=False)),
        examples=(
            (N_("!close 41 42"), N_("both tickets are closed")),
            (N_("!close 42 laptop handed over"), N_("ticket 42 is closed, with the reason")),
        ),
        handler=move(Action.CLOSE),
    ),
    Command(
        "spam", (), N_("Close a ticket as spam"), "ticket", Right.MEMBER, (_NUMBERS,),
        examples=((N_("!spam 42"), N_("ticket 42 was spam")),),
        handler=move(Action.SPAM),
    ),
    Command(
        "reopen", ("öffnen", "oeffnen"), N_("Open a closed or waiting ticket again"), "ticket", Right.MEMBER,
        (_NUMBERS,),
        examples=((N_("!reopen 42"), N_("ticket 42 is open again")),),
        handler=move(Action.REOPEN),
    ),
    Command(
        "undo", ("zurück", "zurueck", "rückgängig"), N_("Take back what you did to a ticket last"), "ticket",
        Right.SAME_PERSON,
        (_NUMBERS,),
        examples=((N_("!undo 42"), N_("within 10 minutes, if nothing happened since")),),
        handler=move(Action.UNDO),
    ),
    Command(
        "message", ("nachricht",), N_("Write down what a requester said, for example on the phone"), "ticket",
        Right.MEMBER,
        (_NUMBER, Parameter("text", Kind.TEXT, N_("what they said"))),
        examples=((N_("!message 42 can come on Friday"), N_("reopens ticket 42 if it was closed")),),
        handler=handlers.MESSAGE,
    ),
    Command(
        "mute", ("stumm", "stummschalten"), N_("Hear nothing more of a ticket's messages: for you alone"),
        "ticket", Right.MEMBER,
        (_NUMBERS,),
        examples=((N_("!mute 42"), N_("messages on ticket 42 no longer ring for you")),),
        handler=handlers.MUTE,
    ),
    Command(
        "unmute", ("laut", "lautschalten"), N_("Hear of a ticket's messages again"), "ticket", Right.MEMBER,
        (_NUMBERS,),
        examples=((N_("!unmute 42"), N_("messages on ticket 42 ring for you again")),),
        handler=handlers.UNMUTE,
    ),
    Command(
        "topic", ("thema",), N_("Correct a ticket's topic"), "ticket", Right.MEMBER,
        (_NUMBERS, Parameter("topic", Kind.WORD, N_("the topic"))),
        examples=((N_("!topic 42 donation_offer"), N_("ticket 42 offers a device")),),
        handler=move(Action.TOPIC),
    ),
    Command(
        "transfer", ("übergeben", "uebergeben", "verschieben"), N_("Move a ticket to another team"), "ticket",
        Right.MEMBER,
        (_NUMBERS, Parameter("team", Kind.WORD, N_("the team, or none for triage"))),
        examples=((N_("!transfer 42 berlin"), N_("ticket 42 leaves this room for Berlin's")),),
        handler=move(Action.TRANSFER),
    ),
    Command(
        "new", ("neu",), N_("Write down a new request"), "ticket", Right.MEMBER,
        (Parameter("text", Kind.TEXT, N_("the subject; further lines are the message")),),
        (
            Option("--name", N_("the requester's name"), "name"),
            Option("--email", N_("their e-mail address"), "address"),
            Option("--phone", N_("their phone number"), "number"),
            Option("--topic", N_("what kind of request"), "topic"),
            Option("--region", N_("another region than this room's"), "region"),
        ),
        ((N_('!new --name "Kim Doe" Laptop for school'), N_("a ticket in this room's team")),),
        handler=handlers.NEW,
    ),
)  # fmt: skip

_LISTS: tuple[Command[Handler], ...] = (
    Command(
        "list", ("liste",), N_("Tickets under way, oldest first"), "list", Right.MEMBER,
        handler=handlers.LIST,
    ),
    Command(
        "mine", ("meine",), N_("Your own tickets"), "list", Right.MEMBER,
        handler=handlers.MINE,
    ),
    Command(
        "waitlist", ("warteliste",), N_("The waiting list, oldest first"), "list", Right.MEMBER,
        handler=handlers.WAITLIST,
    ),
    Command(
        "show", ("zeigen", "zeige"), N_("Everything about a ticket, with the requester's contact"), "list",
        Right.MEMBER,
        (_NUMBER,),
        examples=((N_("!show 42"), N_("messages and contact of ticket 42")),),
        handler=handlers.SHOW,
    ),
    Command(
        "history", ("verlauf",), N_("What happened to a ticket, and who did it"), "list", Right.MEMBER,
        (_NUMBER,),
        examples=((N_("!history 42"), N_("what happened to ticket 42")),),
        handler=handlers.HISTORY,
    ),
)  # fmt: skip

_ADMIN: tuple[Command[Handler], ...] = (
    Command(
        "archive", ("archivieren",), N_("Archive closed tickets: out of every list"), "admin", Right.ADMIN,
        (_NUMBERS,),
        handler=move(Action.ARCHIVE),
    ),
    Command(
        "delete", ("löschen", "loeschen"), N_("Hide tickets and set the date of their purge"), "admin",
        Right.ADMIN,
        (_NUMBERS,),
        handler=move(Action.DELETE),
    ),
    Command(
        "restore", ("wiederherstellen",), N_("Bring archived or deleted tickets back"), "admin", Right.ADMIN,
        (_NUMBERS,),
        handler=move(Action.RESTORE),
    ),
    Command(
        "purge", ("vernichten",), N_("Erase deleted tickets for good, also from the rooms"), "admin",
        Right.ADMIN,
        (_NUMBERS,),
        handler=handlers.PURGE,
    ),
)  # fmt: skip


def build_registry(program: Program, prefix: str) -> Registry[Handler]:
    """All commands; those that tell about the program or the commands themselves are made for it."""

    async def show_help(_unit: Unit, call: Call[Any], caller: Caller) -> View:
        visible = [each for each in registry if each.right is not Right.ADMIN or caller.actor.admin]
        word = call.words.get("command", "").removeprefix(prefix)
        if not word:
            return HelpView(tuple(each.view(prefix) for each in visible))
        found = registry.lookup(word)
        if found is None:
            names = tuple(each.name for each in visible)
            raise UnknownName(None, NameKind.COMMAND, word, names, registry.suggest(word))
        return HelpView((found.view(prefix),), detailed=True)

    about: tuple[Command[Handler], ...] = (
        Command(
            "help", ("hilfe",), N_("What I can do, or one command explained"), "list", Right.ANYONE,
            (Parameter("command", Kind.WORD, N_("a command's name"), required=False),),
            examples=((N_("!help take"), N_("all about taking")),),
            handler=Ask(show_help),
        ),
        Command(
            "status", (), N_("Is everything alive, is anything stuck"), "admin", Right.ADMIN,
            handler=handlers.status(program),
        ),
    )  # fmt: skip
    registry: Registry[Handler] = Registry((*_TICKET, *_LISTS, about[0], *_ADMIN, about[1]))
    return registry
