"""All commands of the chat, as data. Help, usage errors, did-you-mean and the reference come from here.

The texts are message ids: English, translated by the catalogs.
"""

from typing import Any

from bot.commands import handlers, helping, looking
from bot.commands.handlers import Ask, Handler, View, move
from bot.commands.parser import Call
from bot.commands.spec import Command, Kind, Option, Parameter, Registry
from bot.domain.marks import N_
from bot.domain.words import Action, Right
from bot.services.people import Caller
from bot.services.status import Program
from bot.services.unit import Unit

_NUMBERS = Parameter("number", Kind.NUMBERS, N_("one or more tickets; none in a ticket's thread"))
_NUMBER = Parameter("number", Kind.NUMBER, N_("the ticket; none in its thread"))
_PAIR = Parameter("number", Kind.PAIR, N_("two tickets; one in the other's thread"))

_TICKET: tuple[Command[Handler], ...] = (
    Command(
        "take", ("nehmen", "claim"), N_("Take a ticket: you work on it now"), "ticket", Right.MEMBER,
        (_NUMBERS,),
        (Option("--force", N_("even if somebody else has it; they are told")),),
        (
            (N_("!take 42"), N_("you take ticket 42")),
            (N_("!take 41 42"), N_("both tickets at once")),
            (N_("!take --force 42"), N_("you take it over, and the other person is told")),
        ),
        basic=True,
        related=("release", "wait", "close"),
        handler=handlers.TAKE,
    ),
    Command(
        "release", ("freigeben",), N_("Give a ticket back: nobody has it then"), "ticket", Right.ASSIGNEE,
        (_NUMBERS,),
        examples=((N_("!release 42"), N_("ticket 42 is free for others")),),
        related=("take", "assign"),
        handler=move(Action.RELEASE),
    ),
    Command(
        "assign", ("zuweisen",), N_("Give a ticket to a member of its team"), "ticket", Right.MEMBER,
        (_NUMBERS, Parameter("person", Kind.PERSON, N_("a mention, user id or name"))),
        examples=(
            (N_("!assign 42 Anna"), N_("Anna gets ticket 42 and is told")),
            (N_("!assign 42 @anna:example.org"), N_("the same, where several are called Anna")),
        ),
        related=("take", "release", "transfer"),
        handler=move(Action.ASSIGN),
    ),
    Command(
        "wait", ("warten",), N_("Put a ticket on the waiting list and release it"), "ticket",
        Right.MEMBER,
        (_NUMBERS, Parameter("need", Kind.TEXT, N_("what it waits for"), required=False)),
        examples=(
            (N_("!wait 42"), N_("ticket 42 goes on the waiting list")),
            (N_("!wait 42 a laptop with a camera"), N_("ticket 42 waits for a laptop with a camera")),
        ),
        basic=True,
        related=("waitlist", "take"),
        handler=move(Action.WAIT),
    ),
    Command(
        "close", ("schließen", "zu"), N_("Close a ticket: everything is done"), "ticket",
        Right.MEMBER,
        (_NUMBERS, Parameter("reason", Kind.TEXT, N_("why, or how it ended"), required=False)),
        examples=(
            (N_("!close 42"), N_("ticket 42 is done")),
            (N_("!close 41 42"), N_("both tickets are closed")),
            (N_("!close 42 laptop handed over"), N_("ticket 42 is closed, with the reason")),
        ),
        confirm_above=5,
        basic=True,
        related=("reopen", "undo"),
        handler=move(Action.CLOSE),
    ),
    Command(
        "spam", ("spam",), N_("Close a ticket as spam"), "ticket", Right.MEMBER, (_NUMBERS,),
        examples=((N_("!spam 42"), N_("ticket 42 was spam")),),
        related=("reopen", "undo"),
        handler=move(Action.SPAM),
    ),
    Command(
        "reopen", ("öffnen",), N_("Open a closed or waiting ticket again"), "ticket", Right.MEMBER,
        (_NUMBERS,),
        examples=((N_("!reopen 42"), N_("ticket 42 is open again")),),
        related=("close", "take"),
        handler=move(Action.REOPEN),
    ),
    Command(
        "undo", ("zurück", "rückgängig"), N_("Take back what you did to a ticket last"), "ticket",
        Right.SAME_PERSON,
        (_NUMBERS,),
        examples=((N_("!undo 42"), N_("within 10 minutes, if nothing happened since")),),
        related=("history", "reopen"),
        handler=move(Action.UNDO),
    ),
    Command(
        "message", ("nachricht",), N_("Write down what a requester said, for example on the phone"), "ticket",
        Right.MEMBER,
        (_NUMBER, Parameter("text", Kind.TEXT, N_("what they said"))),
        examples=((N_("!message 42 can come on Friday"), N_("reopens ticket 42 if it was closed")),),
        related=("show", "new"),
        handler=handlers.MESSAGE,
    ),
    Command(
        "reply", ("antworten", "antwort"), N_("Answer the requester by e-mail"), "ticket", Right.MEMBER,
        (_NUMBER, Parameter("text", Kind.TEXT, N_("what you write; @name is a prepared answer"))),
        (
            Option("--wait", N_("and put the ticket on the waiting list")),
            Option("--close", N_("and close the ticket")),
        ),
        (
            (N_("!reply 42 Friday at 4 pm is fine."), N_("goes to the requester; ✅ once it was sent")),
            (N_("!reply 42 --close Thank you, we have it."), N_("the same, and ticket 42 is closed")),
            (N_("!reply 42 @"), N_("the prepared answers that fit ticket 42")),
        ),
        basic=True,
        related=("message", "note", "show"),
        handler=handlers.REPLY,
    ),
    Command(
        "note", ("notiz",), N_("Keep something in the ticket that only the team sees"), "ticket",
        Right.MEMBER,
        (_NUMBER, Parameter("text", Kind.TEXT, N_("what the team should know"))),
        examples=((N_("!note 42 rings the bell twice"), N_("!show 42 tells it, to the team alone")),),
        handler=handlers.NOTE,
    ),
    Command(
        "task add", ("aufgabe neu",), N_("Add a task: a ticket closes when all are done"), "ticket",
        Right.MEMBER,
        (_NUMBER, Parameter("text", Kind.TEXT, N_("what is to be done"))),
        examples=((N_("!task add 42 get a power supply"), N_("ticket 42 has one task more")),),
        handler=handlers.TASK_ADD,
    ),
    Command(
        "task done", ("aufgabe erledigt",), N_("Tick tasks off"), "ticket", Right.MEMBER,
        (_NUMBER, Parameter("task", Kind.ITEMS, N_("the tasks' numbers, as the list shows them"))),
        examples=((N_("!task done 42 1 3"), N_("tasks 1 and 3 of ticket 42 are done")),),
        handler=handlers.TASK_DONE,
    ),
    Command(
        "task list", ("aufgabe liste", "task", "aufgabe"), N_("A ticket's tasks with their numbers"),
        "ticket", Right.MEMBER,
        (_NUMBER,),
        examples=((N_("!task list 42"), N_("the tasks of ticket 42")),),
        handler=handlers.TASK_LIST,
    ),
    Command(
        "merge", ("zusammenführen",), N_("Join two tickets of one person"), "ticket",
        Right.MEMBER,
        (_PAIR,),
        (Option("--force", N_("for one person with two addresses")),),
        ((N_("!merge 42 57"), N_("one goes on with all messages, the other is closed")),),
        handler=handlers.MERGE,
    ),
    Command(
        "mute", ("stumm", "stummschalten"), N_("Hear nothing more of a ticket's messages: for you alone"),
        "ticket", Right.MEMBER,
        (_NUMBERS,),
        examples=((N_("!mute 42"), N_("messages on ticket 42 no longer ring for you")),),
        related=("unmute",),
        handler=handlers.MUTE,
    ),
    Command(
        "unmute", ("laut", "lautschalten"), N_("Hear of a ticket's messages again"), "ticket", Right.MEMBER,
        (_NUMBERS,),
        examples=((N_("!unmute 42"), N_("messages on ticket 42 ring for you again")),),
        related=("mute",),
        handler=handlers.UNMUTE,
    ),
    Command(
        "topic", ("thema",), N_("Correct a ticket's topic"), "ticket", Right.MEMBER,
        (_NUMBERS, Parameter("topic", Kind.WORD, N_("the topic"))),
        examples=((N_("!topic 42 donation_offer"), N_("ticket 42 offers a device")),),
        related=("transfer", "wait"),
        handler=move(Action.TOPIC),
    ),
    Command(
        "transfer", ("übergeben", "verschieben"), N_("Move a ticket to another team"), "ticket",
        Right.MEMBER,
        (_NUMBERS, Parameter("team", Kind.WORD, N_("the team, or none for triage"))),
        examples=(
            (N_("!transfer 42 berlin"), N_("ticket 42 leaves this room for Berlin's")),
            (N_("!transfer 42 none"), N_("ticket 42 goes to triage")),
        ),
        related=("topic", "assign"),
        handler=move(Action.TRANSFER),
    ),
    Command(
        "new", ("neu",), N_("Write down a new request"), "ticket", Right.MEMBER,
        (Parameter("text", Kind.TEXT, N_("the subject; further lines are the message")),),
        (
            Option("--name", N_("the requester's name"), N_("name")),
            Option("--email", N_("their e-mail address"), N_("address")),
            Option("--phone", N_("their phone number"), N_("number")),
            Option("--topic", N_("what kind of request"), N_("topic")),
            Option("--region", N_("another region than this room's"), N_("region")),
            Option("--team", N_("another team than this room's"), N_("team")),
        ),
        (
            (N_("!new Laptop for school"), N_("a ticket in this room's team")),
            (N_('!new --name "Kim Doe" Laptop for school'), N_("the same, with a name")),
            (N_("!new --team berlin Laptop for school"), N_("a ticket for Berlin")),
        ),
        related=("message", "show"),
        handler=handlers.NEW,
    ),
)  # fmt: skip

_LISTS: tuple[Command[Handler], ...] = (
    Command(
        "list", ("liste",), N_("Tickets under way, oldest first"), "list", Right.MEMBER,
        (Parameter("what", Kind.WORD, N_("open, mine, waiting, or a topic"), required=False),),
        (
            Option("--topic", N_("only tickets of this topic"), N_("topic")),
            Option("--age", N_("only where nothing has happened for so many days"), N_("days")),
            Option("--all", N_("also closed, spam and archived ones; for admins")),
        ),
        (
            (N_("!list donation_request"), N_("requests for a device that are under way")),
            (N_("!list --age 14"), N_("where nothing has happened for two weeks")),
        ),
        basic=True,
        related=("mine", "waitlist", "next", "search"),
        handler=looking.LIST,
    ),
    Command(
        "mine", ("meine",), N_("Your own tickets"), "list", Right.MEMBER, related=("list", "waitlist"),
        handler=looking.MINE,
    ),
    Command(
        "waitlist", ("warteliste",), N_("The waiting list, oldest first"), "list", Right.MEMBER,
        related=("wait", "list"),
        handler=looking.WAITLIST,
    ),
    Command(
        "next", ("nächstes",), N_("The ticket to take next: the oldest that nobody has"), "list",
        Right.MEMBER, related=("take", "list"),
        handler=looking.NEXT,
    ),
    Command(
        "search", ("suche", "suchen"), N_("Tickets by words in subject, messages and names"), "list",
        Right.MEMBER,
        (Parameter("words", Kind.TEXT, N_("all of them must be there; last letters may be missing")),),
        (Option("--all", N_("archived tickets too; for admins")),),
        (
            (N_("!search laptop camera"), N_("tickets with both words, also “Laptops”")),
            (N_('!search "old printer"'), N_("exactly these words in a row")),
        ),
        related=("list", "show"),
        handler=looking.SEARCH,
    ),
    Command(
        "show", ("zeigen", "zeige"), N_("Everything about a ticket, with the requester's contact"), "list",
        Right.MEMBER,
        (_NUMBER,),
        examples=((N_("!show 42"), N_("messages and contact of ticket 42")),),
        related=("history", "message"),
        handler=looking.SHOW,
    ),
    Command(
        "history", ("verlauf",), N_("What happened to a ticket, and who did it"), "list", Right.MEMBER,
        (_NUMBER,),
        examples=((N_("!history 42"), N_("what happened to ticket 42")),),
        related=("show", "undo"),
        handler=looking.HISTORY,
    ),
    Command(
        "stats", ("statistik",), N_("How it goes: what came in, what was done, what waits"), "list",
        Right.MEMBER,
        options=(Option("--text", N_("the numbers as text instead of a picture")),),
        examples=((N_("!stats"), N_("a picture of the last 12 weeks")),),
        handler=handlers.STATS,
    ),
)  # fmt: skip

_MORE: Command[Handler] = Command(
    "more", ("mehr", "weiter"), N_("The next page of your last list"), "list", Right.MEMBER,
    handler=handlers.More(),
)  # fmt: skip

_ADMIN: tuple[Command[Handler], ...] = (
    Command(
        "archive", ("archivieren",), N_("Archive closed tickets: out of every list"), "admin", Right.ADMIN,
        (_NUMBERS,),
        examples=((N_("!archive 41 42"), N_("both tickets are archived")),),
        related=("restore", "delete"),
        handler=move(Action.ARCHIVE),
    ),
    Command(
        "delete", ("löschen",), N_("Hide tickets and set the date of their purge"), "admin",
        Right.ADMIN,
        (_NUMBERS,),
        confirm_above=1,
        examples=((N_("!delete 42"), N_("ticket 42 is hidden from everybody but admins")),),
        related=("restore", "purge"),
        handler=move(Action.DELETE),
    ),
    Command(
        "restore", ("wiederherstellen",), N_("Bring archived or deleted tickets back"), "admin", Right.ADMIN,
        (_NUMBERS,),
        examples=((N_("!restore 42"), N_("ticket 42 has the status it had before")),),
        related=("archive", "delete"),
        handler=move(Action.RESTORE),
    ),
    Command(
        "purge", ("vernichten",), N_("Erase deleted tickets for good, also from the rooms"), "admin",
        Right.ADMIN,
        (_NUMBERS,),
        confirm_above=0,
        examples=((N_("!purge 42"), N_("nothing is left of ticket 42 but its number")),),
        related=("delete", "restore"),
        handler=handlers.PURGE,
    ),
    Command(
        "upgrade", ("umziehen",), N_("Move into the room that replaced an upgraded one"), "admin",
        Right.ADMIN,
        (Parameter("room", Kind.WORD, N_("a team, triage or admin")),),
        examples=((N_("!upgrade freiburg"), N_("Freiburg's tickets are in the new room from then on")),),
        everywhere=False,
        related=("status",),
        handler=handlers.UPGRADE,
    ),
)  # fmt: skip


def build_registry(program: Program, prefix: str) -> Registry[Handler]:
    """All commands; those that tell about the program or the commands themselves are made for it."""

    def show_help(_unit: Unit, call: Call[Any], caller: Caller) -> View:
        return helping.explain(registry, prefix, call.words.get("command", ""), caller)

    about: tuple[Command[Handler], ...] = (
        Command(
            "help", ("hilfe",), N_("What I can do, or one command explained"), "list", Right.ANYONE,
            (Parameter("command", Kind.TEXT, N_("a command's name"), required=False),),
            examples=(
                (N_("!help take"), N_("all about taking")),
                (N_("!help statuses"), N_("what the statuses mean")),
            ),
            handler=Ask(show_help),
        ),
        Command(
            "status", ("status",), N_("Is everything alive, is anything stuck"), "admin", Right.ADMIN,
            everywhere=False,
            handler=handlers.status(program),
        ),
    )  # fmt: skip
    registry: Registry[Handler] = Registry((*_TICKET, *_LISTS, _MORE, about[0], *_ADMIN, about[1]))
    return registry
