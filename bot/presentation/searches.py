"""What a search found: each ticket with the place that was found, in bold where clients show it."""

from bot.presentation.cards import SUBJECT_LIMIT
from bot.presentation.document import (
    Block,
    Inline,
    Italic,
    Marked,
    Paragraph,
    Sections,
    Text,
    joined,
    paragraph,
    sentence,
)
from bot.presentation.message import Message, fit
from bot.presentation.outside import clip
from bot.presentation.pages import next_page, past_the_end, titled
from bot.presentation.world import Setting, line_number
from bot.services.list_views import HitView, SearchView


def render_search(view: SearchView, setting: Setting) -> Message:
    """The tickets that were found, or what else to try.

    What was typed is not repeated: it may be a requester's name, and the answer outlives their ticket.
    """
    gettext = setting.language.gettext
    if not view.hits:
        return fit((_nothing(view, setting),), notice=True)
    title = titled(Text(gettext("Found")), view, len(view.hits), setting)
    sections = tuple((_hit(hit, view, setting),) for hit in view.hits)
    hint: tuple[Block, ...] = ()
    if view.beyond:
        hint = (paragraph(Text(gettext("There are more, older ones. One more word narrows it down."))),)
    found = Sections(sections, setting.language.more)
    return fit((paragraph(title), found, *hint, *next_page(view, setting)), notice=True)


def _nothing(view: SearchView, setting: Setting) -> Block:
    gettext = setting.language.gettext
    if view.before:
        return past_the_end(setting)
    if not view.query.terms:
        example = setting.command(gettext("!search laptop camera"))
        return paragraph(sentence(gettext("I need a word to search for: {example}"), example=example))
    return paragraph(
        Text(gettext("Nothing found.")),
        Text(gettext("All words must be there, but their last letters may be missing.")),
    )


def _hit(hit: HitView, view: SearchView, setting: Setting) -> Paragraph:
    """Number, subject and status; below it where else a word was found."""
    line, places = hit.line, view.query.places
    parts: list[Inline | str] = [
        line_number(line, setting),
        Marked(clip(line.subject, SUBJECT_LIMIT), places),
        setting.status(line.status),
    ]
    if view.show_team:
        parts.append(setting.team(line.team))
    found: list[Inline] = []
    if hit.name is not None:
        name = Marked(clip(hit.name, SUBJECT_LIMIT), places)
        found.append(sentence(setting.language.gettext("From: {value}"), value=name))
    if hit.excerpt is not None:
        found.append(Italic(Marked(clip(hit.excerpt, SUBJECT_LIMIT), places)))
    return paragraph(joined(" · ", parts), *found)
