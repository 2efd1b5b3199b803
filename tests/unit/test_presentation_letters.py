"""What the team reads of mails to requesters, word for word."""

from dataclasses import replace

import pytest

from bot.domain.errors import MailNotSetUp, NoCannedAnswer, NoMailAddress
from bot.domain.mail import LetterKind, LetterState
from bot.presentation import Message
from bot.services.letter_views import (
    CannedView,
    Letter,
    MailServerReport,
    ReplyPost,
    UndeliveredAlert,
)
from bot.services.views import MailsUnmarked, Person
from tests.unit.test_presentation import ANNA, BERLIN, NOW, RENDERER

LETTER = Letter(
    id=1,
    kind=LetterKind.REPLY,
    number=42,
    mail_id="<x@example.org>",
    to="kim@example.org",
    name="Kim @room",
    subject="Laptop",
    team="freiburg",
    language="de",
    at=NOW,
)
POST = ReplyPost(LETTER, ANNA, LetterState.WAITING, shown="Freitag passt.\n@room https://matrix.to/#/@x:y")
UNDELIVERED = UndeliveredAlert(42, LetterKind.REPLY, LetterState.FAILED, "550 5.1.1 <b>no</b>", (ANNA,))


def alert(view: object, language: str = "de") -> Message:
    return RENDERER.alert(view, language, BERLIN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (LetterState.WAITING, None, "⏳ Auf dem Weg zum Mailserver."),
        (
            LetterState.WAITING,
            "451 wait",
            "⏳ Noch nicht gesendet, ich versuche es weiter. Der Mailserver sagt: 451 wait",
        ),
        (LetterState.SENT, None, "✅ An die*den Anfragende*n gesendet: 23.11., 14:05"),
        (
            LetterState.FAILED,
            "550 5.7.1 spam",
            "❌ Nicht gesendet. Der Mailserver sagt: 550 5.7.1 spam\n"
            "Der Mailserver der*des Anfragenden will unsere Mail nicht. Bitte sag den Admins Bescheid.",
        ),
        (
            LetterState.BOUNCED,
            "#5.1.1 unknown",
            "❌ Konnte nicht zugestellt werden und kam zurück: #5.1.1 unknown\n"
            "Die Adresse könnte falsch sein: !zeigen 42 zeigt sie. Bitte erreiche die*den Anfragende*n auf "
            "anderem Weg.",
        ),
    ],
)
def test_how_far_a_reply_got(state: LetterState, reason: str | None, said: str) -> None:
    message = alert(replace(POST, state=state, reason=reason, done_at=NOW))
    head, *rest = message.body.split("\n")
    assert head == "✉️ Anna an Kim @\u2060room:"
    assert "\n".join(rest).startswith(f"{said}\n> Freitag passt.")
    assert (message.notice, message.mentions) == (True, ())
    assert "https://matrix.to/#/@x" not in message.formatted_body


def test_what_did_not_arrive_rings_for_its_writer() -> None:
    message = alert(UNDELIVERED)
    assert message.body.startswith("⚠️ Die Antwort zu #42 hat die*den Anfragende*n nicht erreicht: 550 5.1.1")
    assert (message.mentions, message.notice) == ((ANNA.user_id,), False)
    assert "<b>" not in message.formatted_body
    quiet = alert(replace(UNDELIVERED, kind=LetterKind.ACKNOWLEDGEMENT, mentions=()))
    assert "Die Bestätigung zu #42" in quiet.body
    assert (quiet.mentions, quiet.notice) == ((), True)
    others = replace(UNDELIVERED, mentions=tuple(Person(f"@p{n}:example.org", "P") for n in range(12)))
    assert "An alle im Team" in alert(others).body


def test_a_mail_server_that_refuses_the_bot() -> None:
    assert alert(MailServerReport("535 no")).body == (
        "⚠️ Der Mailserver weist mich ab, deshalb geht keine Mail hinaus: 535 no\n"
        "Prüfe Benutzername und Passwort unter `mail.smtp` und starte mich dann neu. Alles wartet, "
        "nichts geht verloren."
    )


def test_a_mailbox_that_lets_no_mail_be_marked() -> None:
    message = alert(MailsUnmarked("hilfe", "NOPERM"))
    assert message.body.startswith(
        "⚠️ Der Mailserver lässt mich die Mails in hilfe, die ich empfangen habe, nicht"
    )
    assert "Er sagt: NOPERM\n" in message.body
    assert "Er sagt" not in alert(MailsUnmarked("hilfe", None)).body


def test_prepared_answers() -> None:
    view = CannedView(42, (("pickup", "Liegt bereit."), ("no", "Leider nicht.")))
    assert RENDERER.answer(view, "de", BERLIN, NOW).body == (
        "Fertige Antworten, die zu #42 passen\n"
        "!reply 42 @pickup\n> Liegt bereit.\n\n!reply 42 @no\n> Leider nicht."
    )
    empty = RENDERER.answer(CannedView(42, ()), "de", BERLIN, NOW)
    assert empty.body == "Es gibt keine fertige Antwort, die zu #42 passt."


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            NoCannedAnswer(42, "picup", ("pickup", "no")),
            "Keine fertige Antwort, die zu #42 passt, heißt @picup.\n"
            "Es gibt @pickup, @no; !reply 42 @ zeigt sie.",
        ),
        (NoCannedAnswer(42, "x", ()), "Keine fertige Antwort, die zu #42 passt, heißt @x."),
        (
            NoMailAddress(42, phone=True),
            "Anfragende*r zu #42 hat keine E-Mail-Adresse angegeben.\n"
            "Aber eine Telefonnummer: !zeigen 42 zeigt sie.",
        ),
        (NoMailAddress(42, phone=False), "Anfragende*r zu #42 hat keine E-Mail-Adresse angegeben."),
        (
            MailNotSetUp(42),
            "Ich kann keine Mails senden: Es ist kein Mailserver eingerichtet.\n"
            "Das können Admins ändern: `mail.smtp` in der Konfiguration.",
        ),
    ],
)
def test_why_no_mail_goes_out(refusal: NoCannedAnswer | NoMailAddress | MailNotSetUp, said: str) -> None:
    assert RENDERER.problem(refusal, "de", BERLIN).body.replace("\u2060", "") == said
