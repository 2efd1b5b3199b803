"""The one door of the presentation: views and errors in, messages out."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from bot.charts.picture import Picture
from bot.domain.errors import InvalidInput, Refusal, UsageError
from bot.presentation.alerts import render_alert
from bot.presentation.cards import render_card
from bot.presentation.helps import render_help
from bot.presentation.language import Language
from bot.presentation.lists import render_list
from bot.presentation.message import Message
from bot.presentation.pictures import picture_of
from bot.presentation.refusals import render_outcome, render_refusal
from bot.presentation.stats import render_caption, render_stats
from bot.presentation.statuses import render_status
from bot.presentation.tickets import render_history, render_opened, render_ticket
from bot.presentation.usages import render_input, render_usage
from bot.presentation.world import Names, Setting
from bot.services.views import (
    Alert,
    CardView,
    HelpView,
    HistoryView,
    ListView,
    OpenedView,
    StatsView,
    StatusView,
    TicketView,
)

Answer = ListView | TicketView | HistoryView | OpenedView | HelpView | StatusView | StatsView
Problem = Refusal | UsageError | InvalidInput
NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Renderer:
    """Renders for a room: in its language (a code of ``LANGUAGES``) and its time zone.

    Pure: it keeps the config's names and nothing else.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def card(self, view: CardView, language: str, zone: ZoneInfo) -> Message:
        """A ticket's card; ``edit_content`` makes the event of a later edit from it."""
        return render_card(view, self._setting(language, zone))

    def alert(self, alert: Alert, language: str, zone: ZoneInfo) -> Message:
        """What the bot says of its own accord."""
        return render_alert(alert, self._setting(language, zone))

    def answer(self, view: Answer, language: str, zone: ZoneInfo, now: datetime) -> Message:
        """The answer to a command that asked for something, as a notice."""
        setting = self._setting(language, zone)
        match view:
            case ListView():
                return render_list(view, setting, now)
            case StatusView():
                return render_status(view, setting, now)
            case TicketView():
                return render_ticket(view, setting)
            case HistoryView():
                return render_history(view, setting)
            case OpenedView():
                return render_opened(view, setting)
            case HelpView():
                return render_help(view, setting)
            case StatsView():
                return render_stats(view, setting)

    def picture(self, view: StatsView, language: str, zone: ZoneInfo) -> tuple[Message, Picture] | None:
        """What to draw for the numbers, and that in words; ``None`` if there is nothing to see."""
        setting = self._setting(language, zone)
        if view.together.empty:
            return None
        return render_caption(view, setting), picture_of(view, setting)

    def problem(
        self, error: Problem, language: str, zone: ZoneInfo, people: Mapping[str, str] = NOBODY
    ) -> Message:
        """Why a command did nothing, and what would work, as a notice. ``people``: user id → name."""
        setting = self._setting(language, zone, people)
        match error:
            case Refusal():
                return render_refusal(error, setting)
            case UsageError():
                return render_usage(error, setting)
            case InvalidInput():
                return render_input(error, setting)

    def outcome(
        self,
        done: tuple[int, ...],
        refused: tuple[Refusal, ...],
        language: str,
        zone: ZoneInfo,
        people: Mapping[str, str] = NOBODY,
    ) -> Message:
        """What became of a command over several numbers, as one notice. ``people``: user id → name."""
        return render_outcome(done, refused, self._setting(language, zone, people))

    def _setting(self, language: str, zone: ZoneInfo, people: Mapping[str, str] = NOBODY) -> Setting:
        return Setting(self._names, Language(language), zone, people)
