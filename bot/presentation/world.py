"""What the renderers know beside the view: names from the config, and who reads where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from bot.domain.usage import translated
from bot.domain.words import Action, Status, Team
from bot.presentation.document import NO_BREAK, Code, Inline, Link, Pill, Span, Text, joined
from bot.presentation.language import Language
from bot.presentation.words import ARGUMENTS, EMOJI, STATUS_WORDS
from bot.services.views import LineView, Person


@dataclass(frozen=True, slots=True)
class Names:
    """The config as far as texts need it. Topics and regions: language code → key → name."""

    teams: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    regions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    prefix: str = "!"
    bot: str = "Tickettruhe"
    german: Mapping[str, str] = field(default_factory=dict)
    """Command → its German name; also of what `help` explains beside commands."""
    taps: bool = True
    """Whether cards carry reactions to tap."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Names, language and time zone of the room that a text is for."""

    names: Names
    language: Language
    zone: ZoneInfo
    people: Mapping[str, str] = field(default_factory=dict)
    """User id → display name, of people whom an error names."""

    def user(self, user_id: str) -> Pill:
        """A user of whom an error knows the id only; without a name, the local part of it."""
        return Pill(user_id, self.people.get(user_id) or user_id.removeprefix("@").partition(":")[0])

    def team(self, team: Team) -> str:
        """The team's name; a team that left the config is called by its key."""
        return self.language.gettext("Triage") if team is None else self.names.teams.get(team, team)

    def room(self, key: str) -> str:
        """What people call a configured room; any other is called by what it is known by."""
        if key == "admin":
            return self.language.gettext("admin room")
        if key == "triage":
            return self.team(None)
        return self.team(key.removeprefix("team:")) if key.startswith("team:") else key

    def topic(self, key: str) -> str:
        """The topic's name in this language; its key if it left the config."""
        return self.names.topics.get(self.language.code, {}).get(key, key)

    def region(self, key: str) -> str:
        """The region's name in this language; its key if it left the config."""
        return self.names.regions.get(self.language.code, {}).get(key, key)

    def status(self, status: Status) -> Text:
        """The status in words."""
        return Text(self.language.gettext(STATUS_WORDS[status]))

    def mark(self, status: Status) -> Text:
        """The status as its emoji."""
        return Text(EMOJI[status])

    def moment(self, moment: datetime) -> Text:
        """Day and time where the readers are."""
        return Text(self.language.datetime(moment, self.zone))

    def doer(self, person: Person | None) -> Inline:
        """A person as a pill; nobody is the bot itself."""
        return Text(self.names.bot) if person is None else pill(person)

    def command(self, line: str) -> Code:
        """A command to type, with the prefix, by its name in this language; so what `help` explains."""
        first, _, rest = self._line(line).partition(" ")
        if first == "help" and rest:
            return self.typed(f"{self.command_name(first)} {self._named(rest)}")
        return self.typed(self._named(self._line(line)))

    def _named(self, line: str) -> str:
        """A line with its command's name, of two words or of one, in this language."""
        words = line.split(" ")
        both = " ".join(words[:2])
        if self.command_name(both) != both:
            return " ".join([self.command_name(both), *words[2:]])
        return " ".join([self.command_name(words[0]), *words[1:]])

    def command_name(self, name: str) -> str:
        """What a command is called in this language."""
        return self.names.german.get(name, name) if self.language.code == "de" else name

    def typed(self, line: str) -> Code:
        """A command to type, with the prefix, as it stands."""
        return Code(Text(self.names.prefix + self._line(line)))

    def _line(self, line: str) -> str:
        # Declarations and catalogs write "!", whatever the config's prefix is.
        return line.removeprefix(self.names.prefix).removeprefix("!")

    def usage(self, usage: str) -> Code:
        """A command's form, with the words of this language."""
        return self.command(translated(usage, self.language.gettext))

    @staticmethod
    def word(word: str) -> Code:
        """One word of a command, as it stands."""
        return Code(Text(word))

    def action(self, action: Action, number: int | None) -> Code:
        """The command for an action on a ticket, with a place for what else it needs."""
        words = ["take --force" if action is Action.STEAL else action.value]
        words += [str(number)] if number is not None else []
        words += [f"<{self.language.gettext(name)}>" for name in ARGUMENTS.get(action, ())]
        return self.command(" ".join(words))


def pill(person: Person) -> Pill:
    """A person as the chat shows them."""
    return Pill(person.user_id, person.name)


def numeral(number: int) -> Text:
    """A ticket's number as people write it."""
    return Text(f"#{number}")


def numerals(several: Iterable[int]) -> Span:
    """Several numbers in a row."""
    return joined(", ", map(numeral, several))


def line_number(line: LineView, setting: Setting) -> Span:
    """A list's ticket: status and number, linked to its card."""
    return joined(
        NO_BREAK, [setting.mark(line.status), card_link(line.number, line.card_room, line.card_event)]
    )


def card_link(number: int, room_id: str | None, event_id: str | None) -> Inline:
    """The number, linked to its card if there is one (appendix "matrix.to navigation")."""
    if room_id is None or event_id is None:
        return numeral(number)
    return Link(f"#{number}", f"https://matrix.to/#/{quote(room_id, safe='!:')}/{quote(event_id, safe='$:')}")
