"""Mails as they would go out, for whoever writes the templates: with an invented ticket."""

from datetime import UTC, datetime

from bot.domain.mail import LetterKind
from bot.domain.words import Team
from bot.services.letter_views import Letter
from bot.services.status_links import PATH

_WORDS = {
    "de": ("Laptop für die Ausbildung", "Guten Tag,\n\ndas Gerät **liegt bereit**. Freitag um 16 Uhr?"),
    "en": ("Laptop for school", "Hello,\n\nit **is ready**. Would Friday at 4 pm suit you?"),
}


def sample(kind: LetterKind, team: Team, language: str, address: str | None) -> Letter:
    """A letter of somebody who does not exist; ``address``: where the requesters' pages are, if anywhere."""
    subject, text = _WORDS["de" if language == "de" else "en"]
    return Letter(
        id=0,
        kind=kind,
        number=1042,
        mail_id="<preview@tickettruhe.invalid>",
        to="kim@example.org",
        name="Kim Beispiel",
        subject=subject,
        team=team,
        language=language,
        at=datetime.now(UTC),
        text=text,
        member="Anna" if kind is LetterKind.REPLY else None,
        status_link=f"{address}/{PATH}/m1042-example" if address else None,
        loop_mark="preview",
    )
