"""What `stats` says in words, and what it has drawn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.charts.picture import Picture
from bot.presentation import Message, Names, Renderer, image_content
from bot.presentation.message import size
from bot.presentation.pictures import ROWS
from bot.services.views import Numbers, StatsView
from tests.stats_data import NOTHING, numbers, stats

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RENDERER = Renderer(Names(teams={"freiburg": "Freiburg", "berlin": "Berlin <3"}))


def text(view: StatsView, language: str = "de") -> Message:
    return RENDERER.answer(view, language, ZONE, NOW)


def picture(view: StatsView, language: str = "de") -> tuple[Message, Picture]:
    found = RENDERER.picture(view, language, ZONE)
    assert found is not None
    return found


def test_all_numbers_as_text() -> None:
    lines = text(stats("freiburg")).body.splitlines()
    assert lines[:7] == [
        "Freiburg · 12 Wochen: 07.09. bis 25.11.2026",
        "Es kam mehr, als geschlossen wurde: 48 neu, 37 geschlossen.",
        "Die Hälfte war nach 11 Tagen fertig.",
        "Jetzt: 5 offen, 4 in Bearbeitung.",
        "17 warten, 2 davon über 3 Monate.",
        "Das älteste wartet seit 134 Tagen "
        "(unter 2 Wochen: 5, 2 bis 4 Wochen: 3, 1 bis 3 Monate: 7, über 3 Monate: 2).",
        "3 Spam-Tickets sind nicht mitgezählt.",
    ]
    assert lines[7] == "07.09. · 3 neu · 2 geschlossen"
    assert lines[-1] == "23.11. (diese Woche bisher) · 2 neu · 1 geschlossen"
    assert len(lines) == 7 + 12


def test_several_teams_are_told_one_by_one_and_together() -> None:
    whole = numbers(opened=(8,) * 12, done=93)
    body = text(stats("freiburg", "berlin", None, together=whole), "en").body
    assert body.startswith(
        "All teams · 12 weeks: 7 Sept to 25 Nov 2026\nAbout as much closed as came in: 96 new"
    )
    assert "\n\nTeam by team\nFreiburg\n" in body
    for name in ("Freiburg", "Berlin <3", "Triage"):
        assert f"\n{name}\nMore came in than was closed: 48 new, 37 closed." in body
    assert body.count("New per week: 3, 5, 2, 6, 4, 1, 3, 7, 5, 4, 6, 2 (this week so far)") == 3


def test_a_persons_own_teams_are_not_called_all() -> None:
    view = replace(stats("freiburg", "berlin"), everything=False)
    assert text(view).body.startswith("Deine Teams · ")


def test_the_caption_says_in_words_what_the_picture_shows() -> None:
    caption, drawn = picture(stats("freiburg"), "en")
    for words in (
        drawn.title, drawn.period, drawn.weeks.finding, drawn.weeks.opened_words, drawn.weeks.closed_words,
        *drawn.weeks.notes, drawn.ages.finding, *drawn.ages.notes, "5 open, 4 in progress",
        "Closed per week: 2, 3, 4, 2, 5, 3, 2, 3, 6, 4, 3, 1 (this week so far)", "!stats --text",
    ):  # fmt: skip
        assert words in caption.body
    assert len(caption.body.splitlines()) < 15


def test_the_caption_of_several_teams_has_a_line_for_each() -> None:
    caption, _ = picture(stats("freiburg", "berlin"))
    line = "Berlin <3: 48 neu, 37 geschlossen, 5 offen, 4 in Bearbeitung, 17 auf der Warteliste"
    assert f"• {line}" in caption.body.splitlines()
    assert "Berlin &lt;3" in caption.formatted_body


def test_a_picture_is_a_message_of_its_own_sort_with_a_caption() -> None:
    caption, _ = picture(stats("freiburg"))
    content = image_content(caption, "stats.png")
    assert (content["msgtype"], content["filename"], content["m.mentions"]) == ("m.image", "stats.png", {})
    assert content["body"] == caption.body


def test_a_caption_of_very_many_teams_fits_into_an_event() -> None:
    caption, _ = picture(stats(*(f"<&{index}>" * 40 for index in range(500))))
    content = image_content(caption, "stats.png")
    assert size(content) < 50 * 1024
    assert "… und noch 45" in caption.body


def test_nothing_is_told_in_a_sentence_without_a_picture() -> None:
    view = stats(freiburg=NOTHING)
    assert RENDERER.picture(view, "de", ZONE) is None
    expected = "Freiburg: keine Tickets in den letzten 12 Wochen, und keins wartet. 🌱"
    assert text(view).body == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"opened": (0,) * 11 + (2,), "done": 1}, "More came in than was closed"),
        ({"opened": (0,) * 11 + (1,), "done": 2}, "More was closed than came in"),
        ({"opened": (0,) * 11 + (40,), "done": 39}, "About as much closed as came in"),
        ({"opened": (0,) * 12, "done": 0}, "Nothing came in, nothing was closed"),
    ],
)
def test_the_weeks_finding(changes: dict[str, object], expected: str) -> None:
    _, drawn = picture(stats(freiburg=numbers(**changes)), "en")
    assert drawn.weeks.finding == expected


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ((0, 0, 0, 0), "The waiting list is empty"),
        ((1, 0, 0, 0), "1 waiting, none over 3 months"),
        ((1, 0, 2, 4), "7 waiting, 4 over 3 months"),
    ],
)
def test_the_waiting_lists_finding(waiting: tuple[int, ...], expected: str) -> None:
    _, drawn = picture(stats(freiburg=numbers(waiting=waiting)), "en")
    assert drawn.ages.finding == expected
    assert bool(drawn.ages.notes) == any(waiting)


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        (timedelta(minutes=5), "within 1 hour"),
        (timedelta(hours=1, seconds=1), "within 2 hours"),
        (timedelta(hours=48), "within 48 hours"),
        (timedelta(hours=49), "within 3 days"),
        (timedelta(days=11), "within 11 days"),
    ],
)
def test_how_long_it_took(took: timedelta, expected: str) -> None:
    assert f"Half of them were closed {expected}." in text(stats(freiburg=numbers(took=took)), "en").body


def test_the_longest_waiting_list_stands_first() -> None:
    _, drawn = picture(stats("freiburg", berlin=numbers(waiting=(30, 0, 0, 0))))
    assert drawn.teams is not None
    assert [row.name for row in drawn.teams.rows] == ["Berlin <3", "Freiburg"]
    assert drawn.teams.finding == "Die meisten warten bei Berlin <3"
    _, alike = picture(stats("freiburg", "berlin"))
    assert alike.teams is not None
    assert alike.teams.finding == "Team für Team"


def test_more_teams_than_fit_are_counted() -> None:
    keys = [f"team{index}" for index in range(ROWS + 3)]
    _, drawn = picture(stats(*keys))
    assert drawn.teams is not None
    assert len(drawn.teams.rows) == ROWS - 1
    assert drawn.teams.more == "… und 4 weitere Teams, bei denen 68 warten"
    _, just = picture(stats(*keys[:ROWS]))
    assert just.teams is not None
    assert (len(just.teams.rows), just.teams.more) == (ROWS, "")


def test_numbers_that_the_picture_needs() -> None:
    whole: Numbers = numbers()
    _, drawn = picture(stats("freiburg"))
    assert [tile.number for tile in drawn.tiles] == ["5", "4", "17"]
    assert (drawn.weeks.opened, drawn.weeks.closed) == (whole.opened, whole.closed)
    assert (drawn.title_key, drawn.teams) == ("freiburg", None)
