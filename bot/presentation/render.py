"""The one door of the presentation: views and errors in, messages out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.charts.picture import Picture
from bot.domain.errors import InvalidInput, Refusal, UsageError
from bot.presentation.alerts import render_alert
from bot.presentation.cards import render_card
from bot.presentation.helps import render_help, render_statuses, render_talk
from bot.presentation.language import Language
from bot.presentation.letters import render_canned
from bot.presentation.lists import render_list
from bot.presentation.message import Message
from bot.presentation.pictures import picture_of
from bot.presentation.prompts import render_closed, render_confirm
from bot.presentation.refusals import render_outcome, render_refusal
from bot.presentation.rooms import render_answered, render_begun
from bot.presentation.searches import render_search
from bot.presentation.stats import render_caption, render_stats
from bot.presentation.statuses import render_status
from bot.presentation.tasks import render_tasks
from bot.presentation.tickets import (
    render_forwarded,
    render_history,
    render_next,
    render_opened,
    render_ticket,
)
from bot.presentation.usages import render_input, render_usage
from bot.presentation.world import Names, Setting
from bot.services.letter_views import CannedView
from bot.services.list_views import ListView, NextView, SearchView
from bot.services.views import (
    Alert,
    CardView,
    ConfirmView,
    ForwardedView,
    HelpView,
    HistoryView,
    OpenedView,
    Person,
    PromptClosed,
    RoomMoveAnswered,
    RoomMoveBegun,
    StatsView,
    StatusesView,
    StatusView,
    TalkView,
    TasksView,
    TicketView,
)

Answer = (
    ListView
    | SearchView
    | NextView
    | TicketView
    | TasksView
    | HistoryView
    | OpenedView
    | ForwardedView
    | HelpView
    | StatusesView
    | TalkView
    | StatusView
    | StatsView
    | ConfirmView
    | PromptClosed
    | RoomMoveAnswered
    | RoomMoveBegun
    | CannedView
)
_DATED: Final[Mapping[type, Callable[[Any, Setting, datetime], Message]]] = MappingProxyType(
    {ListView: render_list, NextView: render_next, StatusView: render_status}
)
"""How each answer is shown whose text depends on when it is read."""
_TIMELESS: Final[Mapping[type, Callable[[Any, Setting], Message]]] = MappingProxyType(
    {
        SearchView: render_search,
        TicketView: render_ticket,
        TasksView: render_tasks,
        HistoryView: render_history,
        OpenedView: render_opened,
        ForwardedView: render_forwarded,
        HelpView: render_help,
        StatusesView: render_statuses,
        TalkView: render_talk,
        StatsView: render_stats,
        ConfirmView: render_confirm,
        PromptClosed: render_closed,
        RoomMoveAnswered: render_answered,
        RoomMoveBegun: render_begun,
        CannedView: render_canned,
    }
)
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
        if type(view) in _DATED:
            return _DATED[type(view)](view, setting, now)
        return _TIMELESS[type(view)](view, setting)

    def picture(self, view: StatsView, language: str, zone: ZoneInfo) -> tuple[Message, Picture] | None:
        """What to draw for the numbers, and that in words; ``None`` if there is nothing to see."""
        setting = self._setting(language, zone)
        if view.together.empty:
            return None
        return render_caption(view, setting), picture_of(view, setting)

    def problem(
        self,
        error: Problem,
        language: str,
        zone: ZoneInfo,
        people: Mapping[str, str] = NOBODY,
        to: Person | None = None,
    ) -> Message:
        """Why a command did nothing, and what would work, as a notice. ``people``: user id → name.

        A refusal is addressed ``to`` whoever tapped: it is a reply to nothing that they wrote.
        """
        setting = self._setting(language, zone, people)
        match error:
            case Refusal():
                return render_refusal(error, setting, to)
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
