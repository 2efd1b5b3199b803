"""Draws a picture that reads on a phone: large words, few colours, and each label beside what it names."""

import math
from collections.abc import Sequence
from typing import Final

from bot.charts.picture import Ages, Picture, Row, Teams, Tile, Weeks
from bot.charts.sheet import INNER, MARGIN, WIDTH, Sheet, writable

# Colours of Okabe and Ito, which people who see colours differently can tell apart; the blue is made lighter,
# so that they differ in grey as well. The ground is dark: it does not dazzle in a dark client, and stands as
# a card in a light one.
_GROUND: Final = "#1F2A36"
_RAISED: Final = "#2B3948"
_LINE: Final = "#46586B"
_INK: Final = "#FFFFFF"
_SOFT: Final = "#C3CEDA"
_OPENED: Final = "#E69F00"
_CLOSED: Final = "#9AD6F7"
_AGES: Final = ("#6E5570", "#A0688C", "#CC79A7", "#F7C9E2")
"""The longer it has waited, the more it stands out."""

_TITLE: Final = 60
_FINDING: Final = 44
_WORDS: Final = 34
_SMALL: Final = 30
_GAP: Final = 48
_NUMBER: Final = 90
"""Room for a number behind a bar."""
_FEW: Final = 5
"""What fills the height at least: a single ticket is no tower."""
_CROWDED: Final = 10
_STEPS: Final = tuple(factor * 10**power for power in range(7) for factor in (1, 2, 5))


def draw(picture: Picture) -> bytes:
    """The picture as PNG, 1080 pixels wide; with several teams it is drawn closer, to stay on one screen."""
    sheet = Sheet(_GROUND)
    sheet.y = 40
    title = writable(picture.title, picture.title_key)
    for line in sheet.lines(title, _TITLE, INNER, bold=True)[:2]:
        sheet.y += _TITLE * 1.2
        sheet.write(line, MARGIN, sheet.y - 15, _TITLE, _INK, bold=True)
    sheet.paragraph(picture.period, _WORDS, _SOFT)
    several = picture.teams is not None
    _tiles(sheet, picture.tiles)
    _weeks(sheet, picture.weeks, 220 if several else 330)
    _ages(sheet, picture.ages, 58 if several else 76)
    if picture.teams is not None:
        _teams(sheet, picture.teams)
    sheet.y += 44
    return sheet.png()


def _heading(sheet: Sheet, finding: str) -> None:
    sheet.y += _GAP
    sheet.paragraph(writable(finding), _FINDING, _INK, bold=True)


def _tiles(sheet: Sheet, tiles: Sequence[Tile]) -> None:
    gap, height = 24, 162
    width = (INNER - gap * (len(tiles) - 1)) / len(tiles)
    sheet.y += 30
    for index, tile in enumerate(tiles):
        x = MARGIN + index * (width + gap)
        sheet.box(x, sheet.y, width, height, _RAISED, 20)
        sheet.write(tile.number, x + width / 2, sheet.y + 90, 80, _INK, bold=True, side="center")
        words = sheet.short(tile.words, _SMALL, width - 16)
        sheet.write(words, x + width / 2, sheet.y + 138, _SMALL, _SOFT, side="center")
    sheet.y += height


# --- weeks ---


def _weeks(sheet: Sheet, weeks: Weeks, height: float) -> None:
    _heading(sheet, weeks.finding)
    sheet.y += 54
    x: float = MARGIN
    for words, color in ((weeks.opened_words, _OPENED), (weeks.closed_words, _CLOSED)):
        sheet.box(x, sheet.y - 27, 30, 30, color, 6)
        sheet.write(words, x + 44, sheet.y, _WORDS, color, bold=True)
        x += 44 + sheet.width(words, _WORDS, bold=True) + 50
    _bars(sheet, weeks, height)
    sheet.y += 10
    for note in weeks.notes:
        sheet.paragraph(note, _WORDS, _SOFT)


def _bars(sheet: Sheet, weeks: Weeks, height: float) -> None:
    bottom = sheet.y + 56 + height
    most = max((*weeks.opened, *weeks.closed, _FEW))
    left = MARGIN if most < _CROWDED else _scale(sheet, bottom, height, most)
    step = (WIDTH - MARGIN - left) / len(weeks.opened)
    sheet.rule(bottom, _LINE)
    for index, pair in enumerate(zip(weeks.opened, weeks.closed, strict=True)):
        middle = left + (index + 0.5) * step
        width = step * 0.42
        for count, x, color in zip(pair, (middle - width, middle), (_OPENED, _CLOSED), strict=True):
            tall = height * count / most
            shape = sheet.box if index < len(weeks.opened) - 1 else sheet.outline
            shape(x, bottom - tall, width - 3, tall, color)
            if count and most < _CROWDED:
                at = x + width / 2 - 1, bottom - tall - 9
                sheet.write(str(count), *at, _SMALL, color, bold=True, side="center")
    sheet.y = bottom + 44
    _days(sheet, weeks, left, step)


def _scale(sheet: Sheet, bottom: float, height: float, most: int) -> float:
    """Lines to read heights by, where numbers over the bars would run into each other; gives the left end."""
    step = next(step for step in _STEPS if most / step < 5)
    marks = range(step, most + 1, step)
    left = MARGIN + max(sheet.width(str(mark), _SMALL) for mark in marks) + 18
    for mark in marks:
        y = bottom - height * mark / most
        sheet.rule(y, _LINE, left)
        sheet.write(str(mark), left - 18, y + 11, _SMALL, _SOFT, side="right")
    return left


def _days(sheet: Sheet, weeks: Weeks, left: float, step: float) -> None:
    """Dates at even distances, and the name of the last week."""
    sheet.write(weeks.unfinished, WIDTH - MARGIN, sheet.y, _SMALL, _SOFT, side="right")
    end = WIDTH - MARGIN - sheet.width(weeks.unfinished, _SMALL) - 24
    wide = max(sheet.width(day, _SMALL) for day in weeks.days)
    every = math.ceil((wide + 36) / step)
    for index in range(0, len(weeks.days), every):
        middle = left + (index + 0.5) * step
        if middle + wide / 2 <= end:
            sheet.write(weeks.days[index], middle, sheet.y, _SMALL, _SOFT, side="center")
    sheet.y += 14


# --- ages ---


def _ages(sheet: Sheet, ages: Ages, row: float) -> None:
    _heading(sheet, ages.finding)
    for note in ages.notes:
        sheet.paragraph(note, _WORDS, _SOFT)
    if not any(ages.counts):
        return
    left = MARGIN + max(sheet.width(words, _WORDS) for words in ages.words) + 24
    most = max((*ages.counts, _FEW))
    room = WIDTH - MARGIN - left - _NUMBER
    sheet.y += 20
    for words, count, color in zip(ages.words, ages.counts, _AGES, strict=True):
        long, middle = room * count / most, sheet.y + row / 2
        sheet.write(words, MARGIN, middle + 12, _WORDS, _INK)
        sheet.box(left, middle - row * 0.36, long, row * 0.72, color, 6)
        sheet.write(str(count), left + long + 14, middle + 13, 38, _INK if count else _SOFT, bold=True)
        sheet.y += row


# --- teams ---


def _teams(sheet: Sheet, teams: Teams) -> None:
    _heading(sheet, teams.finding if writable(teams.rows[0].name) else teams.plain)
    half = MARGIN + INNER / 2 + 20
    sheet.y += 44
    sheet.write(teams.weeks_words, MARGIN, sheet.y, _SMALL, _SOFT)
    sheet.write(teams.ages_words, half, sheet.y, _SMALL, _SOFT)
    sheet.y += 12
    most = max((*(count for row in teams.rows for count in (*row.opened, *row.closed)), _FEW))
    longest = max((*(sum(row.ages) for row in teams.rows), _FEW))
    for row in teams.rows:
        sheet.rule(sheet.y + 6, _RAISED)
        name = sheet.short(writable(row.name, row.key), _WORDS, INNER, bold=True)
        sheet.write(name, MARGIN, sheet.y + 46, _WORDS, _INK, bold=True)
        sheet.y += 118
        _small_bars(sheet, row, most)
        _stacked(sheet, row.ages, half, longest)
        sheet.y += 14
    if teams.more:
        sheet.y += 10
        sheet.paragraph(teams.more, _WORDS, _SOFT)


def _small_bars(sheet: Sheet, row: Row, most: int) -> None:
    """A team's weeks, in the same measure as the other teams'."""
    step = (INNER / 2 - 30) / len(row.opened)
    width = step * 0.42
    sheet.box(MARGIN, sheet.y, step * len(row.opened), 2, _LINE)
    for index, pair in enumerate(zip(row.opened, row.closed, strict=True)):
        x = MARGIN + index * step
        for count, color in zip(pair, (_OPENED, _CLOSED), strict=True):
            tall = 54 * count / most
            if index < len(row.opened) - 1:
                sheet.box(x, sheet.y - tall, width - 1, tall, color)
            else:
                sheet.outline(x, sheet.y - tall, width - 1, tall, color, 2)
            x += width


def _stacked(sheet: Sheet, ages: Sequence[int], x: float, longest: int) -> None:
    """The ages in a row, and how many wait in all."""
    room = WIDTH - MARGIN - x - _NUMBER
    for count, color in zip(ages, _AGES, strict=True):
        long = room * count / longest
        sheet.box(x, sheet.y - 48, long, 48, color)
        x += long
    total = sum(ages)
    sheet.write(str(total), x + 14, sheet.y - 11, 38, _INK if total else _SOFT, bold=True)
