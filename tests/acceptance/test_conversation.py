"""Notes, tasks, and two tickets of one person: what the team sees of them in the room."""

import re

from tests.desk import Desk


async def test_a_note_is_shown_to_the_team_and_undone(desk: Desk) -> None:
    number = await desk.file(message="First words")
    card = await desk.card(number)
    await desk.say("ben", "just talk", thread=card.event_id)
    await desk.done("anna", "!note rings the bell twice", thread=card.event_id)
    told = await desk.told("ben", f"!show {number}")
    assert re.search(r"📝 .* · Anna\n> rings the bell twice\n\n.* · over the API\n> First words", told.body)
    assert "just talk" not in told.body
    past = await desk.told("ben", f"!history {number}")
    assert "Anna left a note · “rings the bell twice”" in past.body
    assert "> First words" in (await desk.card(number)).body
    await desk.done("anna", f"!undo {number}")
    assert "rings the bell" not in (await desk.told("ben", f"!show {number}")).body
    past = await desk.told("ben", f"!verlauf {number}")
    assert "rings the bell" not in past.body
    assert past.body.index("Anna left a note") < past.body.index("Anna undid the last change")


async def test_tasks_from_the_first_to_the_close(desk: Desk) -> None:
    number = await desk.file()
    card = await desk.card(number)
    await desk.done("anna", "!task add get a power supply", thread=card.event_id)
    await desk.done("ben", f"!task {number} add wipe the disk")
    await desk.done("ben", f"!aufgabe neu {number} call back")
    await desk.card(number, "☑️ Tasks 0/3")
    await desk.done("anna", "!task done 1 3", thread=card.event_id)
    await desk.card(number, "☑️ Tasks 2/3")
    refused = await desk.told("anna", f"!close {number}")
    assert "⬜ 2. wipe the disk" in refused.body
    listed = await desk.told("anna", "!task", thread=card.event_id)
    lines = ["☑️ 1. get a power supply", "⬜ 2. wipe the disk", "☑️ 3. call back"]
    assert listed.body.splitlines() == [f"Tasks of #{number}: 2/3", *(f"• {line}" for line in lines)]
    # The command that the refusal offers is one that works.
    (command,) = re.findall(r"!task done .*", refused.body)
    await desk.done("anna", command, thread=card.event_id)
    await desk.card(number, "☑️ Tasks 3/3")
    await desk.done("anna", f"!undo {number}")
    await desk.card(number, "🟢", "☑️ Tasks 2/3")
    await desk.done("anna", command)
    await desk.done("anna", f"!close {number}")
    assert lines[0] in (await desk.told("anna", f"!show {number}")).body


async def test_a_mistyped_task_is_helped(desk: Desk) -> None:
    number = await desk.file()
    told = await desk.told("anna", f"!task {number} dnoe 1")
    assert "Did you mean done?" in told.body
    assert "!task add|done|list" in told.body
    shown = await desk.told("anna", "!help task")
    for form in ("!task add [number] <text>", "!task done [number] <task …>", "!task list [number]"):
        assert form in shown.body
    assert "#" + str(number) in (await desk.told("anna", f"!task done {number} 7")).body


async def test_the_same_persons_tickets_name_each_other_and_become_one(desk: Desk) -> None:
    mail = {"email": "Robin.Roe@example.org", "name": "Robin Roe"}
    elsewhere = await desk.file(region="berlin", **mail)
    first = await desk.file(message="the first", **mail)
    await desk.card(first)
    second = await desk.file(message="the second", **{**mail, "email": "robin.roe@EXAMPLE.org"})
    new = await desk.card(second, f"Also from this person: #{first} (Open)", f"!merge {second} {first}")
    old = await desk.card(first, f"Also from this person: #{second} (Open)")
    assert f"{old.event_id}" in (new.formatted_body or "").replace("%24", "$")
    assert f"#{elsewhere}" not in new.body
    await desk.done("anna", f"!task add {second} call back")
    await desk.done("ben", f"!merge {first}", thread=new.event_id)
    source = await desk.card(second, "✅", f"merged into #{first}")
    assert old.event_id in (source.formatted_body or "").replace("%24", "$")
    target = await desk.card(first, "🟢", f"merged with #{second}", "☑️ Tasks 0/1", "> the first")
    assert "Also from" not in target.body
    shown = (await desk.told("anna", f"!show {first}")).body
    assert shown.index("> the second") < shown.index("> the first")
    assert f"Ben merged the ticket with #{second}" in (await desk.told("anna", f"!history {first}")).body
    await _write(desk, second, "where does this go")
    await desk.hears("freiburg", "where does this go", f"#{first}", thread=target.event_id)
    assert f"#{second} was merged into #{first}" in (await desk.told("anna", f"!take {second}")).body


async def test_a_merge_is_taken_back(desk: Desk) -> None:
    first = await desk.file(message="the first", email="back@example.org")
    second = await desk.file(message="the second", email="back@example.org")
    other = await desk.file(name="Toni Moe")
    refused = await desk.told("anna", f"!merge {first} {other}")
    assert "Kim Doe" in refused.body
    assert "Toni Moe" in refused.body
    assert f"!merge {first} {other} --force" in refused.body
    await desk.done("anna", f"!task add {second} call back")
    await desk.done("anna", f"!merge {first} {second}")
    await desk.card(second, "merged into")
    await desk.done("anna", f"!undo {second}")
    await desk.card(second, "🟢", "☑️ Tasks 0/1", "> the second", f"Also from this person: #{first} (Open)")
    card = await desk.card(first, f"Also from this person: #{second} (Open)")
    assert "merged" not in card.body
    assert "the second" not in (await desk.told("anna", f"!show {first}")).body


async def _write(desk: Desk, number: int, text: str) -> None:
    desk.filed.add(text)
    status, _ = await desk.post(f"/api/tickets/{number}/messages", {"message": text})
    assert status == 201
