"""Does what the plan says, and tells each step when it is done."""

from pathlib import Path

from bot.matrix.errors import Refused
from bot.setup import files, rooms
from bot.setup.account import Account
from bot.setup.errors import NotNow
from bot.setup.plan import Plan, RoomPlan
from bot.setup.rooms import Seen, Wanted
from bot.setup.terminal import DONE, NOTE, Terminal
from bot.setup.texts import Texts


class Doing:
    """Writes the config, makes rooms, invites people. Whatever is cut off, a further run finishes."""

    def __init__(self, account: Account, terminal: Terminal, say: Texts) -> None:
        self._account = account
        self._terminal = terminal
        self.say = say
        self.is_complete = True
        """Whether nothing is left for a later run."""

    async def do(self, plan: Plan, path: Path) -> None:
        """All of the plan but the greeting.

        The config comes first: it names rooms by their addresses, so that it is right before they are there.

        :raises SetupStopped: the homeserver or the disk does not let it.
        """
        if plan.config is not None:
            files.write(path, plan.config, files.SHARED, self.say)
            self._terminal.tell(self.say("{file} written", file=path), DONE)
        for room in plan.rooms:
            if room.changes:
                await self._do_room(room)

    async def _do_room(self, room: RoomPlan) -> None:
        wanted = room.wanted
        if room.to_make:
            await self._make(wanted)
        elif not room.seen.joined and await rooms.join(self._account, wanted.address):
            self._terminal.tell(self.say("room entered: {address}", address=wanted.address), DONE)
        seen = await rooms.look(self._account, wanted.address)
        if not seen.joined:
            told = self.say(
                "{address}: the bot is not let in; invite it, `run` accepts", address=wanted.address
            )
            self._terminal.tell(told, NOTE)
            return
        await rooms.finish(self._account, wanted, seen)
        await self._invite(wanted, seen, made=room.to_make)

    async def _make(self, wanted: Wanted) -> None:
        try:
            made = await rooms.make(self._account, wanted)
        except Refused as error:
            raise rooms.refused_to_make(wanted, error, self.say) from None
        if made:
            told = self.say("room made: {name} ({address})", name=wanted.name, address=wanted.address)
            self._terminal.tell(told, DONE)

    async def _invite(self, wanted: Wanted, seen: Seen, *, made: bool) -> None:
        invited = [each for each in wanted.people if made and seen.members.get(each) == "invite"]
        for person in seen.to_invite(wanted):
            try:
                refused = await rooms.invite(self._account, seen, person, wanted.topic)
            except NotNow:
                self.is_complete = False
                told = self.say(
                    "{address}: {person} was invited too often lately; run this again in ten minutes",
                    address=wanted.address,
                    person=person,
                )
                self._terminal.tell(told, NOTE)
                continue
            if refused is None:
                invited.append(person)
                continue
            told = self.say(
                "{address}: {person} could not be invited ({code})",
                address=wanted.address,
                person=person,
                code=refused,
            )
            self._terminal.tell(told, NOTE)
        if invited:
            people = ", ".join(invited)
            told = self.say("invited into {address}: {people}", address=wanted.address, people=people)
            self._terminal.tell(told, DONE)
