"""The local homeserver and the people's client, against each other: what the acceptance tests stand on."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from bot.demo.homeserver import Homeserver, HomeserverError
from tests.people import Crowd, MatrixRefusal

PARENT = """
import asyncio, sys
from pathlib import Path
from bot.demo.homeserver import Homeserver

async def main():
    async with Homeserver(Path(sys.argv[1])) as server:
        print(server.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_an_edit_shows_its_text_and_only_the_authors_counts(people: Crowd) -> None:
    anna, ben = await people("anna"), await people("ben")
    room = await anna.create_room("Freiburg", invite=[ben])
    await ben.join(room)
    message = await anna.say(room, "frist", mentions=[ben])
    await anna.edit(room, message, "first", formatted="<b>first</b>")
    await ben.edit(room, message, "forged")

    (seen,) = await ben.sees(room)

    assert (seen.body, seen.formatted_body, seen.edited) == ("first", "<b>first</b>", True)
    assert seen.mentions == frozenset()


async def test_a_redacted_message_leaves_an_empty_place(people: Crowd) -> None:
    anna = await people("anna")
    room = await anna.create_room("Freiburg")
    message = await anna.say(room, "secret", mentions=[anna])
    await anna.edit(room, message, "still secret")
    await anna.redact(room, message)

    (seen,) = await anna.sees(room)

    assert seen.redacted
    assert not seen.edited
    assert seen.body == ""
    assert seen.mentions == frozenset()


async def test_reactions_are_gathered_by_key_until_taken_back(people: Crowd) -> None:
    anna, ben = await people("anna"), await people("ben")
    room = await anna.create_room("Freiburg", invite=[ben])
    await ben.join(room)
    message = await anna.say(room, "tap me")
    await anna.react(room, message, "🙋")
    tap = await ben.react(room, message, "🙋")
    await ben.react(room, message, "✅")

    assert await anna.reactions_on(room, message) == {
        "🙋": {anna.user_id, ben.user_id},
        "✅": {ben.user_id},
    }

    await ben.redact(room, tap)
    assert (await anna.reactions_on(room, message))["🙋"] == {anna.user_id}


async def test_a_thread_and_a_reply_in_it_keep_their_places(people: Crowd) -> None:
    anna = await people("anna")
    room = await anna.create_room("Freiburg")
    root = await anna.say(room, "card")
    first = await anna.say(room, "in the thread", thread=root)
    await anna.say(room, "an answer", thread=root, reply_to=first)
    await anna.say(room, "a plain reply", reply_to=root)

    places = [(seen.thread, seen.reply_to) for seen in await anna.sees(room)]

    assert places == [(None, None), (root, root), (root, first), (None, root)]


async def test_a_wait_ends_with_what_comes_later(people: Crowd) -> None:
    anna, ben = await people("anna"), await people("ben")
    room = await anna.create_room("Freiburg", invite=[ben])
    await ben.join(room)
    command = await anna.say(room, "!show 42")
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(anna.wait_for_notice_reply(room, command))
        reaction = group.create_task(anna.wait_for_reaction(room, command, "✅", ben))
        event = group.create_task(anna.wait_for(room, lambda event: event.body == "late"))
        redacted = group.create_task(anna.wait_to_see(room, lambda seen: seen.redacted))
        await asyncio.sleep(0.2)  # the point is that the waits began before
        assert not any(task.done() for task in (answer, reaction, event, redacted))
        notice = await ben.say(room, "#42 …", reply_to=command, msgtype="m.notice")
        await ben.react(room, command, "✅")
        late = await ben.say(room, "late")
        await ben.redact(room, late)

    assert answer.result().event_id == notice
    assert event.result().event_id == late
    assert redacted.result().event_id == late


async def test_a_wait_in_vain_shows_the_room(people: Crowd) -> None:
    anna = await people("anna")
    room = await anna.create_room("Freiburg")
    message = await anna.say(room, "is anybody here?")
    await anna.react(room, message, "👀")

    with pytest.raises(AssertionError) as failure:
        await anna.wait_for(room, lambda event: event.body == "yes", timeout=0.3, description="a yes")

    report = str(failure.value)
    assert "did not see within 0.3 s: a yes" in report
    assert f"    is anybody here?\n    👀 {anna.user_id}" in report


async def test_quiet_counts_what_others_do_since_an_event(people: Crowd) -> None:
    anna, ben = await people("anna"), await people("ben")
    room = await anna.create_room("Freiburg", invite=[ben])
    await ben.join(room)
    early = await anna.say(room, "hello")
    await anna.say(room, "my own words are no noise")
    await anna.stays_quiet(room, 0.3, since=early)

    await ben.say(room, "too quick to be waited for")

    await anna.stays_quiet(room, 0.3)
    with pytest.raises(AssertionError, match="too quick to be waited for"):
        await anna.stays_quiet(room, 0.3, since=early)


async def test_the_history_is_read_to_its_beginning_over_many_pages(
    people: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.people._PAGE", 7)
    anna = await people("anna")
    room = await anna.create_room("Freiburg")
    for count in range(20):
        await anna.say(room, str(count))

    history = await anna.timeline(room)

    assert history[0].type == "m.room.create"
    assert [seen.body for seen in await anna.sees(room)] == [str(count) for count in range(20)]


async def test_rooms_are_made_as_asked_and_closed_to_strangers(people: Crowd) -> None:
    anna, ben, eve = await people("anna"), await people("ben"), await people("eve")
    room = await anna.create_room(
        "Freiburg", alias=f"freiburg-{ben.user_id[5:13]}", invite=[ben], encrypted=True
    )
    await ben.join(room)
    state = {event.type: event.content for event in await ben.timeline(room) if event.state_key == ""}

    assert state["m.room.guest_access"] == {"guest_access": "forbidden"}
    assert state["m.room.history_visibility"] == {"history_visibility": "shared"}
    assert state["m.room.join_rules"]["join_rule"] == "invite"
    assert state["m.room.encryption"]["algorithm"] == "m.megolm.v1.aes-sha2"
    with pytest.raises(MatrixRefusal) as refusal:
        await eve.join(room)
    assert (refusal.value.status, refusal.value.errcode) == (403, "M_FORBIDDEN")

    await anna.kick(room, ben)
    assert await anna.members(room) == {anna.user_id}


async def test_a_direct_chat_holds_two(people: Crowd) -> None:
    anna, ben = await people("anna"), await people("ben")
    room = await anna.direct_chat_with(ben)
    await ben.join(room)
    assert await anna.members(room) == {anna.user_id, ben.user_id}


async def test_a_restart_keeps_port_accounts_and_rooms(homeserver: Homeserver, people: Crowd) -> None:
    anna = await people("anna")
    room = await anna.create_room("Freiburg")
    await anna.say(room, "before")
    url, pid = homeserver.url, homeserver.pid

    await homeserver.restart()

    assert homeserver.url == url
    assert homeserver.pid != pid
    await anna.say(room, "after")
    assert [seen.body for seen in await anna.sees(room)] == ["before", "after"]


async def test_an_existing_account_logs_in_and_a_wrong_password_does_not(homeserver: Homeserver) -> None:
    first = await homeserver.register("twice", "one password", "Twice")
    second = await homeserver.register("twice", "one password", "Twice")

    assert second.user_id == first.user_id == f"@twice:{homeserver.server_name}"
    assert second.device_id != first.device_id
    with pytest.raises(HomeserverError, match="M_FORBIDDEN"):
        await homeserver.register("twice", "another password", "Twice")


async def test_a_server_that_dies_says_why(tmp_path: Path) -> None:
    tmp_path.joinpath("homeserver.db").mkdir()

    with pytest.raises(HomeserverError, match=r"(?s)exit status.*unable to open database file"):
        await Homeserver(tmp_path).start()


async def test_no_server_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=PIPE, cwd=Path(__file__).parents[2]
    )
    assert parent.stdout is not None
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 60))
    assert _runs(pid)

    parent.kill()
    await parent.wait()

    async with asyncio.timeout(10):
        while _runs(pid):  # noqa: ASYNC110 - nobody tells of the end of a process that is not a child
            await asyncio.sleep(0.05)


def _runs(pid: int) -> bool:
    """Whether the process is there and is more than the remains that its new parent has not collected yet."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
