"""The vocabulary in the chat: emoji and message ids of statuses, actions and problems."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.domain.marks import N_
from bot.domain.rooms import RoomProblem
from bot.domain.words import Action, Intake, Status

EMOJI: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.OPEN: "🟢",
        Status.IN_PROGRESS: "🔵",
        Status.WAITING: "⏳",
        Status.CLOSED: "✅",
        Status.SPAM: "🚫",
        Status.ARCHIVED: "📦",
        Status.DELETED: "🗑️",
    }
)

STATUS_WORDS: Final[Mapping[Status, str]] = MappingProxyType(
    {
        Status.OPEN: N_("Open"),
        Status.IN_PROGRESS: N_("In progress"),
        Status.WAITING: N_("On waiting"),
        Status.CLOSED: N_("Closed"),
        Status.SPAM: N_("Closed (spam)"),
        Status.ARCHIVED: N_("Archived"),
        Status.DELETED: N_("Deleted"),
    }
)

INTAKE_WORDS: Final[Mapping[Intake, str]] = MappingProxyType(
    {
        Intake.HTTP: N_("over the API"),
        Intake.FORM: N_("over the contact form"),
        Intake.PAGE: N_("on the page of the request"),
        Intake.EMAIL: N_("by e-mail"),
        Intake.OSTICKET: N_("over osTicket"),
        Intake.CHAT: N_("written down in the chat"),
    }
)

ARGUMENTS: Final[Mapping[Action, tuple[str, ...]]] = MappingProxyType(
    {Action.ASSIGN: (N_("person"),), Action.TRANSFER: (N_("team"),), Action.TOPIC: (N_("topic"),)}
)
"""What an action's command needs beside the number."""

DOING: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.OPEN: N_("opened"),
        Action.TAKE: N_("taken"),
        Action.STEAL: N_("taken over"),
        Action.ASSIGN: N_("assigned"),
        Action.RELEASE: N_("released"),
        Action.WAIT: N_("put on the waiting list"),
        Action.CLOSE: N_("closed"),
        Action.SPAM: N_("marked as spam"),
        Action.REOPEN: N_("reopened"),
        Action.UNDO: N_("undone"),
        Action.MESSAGE: N_("given a message"),
        Action.WITHDRAW: N_("withdrawn"),
        Action.TRANSFER: N_("transferred"),
        Action.TOPIC: N_("given another topic"),
        Action.MERGE: N_("merged"),
        Action.NOTE: N_("given a note"),
        Action.REPLY: N_("answered"),
        Action.TASK_ADD: N_("given a task"),
        Action.TASK_DONE: N_("freed of a task"),
        Action.ARCHIVE: N_("archived"),
        Action.DELETE: N_("deleted"),
        Action.RESTORE: N_("restored"),
        Action.PURGE: N_("purged"),
    }
)
"""Participles, for "#42 cannot be … now"."""

HISTORY: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.OPEN: N_("{who} opened the ticket"),
        Action.TAKE: N_("{who} took the ticket"),
        Action.STEAL: N_("{who} took the ticket over from {from_person}"),
        Action.ASSIGN: N_("{who} assigned the ticket to {to_person}"),
        Action.RELEASE: N_("{who} released the ticket"),
        Action.WAIT: N_("{who} put the ticket on the waiting list"),
        Action.CLOSE: N_("{who} closed the ticket"),
        Action.SPAM: N_("{who} marked the ticket as spam"),
        Action.REOPEN: N_("{who} reopened the ticket"),
        Action.UNDO: N_("{who} undid the last change"),
        Action.MESSAGE: N_("Message from {who}"),
        Action.WITHDRAW: N_("{who} withdrew the request"),
        Action.TRANSFER: N_("{who} transferred the ticket from {from_team} to {to_team}"),
        Action.TOPIC: N_("{who} changed the topic"),
        Action.MERGE: N_("{who} merged the ticket with {other}"),
        Action.NOTE: N_("{who} left a note"),
        Action.REPLY: N_("{who} answered the requester"),
        Action.TASK_ADD: N_("{who} added a task"),
        Action.TASK_DONE: N_("{who} ticked off"),
        Action.ARCHIVE: N_("{who} archived the ticket"),
        Action.DELETE: N_("{who} deleted the ticket"),
        Action.RESTORE: N_("{who} restored the ticket"),
        Action.PURGE: N_("{who} purged the ticket"),
    }
)

LOST: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.STEAL: N_("{who} took it over."),
        Action.ASSIGN: N_("{who} assigned it to somebody else."),
        Action.RELEASE: N_("{who} released it."),
        Action.WAIT: N_("{who} put it on the waiting list."),
        Action.TRANSFER: N_("{who} transferred it to another team."),
        Action.UNDO: N_("{who} undid the last change."),
        Action.DELETE: N_("{who} deleted it."),
        Action.MERGE: N_("{who} merged it with another ticket."),
    }
)
"""How somebody came to lose a ticket."""

GOT: Final[Mapping[Action, str]] = MappingProxyType(
    {Action.UNDO: LOST[Action.UNDO], Action.RESTORE: N_("{who} restored it.")}
)
"""How somebody came to have a ticket again."""

LOST_OTHERWISE: Final = N_("{who} changed it.")

ROOM_PROBLEMS: Final[Mapping[RoomProblem, str]] = MappingProxyType(
    {
        RoomProblem.NOT_JOINED: N_("I am not in it: invite me."),
        RoomProblem.PUBLIC: N_("Strangers can join it: set the access to “by invitation only”."),
        RoomProblem.WORLD_READABLE: N_("Strangers can read it: let only members see the history."),
        RoomProblem.GUESTS: N_("Guests may join it: turn guest access off."),
        RoomProblem.REPLACED: N_("It was upgraded: invite me into the new room, and I ask whether to move."),
        RoomProblem.MUTED: N_("I may not write there: let me send messages (room settings, roles)."),
    }
)

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "card": N_("card"),
        "mail": N_("mail to a requester"),
        "post": N_("answer to a requester"),
        "answer": N_("answer"),
        "reaction": N_("answer"),
        "alert": N_("message to the team"),
        "digest": N_("digest"),
        "reminder": N_("reminder"),
        "report": N_("report to you"),
        "retire": N_("clearing up after a transfer"),
        "erase": N_("removal of messages"),
    }
)
"""What an outbox row asks for."""
