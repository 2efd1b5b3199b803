"""The three views of a round's end, side by side: clients, database, rooms."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.desk import Desk
from tests.faults.facts import Facts
from tests.faults.log import Log, Said
from tests.house_rules import answered_by
from tests.timeline import Event, Shown, shown


@dataclass(frozen=True)
class Story:
    """The three views, each of one moment when nothing was under way."""

    desk: Desk
    log: Log
    facts: Facts
    events: Mapping[str, Sequence[Event]]
    """Room key → its whole history, as a client that is new to it reads it."""
    rendered: Mapping[int, str]
    """Ticket → its card's text, as the database's state makes it."""

    @cached_property
    def seen(self) -> Mapping[str, Sequence[Shown]]:
        """Room key → what a person sees."""
        return {key: shown(events) for key, events in self.events.items()}

    @cached_property
    def own(self) -> Sequence[Event]:
        """All that the bot ever sent."""
        user = self.desk.account.user_id
        return [event for events in self.events.values() for event in events if event.sender == user]

    @cached_property
    def acknowledged(self) -> Counter[str]:
        """Command → how often it has a ✅."""
        reactions = (each for each in self.own if each.type == "m.reaction" and not each.redacted)
        return Counter(each.related for each in reactions if each.related in self.log.commands)

    @cached_property
    def answered(self) -> Counter[str]:
        """Command → how often it was answered in words; in a thread alerts look like answers, too."""
        said = (each for each in self.own if self.facts.posted.get(each.event_id, "answer") == "answer")
        found = (answered_by(each, self.log.commands) for each in said if not each.redacted)
        return Counter(each for each in found if each)

    @cached_property
    def asked(self) -> Counter[str]:
        """Command → how often the bot asked whether it is meant."""
        questions = (each for each in self.own if each.body.startswith("Really "))
        return Counter(each.in_reply_to for each in questions if each.in_reply_to)

    def done_by(self, said: Said, number: int) -> int:
        """How often a command, or the yes to the question about it, did something to a ticket."""
        yes = (tap for tap, command in self.log.yes_and_no.items() if command == said.event_id)
        return sum(self.facts.causes[cause, number] for cause in (said.event_id, *yes))

    def moved(self, number: int) -> bool:
        """Whether the ticket was ever in another team."""
        return any(entry.action == "transfer" for entry in self.facts.history.get(number, ()))
