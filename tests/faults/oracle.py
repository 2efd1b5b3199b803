"""The oracle: what the clients know, what the database says and what the rooms show must be one story.

Each check gives breaches as text; none means that nothing was lost and nothing done twice.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from bot.domain.taps import UNDO, offered
from bot.domain.words import Status
from tests.faults.log import Said
from tests.faults.story import Story
from tests.timeline import Event, Shown

_TX: Final = "org.tickettruhe.tx"
_NUMBER: Final = re.compile(r"#(\d+)")
_CARD: Final = re.compile(r"\S+ #(\d+) · ")
_READS: Final = frozenset({"list", "show", "mine", "waitlist", "history", "search", "new", "tkae", "status"})
"""Verbs that are answered in words where they succeed."""
_WORDS: Final = frozenset({"message", "note", "task add"})
"""Verbs that keep words of their own."""
_DIGEST: Final = "☀️"


def breaches(story: Story) -> list[str]:
    """Everything that is not one story."""
    checks = (
        _mishaps, _nothing_waits, _tickets, _cards, _offers, _outcomes, _deeds, _words_kept, _undue_deeds,
        _taps, _histories, _digests, _sent_once, _log_is_clean,
    )  # fmt: skip
    return [f"{check.__name__.strip('_')}: {breach}" for check in checks for breach in check(story)]


def _mishaps(story: Story) -> Iterator[str]:
    yield from story.log.mishaps


def _nothing_waits(story: Story) -> Iterator[str]:
    for event_id in story.facts.unhandled:
        yield f"{event_id} is not handled"
    for row in story.facts.unsent:
        yield f"not sent: {row}"


def _tickets(story: Story) -> Iterator[str]:
    """Accepted is there once; asked for without an answer at most once; nothing else is there."""
    subjects: defaultdict[str, list[int]] = defaultdict(list)
    for number, ticket in story.facts.tickets.items():
        # A message to an archived or deleted ticket opens one that follows it; its words are there once.
        if ticket.follows is None:
            subjects[ticket.subject].append(number)
    for request in story.log.requests:
        found = subjects.pop(request.subject, [])
        if request.number is None and len(found) > 1:
            yield f"{request.subject} was asked for once and is {found}"
        elif request.number is not None and found != [request.number]:
            yield f"{request.subject} was accepted as #{request.number} and is {found}"
    for said in story.log.commands.values():
        if said.verb == "new":
            found = subjects.pop(said.token, [])
            if len(found) > 1 or (not found and said.event_id not in story.log.redacted):
                yield f"{said.text} made {found}"
    for subject, found in subjects.items():
        yield f"nobody asked for {found}: {subject}"


def _card_of(story: Story, number: int, team: str | None) -> list[Shown]:
    """The ticket's cards in a room; also of a deleted one, which shows its number alone."""
    seen = [each for each in story.seen[team or "triage"] if story.desk.is_from_bot(each) and not each.thread]
    heads = ((each, _CARD.match(f"{each.body.splitlines()[0]} · ")) for each in seen if each.body)
    return [each for each, head in heads if head and int(head[1]) == number and each.msgtype == "m.text"]


def _cards(story: Story) -> Iterator[str]:
    """Each ticket has one card in its team's room and none elsewhere, which shows it as it is."""
    for number, ticket in story.facts.tickets.items():
        for key in story.seen:
            wanted = int(key == (ticket.team or "triage"))
            found = _card_of(story, number, key)
            if len(found) != wanted:
                yield f"#{number} has {len(found)} cards in {key}, not {wanted}"
            for card in found:
                if wanted and card.body != story.rendered[number]:
                    yield f"the card of #{number} shows {card.body!r}, not {story.rendered[number]!r}"
                known = story.facts.cards.get(number)
                if wanted and (known is None or known.event_id != card.event_id):
                    yield f"the database takes another event than {card.event_id} for the card of #{number}"


def _offers(story: Story) -> Iterator[str]:
    """Each card offers what its ticket's status allows."""
    bot = story.desk.account.user_id
    for number, ticket in story.facts.tickets.items():
        waitlist = story.desk.config.topics[ticket.topic].waitlist
        wanted = set(offered(Status(ticket.status), waitlist=waitlist, undoable=False))
        for card in _card_of(story, number, ticket.team):
            offers = {key for key, who in card.reactions.items() if bot in who}
            if offers - {UNDO} != wanted:
                yield f"the card of #{number} ({ticket.status}) offers {sorted(offers)}, not {sorted(wanted)}"


def _outcomes(story: Story) -> Iterator[str]:
    """Each command got one ✅ or one answer; none if its sender took it back in time."""
    for event_id, said in story.log.commands.items():
        count = story.acknowledged[event_id] + story.answered[event_id]
        # An answer in the thread of a card goes with the card to another room.
        gone = said.thread is not None and any(map(story.moved, said.numbers))
        may_be_none = event_id in story.log.redacted or gone or story.asked[event_id] == 1
        if said.verb == "message" and story.acknowledged[event_id] == story.answered[event_id] == 1:
            continue  # its ticket was archived: the answer names the one that follows
        if (count != 1 and not (count == 0 and may_be_none)) or story.asked[event_id] > 1:
            yield f"{said.text} ({event_id}) has {count} outcomes, {story.asked[event_id]} questions before"
    for event_id in story.log.edits | story.log.chatter:
        if any(event_id in (each.in_reply_to, each.related) for each in story.own if not each.redacted):
            yield f"{event_id} is no command and was answered"


def _deeds(story: Story) -> Iterator[str]:
    """What was acknowledged was done, once for each ticket; what was refused was not done."""
    for event_id, said in story.log.commands.items():
        if said.verb in _READS or (said.verb == "message" and story.answered[event_id]):
            continue  # a message to an archived ticket is in the one that follows it: see the words
        for number in said.numbers:
            done = story.done_by(said, number)
            if done > 1:
                yield f"{said.text} was done {done} times to #{number}"
            elif story.acknowledged[event_id] and not done and not _was_so(story, said, number):
                yield f"{said.text} was acknowledged and not done to #{number}"
            elif story.answered[event_id] and done and said.alone is not None:
                yield f"{said.text} was answered by a refusal and done"


def _was_so(story: Story, said: Said, number: int) -> bool:
    """Whether the ticket ever was as the command wanted it, so that there was nothing to do."""
    words = said.text.split()
    wanted: dict[str, dict[str, Any]] = {
        "take": {"status": "in_progress", "assignee": said.sender},
        "reopen": {"status": "open"},
        "release": {"assignee": None},
        "spam": {"status": "spam"},
        "topic": {"topic": words[-1]},
        "transfer": {"team": words[-1]},
        "assign": {"assignee": story.desk.person(words[-1].lower()).user_id} if said.verb == "assign" else {},
    }
    if said.verb not in wanted:
        return False
    standings = [entry.after for entry in story.facts.history.get(number, ()) if entry.after]
    return any(wanted[said.verb].items() <= standing.items() for standing in standings)


def _words_kept(story: Story) -> Iterator[str]:
    """Words that came with a command or over the API are there once, unless their author took them back."""
    for remark in story.log.remarks:
        count = sum(remark.token in text for text, _ in story.facts.words)
        if count != 1 and (remark.accepted or count > 1):
            yield f"a message to #{remark.number} is there {count} times"
    for event_id, said in story.log.commands.items():
        if said.verb not in _WORDS or said.alone is None:
            continue
        count = sum(said.token in text for text, _ in story.facts.words)
        wanted = sum(count for (cause, _), count in story.facts.causes.items() if cause == event_id)
        if count != wanted and not (count == 0 and _undone(story, said)):
            yield f"the words of {said.text} are there {count} times, not {wanted}"


def _undone(story: Story, said: Said) -> bool:
    entries = story.facts.history.get(said.alone or 0, ())
    return any(entry.action == "undo" and entry.who == said.sender for entry in entries)


def _undue_deeds(story: Story) -> Iterator[str]:
    """Nothing was done that nobody said or tapped; nothing for an edit."""
    known = {*story.log.commands, *story.log.taps, *story.log.yes_and_no}
    for cause, number in story.facts.causes:
        if cause not in known:
            yield f"{cause} did something to #{number} and is no command"


def _taps(story: Story) -> Iterator[str]:
    """Each tap was handled, and taken away for it; unless its card had gone to another room."""
    taken = {event.redacts for event in story.own}
    for event_id, number in story.log.taps.items():
        if event_id not in taken and event_id not in story.log.redacted and not story.moved(number):
            yield f"the tap {event_id} on #{number} still stands there"


def _histories(story: Story) -> Iterator[str]:
    """Each entry begins where the one before it ended; the ticket is where the last one ended."""
    for number, ticket in story.facts.tickets.items():
        entries = story.facts.history.get(number, ())
        if [entry.action for entry in entries].count("open") != 1:
            yield f"#{number} was opened {[entry.action for entry in entries]}"
        for before, after in pairwise(entries):
            if before.after and after.before and before.after != after.before:
                yield f"between entries {before.id} and {after.id} of #{number} something is missing"
        last = entries[-1].after if entries else None
        now = (ticket.status, ticket.assignee, ticket.team, ticket.topic)
        if last and (last["status"], last["assignee"], last["team"], last["topic"]) != now:
            yield f"#{number} is {now}, its history ends with {last}"


def _digests(story: Story) -> Iterator[str]:
    """As many digests stand in a room as days had one, each with another date."""
    for key, seen in story.seen.items():
        if key == "admin":
            continue
        titles = Counter(
            each.body.partition("\n")[0]
            for each in seen
            if story.desk.is_from_bot(each) and each.body.startswith(_DIGEST)
        )
        room = key if key == "triage" else f"team:{key}"
        days = [day for marked, day in story.facts.digests if marked == room]
        if len(titles) != len(days) or any(count > 1 for count in titles.values()):
            yield f"{key} has the digests {dict(titles)} for the days {days}"


def _sent_once(story: Story) -> Iterator[str]:
    """No transaction became two events, and a purge would find each message that names a ticket."""
    counts = Counter(str(each.content[_TX]) for each in story.own if _TX in each.content)
    for tx_id, count in counts.items():
        if count > 1:
            yield f"transaction {tx_id} became {count} events"
    for event in story.own:
        if (
            event.type == "m.room.message"
            and _names(story, event)
            and event.event_id not in story.facts.posted
        ):
            yield f"the database does not know that {event.event_id} stands in the room: {event.body!r}"


def _names(story: Story, event: Event) -> bool:
    numbers = map(int, _NUMBER.findall(event.body))
    return any(number in story.facts.tickets for number in numbers)


def _log_is_clean(story: Story) -> Iterator[str]:
    log = story.desk.bot.log
    for mark in ("Traceback", "command_fault", "delivery_fault", "row_not_understood", "tick_failed"):
        if mark in log:
            place = log.index(mark)
            yield f"the log holds {log[max(0, place - 300) : place + 2000]}"
    if any(word in log for word in story.log.words):
        yield "the log holds a requester's words"
