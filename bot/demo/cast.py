"""Who and what the demo shows: rooms, people, and requests as they come in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Room:
    """A room of the demo. The first of its people made it, and the demo reads it through their eyes."""

    key: str
    name: str
    people: tuple[str, ...]
    purpose: str


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody enters in the contact form; ``region`` is a key, or empty for "I don't know"."""

    topic: str
    region: str
    name: str
    email: str
    subject: str
    message: str
    language: str = "de"


@dataclass(frozen=True, slots=True)
class MailSample:
    """What somebody writes to the help desk; ``region`` is what stands behind the plus, if anything."""

    region: str
    name: str
    email: str
    subject: str
    message: str


ROOMS: Final = {
    room.key: room
    for room in (
        Room("freiburg", "Freiburg", ("anna", "ben"), "a team that speaks German"),
        Room("berlin", "Berlin", ("carla",), "a team that speaks English"),
        Room("triage", "Triage", ("tim",), "requests that belong to no team yet"),
        Room("admin", "Admins", ("dora",), "archive, delete, restore; may do everything"),
    )
}
PEOPLE: Final = {"anna": "Anna", "ben": "Ben", "carla": "Carla", "tim": "Tim", "dora": "Dora"}
BOT: Final = "tickettruhe"
BOT_NAME: Final = "Tickettruhe"
HELP_DESK: Final = "hilfe@tickettruhe.example"
"""Where people write; `hilfe+berlin@…` is for Berlin."""

SETTINGS: Final[Mapping[str, Any]] = {
    "language": "de",
    "timezone": "Europe/Berlin",
    "regions": {
        "freiburg": "Freiburg",
        "emmendingen": "Emmendingen",
        "berlin": "Berlin",
        "elsewhere": {"de": "Anderswo", "en": "Elsewhere"},
    },
    "topics": {
        "donation_request": {"name": {"de": "Spendenanfrage", "en": "Donation request"}, "waitlist": True},
        "donation_offer": {"name": {"de": "Gerätespende", "en": "Donation offer"}},
        "other": {"name": {"de": "Sonstiges", "en": "Other"}},
    },
    "default_topic": "other",
}
"""The part of the bot's config that is the same in every demo."""
TEAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "freiburg": {
        "name": "Freiburg",
        "regions": ["freiburg", "emmendingen"],
        "mail": {"signature": "Tickettruhe Freiburg"},
    },
    "berlin": {
        "name": "Berlin",
        "regions": ["berlin"],
        "language": "en",
        "mail": {"signature": "Tickettruhe Berlin"},
    },
}

SAMPLES: Final = (
    Request(
        "donation_request", "freiburg", "Samira Haddad", "samira@example.org",
        "Laptop für Ausbildung gesucht",
        "Hallo, ich beginne im Herbst eine Ausbildung zur Erzieherin und brauche für die Berufsschule"
        " einen Laptop. Leider kann ich mir keinen leisten. Ein gebrauchter reicht völlig.",
    ),
    Request(
        "donation_offer", "emmendingen", "Klaus Vogt", "k.vogt@example.org",
        "Zwei ThinkPads abzugeben",
        "Unser Büro hat neue Rechner bekommen. Zwei ThinkPads T470 mit Netzteil könnten wir spenden.",
    ),
    Request(
        "donation_request", "berlin", "Oleh Bondar", "oleh@example.org",
        "Computer for my daughter's school",
        "Hello, my daughter is in seventh grade and has to do her homework online. We have only my phone.",
        "en",
    ),
    Request(
        "other", "freiburg", "SEO Experts", "offer@example.com",
        "Rank #1 on Google GUARANTEED",
        "Dear website owner, we checked your page and can double your visitors in a week!!!",
        "en",
    ),
    Request(
        "donation_request", "", "Maria Kern", "m.kern@example.org",
        "Monitor kaputt",
        "Guten Tag, an meinem Rechner von Ihnen ist der Monitor ausgefallen. An wen wende ich mich?",
    ),
)  # fmt: skip
"""For both teams, one spam, and the last without a region: that one leads to triage."""

LATER: Final = (
    Request(
        "donation_request", "freiburg", "Jonas Weber", "jonas.weber@example.org",
        "Rechner für Bewerbungen",
        "Hallo, ich suche Arbeit und müsste Bewerbungen schreiben. Haben Sie einen einfachen PC?",
    ),
    Request(
        "donation_offer", "berlin", "Priya Nair", "priya@example.org",
        "Five tablets from our library",
        "We are replacing our reading tablets. Five of them still work well. Would you like them?",
        "en",
    ),
    Request(
        "other", "emmendingen", "Heike Lang", "heike.lang@example.org",
        "Wie lange dauert es ungefähr?",
        "Guten Tag, ich habe vor zwei Wochen angefragt und wüsste gern, ob ich etwas tun kann.",
    ),
)  # fmt: skip
"""What `/ticket` files, in turn."""

MAILS: Final = (
    MailSample(
        "freiburg", "Leyla Aydin", "leyla@example.org",
        "Laptop startet nicht mehr",
        "Hallo,\n\nder Laptop von Ihnen startet seit gestern nicht mehr. Kann ich ihn vorbeibringen?\n\n"
        "Viele Grüße\nLeyla Aydin",
    ),
    MailSample(
        "berlin", "Tom Okafor", "tom.okafor@example.org",
        "Charger for my laptop",
        "Hi,\n\nthe charger of the laptop that I got from you broke. Do you have another one?\n\nTom",
    ),
    MailSample(
        "", "Birgit Sommer", "b.sommer@example.org",
        "Spendenquittung",
        "Guten Tag,\n\nich habe im März zwei Monitore gespendet. Bekomme ich dafür eine Quittung?\n\n"
        "Birgit Sommer",
    ),
)  # fmt: skip
"""What `/write` sends, in turn."""


def rooms_of(person: str) -> tuple[Room, ...]:
    """The rooms that a person is in."""
    return tuple(room for room in ROOMS.values() if person in room.people)
