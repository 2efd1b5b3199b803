"""What is kept of the bot's identity and of verifications, on both databases."""

from collections.abc import AsyncIterator
from functools import partial

import pytest

from bot.domain.errors import NotYourPrompt, PromptOver
from bot.domain.trust import CrossSigningTrouble, VerificationEnd
from bot.services import trust, verification
from bot.services.jobs import Send
from bot.services.views import Comparison, CrossSigningReport, VerificationOver
from tests.integration.desk_data import ADMINS, ANNA, BOT, DORA, FREIBURG, OLGA, Desk, desk_on
from tests.integration.test_worker_taps import Chat

DIRECT = "!direct:example.org"
EMOJI = (0, 1, 2, 3, 4, 5, 63)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_on(database_url) as desk:
        yield desk


async def direct_chat(desk: Desk, person: str) -> None:
    await desk.update(
        DIRECT, membership="join", join_rule="invite", history_visibility="shared", guest_access="forbidden",
        members={BOT: "Bot", person: "Person"}, whole=True,
    )  # fmt: skip
    await desk.deliver()  # the greeting


async def begun(desk: Desk, room: str | None, person: str = DORA) -> bool:
    """A verification that has come to the emoji; whether somebody was asked."""
    await desk.units.run(lambda unit: verification.begin(unit, "$t", person, "PHONE", room))
    return await desk.units.run(lambda unit: verification.show(unit, "$t", EMOJI, ()))


async def said(desk: Desk) -> list[Send]:
    """What is sent now, but for reactions."""
    return [job for job in await desk.deliver() if isinstance(job, Send)]


async def test_the_keys_are_of_one_account(desk: Desk) -> None:
    units = desk.units
    assert await units.look(lambda unit: trust.own_keys(unit, BOT)) == trust.OwnKeys()
    await units.run(lambda unit: trust.keep(unit, BOT, "sealed", "recovery", stored=False))
    await units.run(lambda unit: trust.note_stored(unit, BOT))
    kept = await units.look(lambda unit: trust.own_keys(unit, BOT))
    assert kept == trust.OwnKeys("sealed", "recovery", stored=True)
    await units.run(trust.forget_recovery_key)
    kept = await units.look(lambda unit: trust.own_keys(unit, BOT))
    assert kept == trust.OwnKeys("sealed", None, stored=True)
    assert await units.look(lambda unit: trust.own_keys(unit, OLGA)) == trust.OwnKeys()
    await units.run(lambda unit: trust.keep(unit, OLGA, "others", None, stored=True))
    assert await units.look(lambda unit: trust.own_keys(unit, BOT)) == trust.OwnKeys()


async def test_trouble_is_told_once_and_again_after_it_was_over(desk: Desk) -> None:
    foreign, refused = CrossSigningTrouble.FOREIGN, CrossSigningTrouble.REFUSED
    for trouble in (None, foreign, foreign, refused, None, foreign):
        await desk.units.run(partial(trust.tell, user_id=BOT, trouble=trouble))
    views = [job.view for job in await said(desk)]
    assert views == [CrossSigningReport(each) for each in (foreign, refused, foreign)]


async def test_only_admins_may_verify_and_in_a_room_only_in_their_direct_chat(desk: Desk) -> None:
    await direct_chat(desk, DORA)

    async def may(person: str, room: str | None) -> bool:
        return await desk.units.look(lambda unit: verification.may_verify(unit, person, room))

    assert await may(DORA, DIRECT)
    assert await may(DORA, None)
    assert not await may(DORA, ADMINS)
    assert not await may(DORA, "!unknown:example.org")
    assert not await may(ANNA, None)
    assert not await may(ANNA, FREIBURG)
    await direct_chat(desk, ANNA)
    assert not await may(ANNA, DIRECT)
    assert not await may(DORA, DIRECT)
    assert await desk.units.look(lambda unit: verification.is_acquainted(unit, ANNA))
    assert not await desk.units.look(lambda unit: verification.is_acquainted(unit, "@eve:example.org"))


@pytest.mark.parametrize("room", [DIRECT, None])
async def test_the_question_stands_in_the_direct_chat_and_only_that_admin_answers(
    desk: Desk, room: str | None
) -> None:
    await direct_chat(desk, DORA)
    chat = Chat(desk)
    assert await begun(desk, room)
    (question,) = [job for job in await desk.deliver() if isinstance(job, Send)]
    assert question.room_id == DIRECT
    assert isinstance(question.view, Comparison)
    assert question.view.emoji == EMOJI
    event_id = desk.homeserver.by_tx[question.tx_id]
    assert set(desk.homeserver.on(event_id)) == {"✅", "❌"}

    await chat.tap_in(ANNA, event_id, "✅", DIRECT)
    assert isinstance(chat.speaker.said.pop(), NotYourPrompt)
    assert (await desk.units.look(verification.running))[0].decision is None
    await chat.tap_in(DORA, event_id, "❌", DIRECT)
    assert (await desk.units.look(verification.running))[0].decision is False
    await chat.tap_in(DORA, event_id, "✅", DIRECT)
    assert (await desk.units.look(verification.running))[0].decision is False
    assert desk.homeserver.on(event_id) == []


async def test_without_a_direct_chat_the_admin_room_is_asked(desk: Desk) -> None:
    assert await begun(desk, None)
    assert [job.room_id for job in await said(desk)] == [ADMINS]


async def test_whom_no_room_reaches_is_asked_at_the_machine_alone(desk: Desk) -> None:
    assert not await begun(desk, None, OLGA)
    (running,) = await desk.units.look(verification.running)
    assert running.shown
    assert running.emoji == EMOJI
    await desk.units.run(lambda unit: verification.decide(unit, "$t", yes=True))
    (running,) = await desk.units.look(verification.running)
    assert running.decision
    assert not running.shown
    with pytest.raises(PromptOver):
        await desk.units.run(lambda unit: verification.decide(unit, "$t", yes=False))


async def test_the_end_is_told_once_where_it_was_asked(desk: Desk) -> None:
    await direct_chat(desk, DORA)
    await begun(desk, DIRECT)
    await said(desk)
    for _again in range(2):
        await desk.units.run(lambda unit: verification.over(unit, "$t", VerificationEnd.DONE, signed=True))
    (job,) = await said(desk)
    assert isinstance(job.view, VerificationOver)
    assert job.view.signed
    assert job.room_id == DIRECT
    assert await desk.units.look(verification.running) == ()
    with pytest.raises(PromptOver):
        await desk.units.run(lambda unit: verification.decide(unit, "$t", yes=True))


async def test_what_was_not_shown_ends_without_a_word(desk: Desk) -> None:
    await direct_chat(desk, DORA)
    await desk.units.run(lambda unit: verification.begin(unit, "$t", DORA, "PHONE", DIRECT))
    await desk.units.run(lambda unit: verification.over(unit, "$t", VerificationEnd.TIMEOUT))
    assert await said(desk) == []


async def test_a_question_that_is_over_before_it_is_sent_is_not_asked(desk: Desk) -> None:
    await direct_chat(desk, DORA)
    await begun(desk, DIRECT)
    await desk.units.run(lambda unit: verification.over(unit, "$t", VerificationEnd.CANCELLED))
    assert [type(job.view) for job in await said(desk)] == [VerificationOver]


async def test_who_is_verified_is_kept(desk: Desk) -> None:
    for key in ("first", "second"):
        await desk.units.run(partial(verification.note_verified, user_id=DORA, master_key=key))
