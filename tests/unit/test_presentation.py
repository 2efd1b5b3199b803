"""Every view, alert and error has a message in both languages; hostile input does no harm to any."""

import dataclasses
import re
import typing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from babel import UnknownLocaleError
from babel.messages.catalog import Message as CatalogMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.catalogs import CHAT, LANGUAGES
from bot.catalogs.upkeep import extracted, texts_of
from bot.domain import errors
from bot.domain.errors import (
    InputProblem,
    InvalidInput,
    MailNotSetUp,
    MergedInto,
    NameKind,
    NoCannedAnswer,
    NoMailAddress,
    NoSuccessor,
    NotAllowedFrom,
    NotAMember,
    NotHere,
    NothingMore,
    NothingToUndo,
    NotPermitted,
    NotSamePerson,
    NotYourPrompt,
    NoWaitlist,
    OpenTasks,
    PromptOver,
    Refusal,
    TakenBy,
    TooManyTickets,
    UndoProblem,
    UnknownName,
    UnknownTask,
    UnknownTicket,
    UsageError,
    UsageProblem,
    WhichTeam,
)
from bot.domain.finding import read_query
from bot.domain.mail import LetterKind, LetterState
from bot.domain.quiet import What
from bot.domain.rooms import RoomProblem
from bot.domain.trust import CrossSigningTrouble, VerificationEnd
from bot.domain.words import Action, Intake, MessageKind, OpenTask, Right, RoomKind, Status
from bot.presentation import Answer, Message, Names, Renderer, edit_content
from bot.presentation.language import Language
from bot.presentation.message import size
from bot.presentation.usages import pointed
from bot.services.letter_views import CannedView, Letter, MailServerReport, ReplyPost, UndeliveredAlert
from bot.services.list_views import HitView, ListKind, ListView, NextView, SearchView
from bot.services.restoring import MOST
from bot.services.views import (
    Alert,
    AssignmentAlert,
    AttachmentView,
    CardView,
    CommandFailed,
    CommandView,
    Comparison,
    ConfirmView,
    CrossSigningReport,
    DeliveryReport,
    DigestView,
    FilePost,
    ForwardedView,
    Greeting,
    HelpView,
    HistoryLine,
    HistoryView,
    LineView,
    LostTicket,
    MailAside,
    MailsUnmarked,
    MessageAlert,
    MessageView,
    MovedAway,
    NamedTicket,
    NowhereReport,
    OpenedView,
    OwnSessionReport,
    ParameterView,
    Person,
    PromptClosed,
    PurgeReport,
    QuietLine,
    QuietReminder,
    RestoredReport,
    RoomMoveAnswered,
    RoomMoveBegun,
    RoomMoved,
    RoomMoveQuestion,
    RoomMoveRejected,
    RoomMoveShutOut,
    RoomReport,
    RoomStatus,
    SetAside,
    StatusesView,
    StatusView,
    TalkView,
    TasksView,
    TaskView,
    TicketView,
    TransferSummary,
    Unreadable,
    VerificationOver,
    WithdrawalAlert,
)
from tests.stats_data import stats
from tests.unit.test_document import NASTY, check_harmless, check_html, hostile, words

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
EVENT_LIMIT = 60 * 1024
NAMES = Names(
    teams={"freiburg": "Freiburg", "hamburg": "Hamburg"},
    topics={"de": {"donation_request": "Spendenanfrage"}, "en": {"donation_request": "Donation request"}},
    regions={"de": {"baden": "Südbaden"}, "en": {"baden": "South Baden"}},
    german={
        "take": "nehmen", "release": "freigeben", "assign": "zuweisen", "wait": "warten",
        "close": "schließen",
        "reopen": "öffnen", "topic": "thema", "transfer": "übergeben", "new": "neu", "list": "liste",
        "mine": "meine", "waitlist": "warteliste", "show": "zeigen", "history": "verlauf", "help": "hilfe",
        "archive": "archivieren", "restore": "wiederherstellen", "statuses": "ablauf",
    },
)  # fmt: skip
RENDERER = Renderer(NAMES)
GREETED = (RoomKind.TEAM, RoomKind.TRIAGE, RoomKind.ADMIN)
ANNA = Person("@anna:example.org", "Anna")
BEN = Person("@ben:example.org", "Ben")


def card(text: str = "Laptop für Ausbildung gesucht", status: Status = Status.WAITING) -> CardView:
    """A card with everything on it; each text from outside is ``text``."""
    waits = status is Status.WAITING
    return CardView(
        number=1042,
        version=3,
        status=status,
        topic="donation_request",
        team="freiburg",
        subject=text,
        requester=text,
        excerpt=text,
        changed_at=NOW,
        assignee=ANNA if status is Status.IN_PROGRESS else None,
        waiting_since=NOW - timedelta(days=12),
        need=text,
        close_reason=text,
        follows=12,
        diverted_from="hamburg" if status is Status.OPEN else None,
        tasks_done=2,
        tasks_all=3,
        attachments=2,
        merged_into=named(9, Status.OPEN) if status is Status.CLOSED else None,
        merged_here=(named(11, Status.CLOSED),) if waits else (),
        others=(named(41, Status.CLOSED), named(37, Status.WAITING)) if waits else (),
    )


def named(number: int, status: Status) -> NamedTicket:
    return NamedTicket(number, status, "!room:example.org", "$event")


def line(number: int, text: str, status: Status = Status.WAITING) -> LineView:
    return LineView(
        number,
        status,
        "donation_request",
        "freiburg",
        text,
        opened_at=NOW - timedelta(days=20),
        changed_at=NOW - timedelta(days=9),
        assignee=Person("@anna:example.org", text) if status is Status.IN_PROGRESS else None,
        waiting_since=NOW - timedelta(days=12),
        need=text,
        card_room="!room:example.org",
        card_event="$event",
    )


def message(text: str, author: Person | None = None) -> MessageView:
    return MessageView(
        text, Intake.FORM, NOW, author, (AttachmentView(text, "image/png", 1_234_567),), ((text, text),)
    )


def note(text: str) -> MessageView:
    return MessageView(text, Intake.CHAT, NOW, ANNA, kind=MessageKind.NOTE)


def tasks(text: str, count: int) -> tuple[TaskView, ...]:
    return tuple(TaskView(n + 1, text, bool(n % 2)) for n in range(count))


def history(text: str, count: int) -> tuple[HistoryLine, ...]:
    actions = list(Action)
    return tuple(
        HistoryLine(
            NOW,
            actions[index % len(actions)],
            Person("@anna:example.org", text) if index % 3 else None,
            Status.OPEN,
            Status.CLOSED,
            text,
            BEN,
            ANNA,
            "freiburg",
            None,
            57,
        )
        for index in range(count)
    )


def answers(text: str, count: int) -> dict[str, Answer]:
    """Each kind of answer with ``text`` wherever text from outside goes and ``count`` lines."""
    lines = tuple(line(number, text) for number in range(1, count + 1))
    command = CommandView(
        "take",
        ("nehmen",),
        "!take [number …] [--force]",
        "summary",
        "ticket",
        (ParameterView("number …", "which"), ParameterView("--force", "from another")),
        (("!take 42", "takes 42"),),
        german="nehmen",
        related=("release", "wait"),
    )
    other = replace(command, name="waitlist", aliases=("warteliste",), group="list")
    return {
        "list": ListView(ListKind.OPEN, lines, show_team=True, page=0, next_page=1, total=1000, beyond=True),
        "mine": ListView(ListKind.MINE, (line(1, text, Status.IN_PROGRESS),), total=1),
        "waitlist": ListView(ListKind.WAITING, lines, page=1, before=10, total=10 + count),
        "filtered": ListView(ListKind.OPEN, lines, topic="donation_request", age=14, total=count),
        "all": ListView(ListKind.ALL, (line(1, text, Status.CLOSED),), total=1),
        "empty": ListView(ListKind.WAITING, ()),
        "empty filtered": ListView(ListKind.WAITING, (), topic=text, age=1),
        "empty page": ListView(ListKind.OPEN, (), page=1, before=10, total=10),
        "search": SearchView(
            read_query(text),
            tuple(HitView(each, text, text) for each in lines),
            show_team=True,
            page=1,
            next_page=2,
            before=10,
            total=1000,
            beyond=True,
        ),
        "search empty": SearchView(read_query("laptop")),
        "search for nothing": SearchView(read_query("")),
        "next": NextView(card(text, Status.OPEN), line(1042, text, Status.OPEN)),
        "next waiting": NextView(card(text), line(1042, text)),
        "next none": NextView(),
        "ticket": TicketView(
            card(text),
            text,
            text,
            text,
            NOW,
            Intake.FORM,
            (note(text), *(message(text, ANNA) for _ in range(count))),
            tasks(text, count),
            NOW,
            muted=True,
        ),
        "history": HistoryView(42, history(text, count)),
        "tasks": TasksView(42, tasks(text, count + 1)),
        "no tasks": TasksView(42, ()),
        "forwarded": ForwardedView(57, 42),
        "canned": CannedView(42, tuple((f"a{n}", text) for n in range(count))),
        "no canned": CannedView(42, ()),
        "history page": HistoryView(
            42, history(text, count), "!room:example.org", "$event", page=1, before=20, total=20 + count
        ),
        "history end": HistoryView(42, (), page=1, before=20, total=20),
        "stats": stats(*(f"{text}{n}" for n in range(count + 1))),
        "stats of one": stats(text),
        "opened": OpenedView(43, "freiburg"),
        "continued": OpenedView(43, None, follows=42),
        "confirm": ConfirmView("close", (41, 42, 43, 44, 45, 46), Person("@anna:example.org", "Anna"), NOW),
        "confirm purge": ConfirmView("purge", (42,), Person("@anna:example.org", "Anna"), NOW),
        "confirmed": PromptClosed("purge", (42,), Person("@anna:example.org", "Anna"), confirmed=True),
        "move confirmed": RoomMoveAnswered("team:freiburg", text, ANNA, confirmed=True),
        "move declined": RoomMoveAnswered("triage", text, ANNA, confirmed=False),
        "move begun": RoomMoveBegun("admin", text),
        "left": PromptClosed("purge", (42,), Person("@anna:example.org", "Anna"), confirmed=False),
        "help": HelpView((replace(command, basic=True), *(other,) * count), bare=True),
        "help one": HelpView((command,), detailed=True),
        "help for admins": HelpView((replace(command, right=Right.ADMIN),), detailed=True),
        "statuses": StatusesView(((Status.OPEN, (Action.TAKE, Action.WAIT)), (Status.ARCHIVED, ()))),
        "talk": TalkView(),
        "talk of outsiders": TalkView(outsider=True),
        "status": StatusView(
            "0.1.0",
            NOW - timedelta(hours=5),
            NOW,
            "sqlite",
            "0007",
            {Status.OPEN: 3, Status.CLOSED: 10_001},
            1,
            2,
            timedelta(minutes=9),
            3,
            4,
            (
                SetAside("card", 42, "team:freiburg", "M_FORBIDDEN", NOW),
                SetAside("alert", None, text, text, NOW),
                SetAside("answer", None, None, "internal: KeyError", NOW),
                SetAside("digest", None, "triage", "M_TOO_LARGE", NOW),
            ),
            NOW - timedelta(hours=5),
            2,
            (*(RoomStatus(text, tuple(RoomProblem)) for _ in range(count)), RoomStatus("Triage")),
        ),
        "status well": StatusView(
            "0.1.0",
            NOW - timedelta(hours=5),
            NOW,
            "postgresql",
            "0007",
            {Status.OPEN: 7, Status.CLOSED: 10_001},
            digest_at=NOW - timedelta(days=1),
            rooms=(RoomStatus("triage"), RoomStatus("admin")),
        ),
    }


def letter(text: str) -> Letter:
    """A reply's letter."""
    return Letter(1, LetterKind.REPLY, 42, "<x@y>", text, text, text, "freiburg", "de", NOW, text, text)


def alerts(text: str, count: int) -> dict[str, Alert]:
    """Each alert with ``text`` wherever text from outside goes and ``count`` lines."""
    lines = tuple(line(number, text, Status.IN_PROGRESS) for number in range(1, count + 1))
    people = tuple(Person(f"@p{n}:example.org", text) for n in range(min(count, 2)))
    stranger = Person("@p0:example.org", text)
    return {
        "message": MessageAlert(42, message(text), text, reopened=True, mentions=people),
        "given": AssignmentAlert(
            42, Person("@anna:example.org", text), BEN, given=True, action=Action.ASSIGN
        ),
        "lost": AssignmentAlert(42, ANNA, BEN, given=False, action=Action.STEAL),
        "back": AssignmentAlert(42, ANNA, BEN, given=True, action=Action.RESTORE),
        "unheard": MessageAlert(42, message(text), text, reopened=False, mentions=()),
        "withdrawn": WithdrawalAlert(42, text, people),
        "withdrawn unheard": WithdrawalAlert(42, "", ()),
        "lost otherwise": AssignmentAlert(42, ANNA, None, given=False, action=Action.CLOSE),
        **{
            f"reply {state}": ReplyPost(letter(text), ANNA, state, reason, NOW, text)
            for state, reason in zip(LetterState, (None, None, text, text), strict=True)
        },
        "reply late": ReplyPost(letter(text), None, LetterState.WAITING, text, shown=text),
        "undelivered": UndeliveredAlert(42, LetterKind.REPLY, LetterState.FAILED, text, people),
        "ack undelivered": UndeliveredAlert(
            42, LetterKind.ACKNOWLEDGEMENT, LetterState.BOUNCED, f"5.2.2 {text}", ()
        ),
        "mail server": MailServerReport(text),
        "transfer": TransferSummary(42, None, BEN, NOW, 2, history(text, count)),
        "moved": MovedAway(42, "hamburg", BEN),
        "room": RoomReport(text, "!r:example.org", tuple(RoomProblem)),
        "room again": RoomReport("Freiburg", "!r:example.org", ()),
        "room muted": RoomReport("team:freiburg", "!r:example.org", ("muted",)),
        "triage muted": RoomReport("triage", "!r:example.org", ("muted",)),
        "file": FilePost(42, AttachmentView(text, "image/png", 1_234_567)),
        "file not kept": FilePost(42, AttachmentView(text, "video/mp4", 30_000_000, kept=False)),
        "mail aside": MailAside(3, text, "unreadable", 1_234, here=True),
        "mails unmarked": MailsUnmarked(text, text),
        "large mail aside": MailAside(4, text, "too_large", 30_000_000, here=False),
        "nowhere": NowhereReport(42, "freiburg"),
        "nowhere from triage": NowhereReport(42, None),
        "nowhere several": NowhereReport(42, "freiburg", (43, 44)),
        "move question": RoomMoveQuestion("team:freiburg", "!r:example.org", "!new:example.org"),
        "move rejected": RoomMoveRejected("triage", text, seen=True),
        "move rejected in use": RoomMoveRejected("triage", text, seen=True, serves="team:freiburg"),
        "move rejected unseen": RoomMoveRejected("team:freiburg", text, seen=False),
        "move shut out": RoomMoveShutOut("team:freiburg", text),
        "comparison": Comparison(stranger, (0, 1, 2, 3, 4, 5, 63), (), "freiburg", NOW),
        "comparison by numbers": Comparison(ANNA, (), (1234, 5678, 9012), None, NOW),
        "verified": VerificationOver(stranger, VerificationEnd.DONE, signed=True),
        "verified one way": VerificationOver(
            Person("@anna:example.org", text), VerificationEnd.DONE, signed=False
        ),
        **{
            f"verification {end.value}": VerificationOver(
                Person("@anna:example.org", text), end, signed=False
            )
            for end in VerificationEnd
            if end is not VerificationEnd.DONE
        },
        "own session": OwnSessionReport("@room <b>!x"),
        **{f"cross-signing {each.value}": CrossSigningReport(each) for each in CrossSigningTrouble},
        "room moved": RoomMoved("team:freiburg", text, ANNA, outdated=True),
        "triage moved": RoomMoved("triage", "!new:example.org", ANNA, outdated=True),
        "room moved by its alias": RoomMoved("admin", "!new:example.org", ANNA, outdated=False),
        "delivery": DeliveryReport("card", text, (42,) * count, text),
        "delivery diverted": DeliveryReport("card", text, (42,), text, diverted=True),
        "purge": PurgeReport(42, 7, 0),
        "purge failed": PurgeReport(42, 7, 2),
        "digest": DigestView(
            "freiburg",
            date(2026, 11, 23),
            lines,
            count + 1,
            lines,
            count + 2,
            lines,
            count + 3,
            frozenset({1}),
            opened=1,
            closed=2,
            spam_messages=3,
            muted_messages=1,
            thanks=((Person("@anna:example.org", text), 3), (BEN, 1)),
            thanks_hidden=2,
        ),
        "digest monday": DigestView(
            "freiburg", date(2026, 11, 23), (), 0, (), 0, (), 0, since=date(2026, 11, 20), opened=4
        ),
        "quiet": QuietReminder(
            (
                QuietLine(line(1, text, Status.OPEN), What.CARD, 1),
                QuietLine(line(2, text, Status.IN_PROGRESS), What.MESSAGE, 2, people),
                QuietLine(line(3, text, Status.OPEN), What.GIVEN, 1, (ANNA,)),
                QuietLine(line(4, text, Status.DELETED), What.LOST, 1, (BEN,)),
                QuietLine(line(4, text, Status.CLOSED), What.WITHDRAWN, 1, (BEN,)),
                *(QuietLine(line(n, text), What.MESSAGE, 1, (ANNA,) * 9) for n in range(5, count + 5)),
            ),
            count + 9,
            (*people, ANNA, BEN),
        ),
        "failed": CommandFailed(text),
        "unreadable": Unreadable(distrusted=False),
        "distrusted": Unreadable(distrusted=True),
        "restored": RestoredReport(
            NOW,
            tuple(LostTicket(n, "!room:example.org", "$event") for n in range(1, min(count, MOST) + 1)),
            count,
            tuple(range(1, min(count, MOST) + 1)),
            count,
            1042,
        ),
        "restored and nothing lost": RestoredReport(None, (), 0, (), 0, 20),
        **{f"greeting {kind}": Greeting(kind, "freiburg", NOW) for kind in GREETED},
        "greeting direct": Greeting(
            RoomKind.DIRECT,
            "freiburg",
            NOW,
            Person("@anna:example.org", text),
            ListView(ListKind.MINE, lines, total=count),
        ),
    }


def refusals(text: str = "Laptop") -> dict[str, Refusal]:
    """Each kind of refusal."""
    return {
        "unknown": UnknownTicket(42),
        "from": NotAllowedFrom(42, Action.WAIT, Status.SPAM, (Action.REOPEN, Action.TRANSFER, Action.ASSIGN)),
        "from nothing": NotAllowedFrom(42, Action.TAKE, Status.DELETED, ()),
        "permitted": NotPermitted(42, Action.RELEASE, Right.ASSIGNEE, "@anna:example.org"),
        "admin": NotPermitted(None, Action.PURGE, Right.ADMIN),
        "taken": TakenBy(42, "@anna:example.org", Status.IN_PROGRESS),
        "merged": MergedInto(57, 42),
        "persons": NotSamePerson(42, 57, text, text),
        "tasks": OpenTasks(42, (OpenTask(1, text),) * 30),
        "task": UnknownTask(42, 4, (1, 2)),
        "no task": UnknownTask(42, 4, ()),
        "waitlist": NoWaitlist(42, "donation_request"),
        "member": NotAMember(42, "@ben:example.org", None),
        "undo": NothingToUndo(42, UndoProblem.NOTHING),
        "undo new": NothingToUndo(42, UndoProblem.OPENED, "@anna:example.org", NOW),
        "undo purge": NothingToUndo(42, UndoProblem.PURGED, "@anna:example.org", NOW),
        "undo since": NothingToUndo(42, UndoProblem.SINCE),
        "undo others": NothingToUndo(42, UndoProblem.OTHERS, "@ben:example.org", NOW),
        "undo sent": NothingToUndo(42, UndoProblem.SENT, "@anna:example.org", NOW),
        "no mail": MailNotSetUp(42),
        "no address": NoMailAddress(42, phone=True),
        "no canned": NoCannedAnswer(42, text, ("pickup", "thanks")),
        "undo late": NothingToUndo(42, UndoProblem.TOO_OLD, "@anna:example.org", NOW),
        **{kind: UnknownName(None, kind, text, (text,) * 60, ("freiburg",)) for kind in NameKind},
        "outsider": NotPermitted(None, None, Right.MEMBER),
        "team": WhichTeam(None, ("freiburg", None)),
        "here": NotHere(None, "status"),
        "no successor": NoSuccessor(None, "team:freiburg"),
        "many": TooManyTickets(None, 20),
        "not your prompt": NotYourPrompt(None, "@anna:example.org"),
        "prompt over": PromptOver(None),
        "nothing more": NothingMore(None),
    }


def problems(text: str = "Laptop") -> dict[str, Refusal | UsageError | InvalidInput]:
    """Every refusal, usage error and input error."""
    usages = {
        str(kind): UsageError(kind, text, len(text) // 2, 4, "number", ("take",), "!take [number …]")
        for kind in UsageProblem
    }
    inputs = {str(kind): InvalidInput("subject", kind, 200) for kind in InputProblem}
    return {**refusals(text), **usages, **inputs, "field": InvalidInput(text, InputProblem.MALFORMED)}


def everything(text: str, count: int, language: str) -> dict[str, Message]:
    """All messages there are."""
    made = {f"card {each}": RENDERER.card(card(text, each), language, BERLIN) for each in Status}
    made |= {
        f"answer {key}": RENDERER.answer(view, language, BERLIN, NOW)
        for key, view in answers(text, count).items()
    }
    made |= {
        f"alert {key}": RENDERER.alert(view, language, BERLIN) for key, view in alerts(text, count).items()
    }
    made |= {
        f"problem {key}": RENDERER.problem(error, language, BERLIN) for key, error in problems(text).items()
    }
    made["outcome"] = RENDERER.outcome(tuple(range(count)), tuple(refusals(text).values()), language, BERLIN)
    return made


def test_no_refusal_view_or_alert_is_forgotten() -> None:
    """The samples above, which every other test renders, have one of each class."""
    declared = {
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Refusal)
    }
    assert {type(each) for each in refusals().values()} == declared - {Refusal}
    assert {type(each) for each in alerts("x", 1).values()} == set(typing.get_args(Alert))
    assert {type(each) for each in answers("x", 1).values()} == set(typing.get_args(Answer))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_says_the_same_in_both_forms(language: str) -> None:
    for name, made in everything("Laptop & Maus <3", 3, language).items():
        links = made.formatted_body.count("<a ")
        seen = check_html(made.formatted_body, own_links=links)
        assert words(seen.text) == words(made.body), name
        assert "{" not in made.body, name
        assert "m.mentions" in made.content()


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=15, deadline=None)
@given(text=hostile)
def test_hostile_text_has_no_effect_anywhere(language: str, text: str) -> None:
    for made in everything(text, 2, language).values():
        # Command forms such as "<person>" and our own pills are the only markup; both are counted below.
        links = made.formatted_body.count('<a href="https://matrix.to/#/')
        seen = check_html(made.formatted_body, own_links=links)
        check_harmless(made.body)
        check_harmless(seen.text)
        targets = {at["href"] for tag, at in seen.elements if tag == "a"}
        assert targets <= {
            "https://matrix.to/#/@anna:example.org",
            "https://matrix.to/#/@ben:example.org",
            "https://matrix.to/#/@p0:example.org",
            "https://matrix.to/#/@p1:example.org",
            "https://matrix.to/#/!room:example.org/$event",
        }
        mentioned = set(made.mentions)
        assert mentioned <= {ANNA.user_id, BEN.user_id, "@p0:example.org", "@p1:example.org"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        # What takes longest in the language whose words are longer.
        ("de", "🗑️" * 5_000),
        ("de", "𝄞" * 200),
        *product(LANGUAGES, ['"\\' * 100, "<&>'\"" * 40, "".join(NASTY)]),
    ],
)
def test_the_largest_messages_fit_an_event(language: str, text: str) -> None:
    # Many lines cost most of the time; one text of the largest characters stands for all.
    count = 400 if text.startswith("𝄞") else 100
    for name, made in everything(text, count, language).items():
        assert size(made.content()) < EVENT_LIMIT, name
        if name.startswith("card"):
            assert size(edit_content(made, "$original")) < EVENT_LIMIT, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_and_refusals_are_notices(language: str) -> None:
    for name, made in everything("Laptop", 3, language).items():
        if name.startswith(("answer", "problem", "outcome")):
            assert made.notice, name
            asks = name in ("answer confirm", "answer confirm purge")
            asked = ("@anna:example.org",) if asks else ()
            assert made.mentions == asked, name
        if name.startswith("card"):
            assert not made.notice, name
            assert made.content()["m.mentions"] == {}, name


def test_who_must_act_is_mentioned() -> None:
    for key, people in {
        "message": ("@p0:example.org", "@p1:example.org"),
        "given": ("@anna:example.org",),
    }.items():
        made = RENDERER.alert(alerts("x", 2)[key], "de", BERLIN)
        assert made.content()["msgtype"] == "m.text"
        assert made.content()["m.mentions"] == {"user_ids": list(people)}


def test_a_whole_team_is_mentioned_but_not_spelt_out() -> None:
    people = tuple(Person(f"@p{n}:example.org", f"Person {n}") for n in range(40))
    made = RENDERER.alert(
        MessageAlert(42, message("x"), "Max", reopened=False, mentions=people), "de", BERLIN
    )
    assert made.mentions == tuple(person.user_id for person in people)
    assert "An alle im Team" in made.body
    assert "Person 7" not in made.body


def test_a_deleted_ticket_is_hidden_at_once() -> None:
    made = RENDERER.card(card("Geheim", Status.DELETED), "de", BERLIN)
    assert made.body == "🗑️ #1042\nGelöscht · 23.11., 14:05"


def test_mail_address_and_phone_are_on_no_card_but_in_show() -> None:
    view = answers("x", 1)["ticket"]
    assert isinstance(view, TicketView)
    view = dataclasses.replace(view, email="max@example.org", phone="+49 761 1234")
    shown = RENDERER.answer(view, "de", BERLIN, NOW).body
    assert "E-Mail: max@example.org" in shown
    assert "Telefon: +49 761 1234" in shown


@given(
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1),
    st.data(),
)
def test_the_caret_stands_under_the_place(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    quoted, carets = pointed(text, start, 2).split("\n")
    assert len(quoted) <= 82
    assert carets.strip(" ").strip("^") == ""
    assert carets.endswith("^")


@pytest.mark.parametrize(
    ("source", "start", "length", "shown"),
    [
        ("!taek 42", 1, 4, "!taek 42\n ^^^^"),
        ("!take", 5, 0, "!take\n     ^"),
        ("!take 日本 x", 9, 1, "!take 日本 x\n           ^"),
        ("!close\u200b 42", 8, 2, "!close 42\n       ^^"),
        ("x" * 100 + "?" + "y" * 100, 100, 1, f"…{'x' * 40}?{'y' * 39}…\n{' ' * 41}^"),
    ],
)
def test_pointed(source: str, start: int, length: int, shown: str) -> None:
    assert pointed(source, start, length) == shown


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(UnknownLocaleError):
        Language("fr")


@pytest.mark.parametrize(
    ("passed", "german", "english"),
    [
        (timedelta(seconds=59), "gerade eben", "just now"),
        (timedelta(minutes=1), "seit einer Minute", "for 1 minute"),
        (timedelta(minutes=59, seconds=59), "seit 59 Minuten", "for 59 minutes"),
        (timedelta(hours=1), "seit einer Stunde", "for 1 hour"),
        (timedelta(hours=23, minutes=59), "seit 23 Stunden", "for 23 hours"),
        (timedelta(days=1), "seit einem Tag", "for 1 day"),
        (timedelta(days=12), "seit 12 Tagen", "for 12 days"),
        (timedelta(days=400), "seit 400 Tagen", "for 400 days"),
        (timedelta(days=-1), "gerade eben", "just now"),
    ],
)
def test_age(passed: timedelta, german: str, english: str) -> None:
    assert Language("de").age(NOW - passed, NOW) == german
    assert Language("en").age(NOW - passed, NOW) == english


@pytest.mark.parametrize(
    ("moment", "german", "english"),
    [
        (datetime(2026, 11, 23, 13, 4, tzinfo=UTC), "heute um 14:04", "today at 14:04"),
        # In Berlin the day begins an hour before it does in UTC.
        (datetime(2026, 11, 22, 23, 0, tzinfo=UTC), "heute um 00:00", "today at 00:00"),
        (datetime(2026, 11, 22, 22, 59, tzinfo=UTC), "gestern um 23:59", "yesterday at 23:59"),
        (datetime(2026, 11, 21, 23, 0, tzinfo=UTC), "gestern um 00:00", "yesterday at 00:00"),
        (datetime(2026, 11, 21, 22, 59, tzinfo=UTC), "21.11., 23:59", "21 Nov, 23:59"),
        (datetime(2026, 11, 24, 13, 5, tzinfo=UTC), "24.11., 14:05", "24 Nov, 14:05"),
    ],
)
def test_when(moment: datetime, german: str, english: str) -> None:
    assert Language("de").when(moment, NOW, BERLIN) == german
    assert Language("en").when(moment, NOW, BERLIN) == english


@pytest.mark.parametrize("message", [each for each in extracted(CHAT) if isinstance(each.id, tuple)], ids=str)
def test_every_plural_reads_right_for_none_one_and_many(message: CatalogMessage) -> None:
    """In German one is one, and nothing and many are many: "0 Tage", "einen Tag", "2 Tage"."""
    german = Language("de")
    singular, plural = texts_of(message.id)
    none, one, many = (german.ngettext(singular, plural, count) for count in (0, 1, 2))
    assert none == many
    assert not re.search(r"\b[2-9]|\beine[mnrs]? \{count\}", one)
    assert "{count}" in many


def test_times_are_those_of_the_zone() -> None:
    summer = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert Language("de").datetime(summer, BERLIN) == "01.07., 00:30"
    assert Language("en").datetime(summer, BERLIN, year=True) == "1 Jul 2026, 00:30"
    assert Language("de").file_size(1_234_567) == "1,2 MB"
    assert Language("en").file_size(999) == "999 B"
