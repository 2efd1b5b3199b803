"""Pictures are drawn whatever the numbers and names are."""

import json
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.charts.drawing import draw
from bot.charts.picture import Picture
from bot.charts.sheet import Sheet, writable
from bot.presentation import Names, Renderer
from bot.services.views import StatsView
from tests.stats_data import NOTHING, numbers, stats

HOSTILE = ["$x^2$ \\frac{1}{0} 100$", "🎉🎉", "東京", "W" * 5000, "a\nb\u202ec\x00\ud800", "", "<b>&amp;"]


def picture(view: StatsView, name: str = "Freiburg", language: str = "de") -> Picture:
    renderer = Renderer(Names(teams={"freiburg": name, "berlin": "Berlin"}))
    found = renderer.picture(view, language, ZoneInfo("Europe/Berlin"))
    assert found is not None
    return found[1]


def size_of(png: bytes) -> tuple[int, int]:
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        image.load()
        return image.size


@pytest.mark.parametrize("language", ["de", "en"])
def test_one_team_fits_on_a_phone(language: str) -> None:
    width, height = size_of(draw(picture(stats("freiburg"), language=language)))
    assert width == 1080
    assert 1.2 < height / width < 1.6


def test_several_teams_fit_on_a_phone_as_well() -> None:
    width, height = size_of(draw(picture(stats("freiburg", "berlin", "munich", "cologne", "hamburg", None))))
    assert width == 1080
    assert height / width < 2.2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_teams_name_may_be_anything(name: str) -> None:
    """As a title, among several teams, and in their finding; warnings are errors here."""
    first = {"freiburg": numbers(waiting=(50, 0, 0, 0)), "berlin": numbers()}
    assert size_of(draw(picture(stats("freiburg"), name)))[0] == 1080
    assert size_of(draw(picture(stats(**first), name)))[0] == 1080


@pytest.mark.parametrize(
    ("words", "instead", "expected"),
    [
        ("Köln 🎉 $5$", "koeln", "Köln $5$"),
        ("東京", "tokyo", "tokyo"),
        ("東京 Team", "tokyo", "Team"),
        ("a\n\u202eb\tc", "", "a b c"),
        ("🎉", "🎉", ""),
    ],
)
def test_what_no_font_can_write_is_left_out(words: str, instead: str, expected: str) -> None:
    assert writable(words, instead) == expected


def test_signs_of_mathematics_are_signs_like_others() -> None:
    """Read as a formula, this one would be far narrower than it is long, or an error."""
    sheet = Sheet("#000000")
    assert sheet.width("$\\frac{1}{2}$", 30) > sheet.width("frac12", 30)


counts = st.integers(0, 10**6)
twelve = st.tuples(*[counts] * 12)


@settings(max_examples=8, deadline=None)
@given(twelve, twelve, st.tuples(*[counts] * 4), st.booleans())
def test_any_numbers_can_be_drawn(
    opened: tuple[int, ...], closed: tuple[int, ...], waiting: tuple[int, ...], several: bool
) -> None:
    each = numbers(opened=opened, closed=closed, done=sum(closed), waiting=waiting)
    view = stats(freiburg=each, **({"berlin": NOTHING} if several else {}))
    assert size_of(draw(picture(view)))[0] == 1080


def test_what_is_drawn_survives_json() -> None:
    for view in (stats("freiburg"), stats("freiburg", "berlin")):
        drawn = picture(view)
        assert Picture.from_json(json.loads(json.dumps(drawn.to_json()))) == drawn


def test_a_line_is_cut_where_there_is_no_room() -> None:
    sheet = Sheet("#000000")
    short = sheet.short("W" * 100, 30, 400)
    assert short.endswith("…")
    assert sheet.width(short, 30) <= 400
    assert sheet.short("short", 30, 400) == "short"


def test_a_text_is_broken_into_lines_of_about_the_same_length() -> None:
    sheet = Sheet("#000000")
    lines = sheet.lines("one two three four five six seven", 40, 300)
    assert len(lines) > 1
    assert " ".join(lines) == "one two three four five six seven"
    assert all(sheet.width(line, 40) <= 300 for line in lines)


def test_nobody_waiting_makes_a_shorter_picture() -> None:
    empty = numbers(waiting=(0,) * 4)
    assert size_of(draw(picture(stats(freiburg=empty))))[1] < size_of(draw(picture(stats("freiburg"))))[1]
