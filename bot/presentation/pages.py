"""Long answers page by page: which part this is, and how to get the next."""

from bot.presentation.document import Block, Bold, Inline, Span, Text, paragraph, sentence, span
from bot.presentation.world import Setting
from bot.services.views import Paged


def titled(title: Inline, view: Paged, shown: int, setting: Setting) -> Bold:
    """A title with how many there are, or with the part of them that stands below it."""
    return Bold(span(title, Text(" ("), _part(view, shown, setting), Text(")")))


def _part(view: Paged, shown: int, setting: Setting) -> Span:
    """``8``, ``11–20 of 34`` or ``11–20 of more than 1,000``."""
    language = setting.language
    total = Text(language.number(view.total))
    if view.beyond:
        template = language.gettext("{part} of more than {total}")
    elif view.before or view.next_page is not None:
        template = language.gettext("{part} of {total}")
    else:
        return span(total)
    first, last = view.before + 1, view.before + shown
    part = f"{language.number(first)}–{language.number(last)}" if last > first else language.number(first)
    return sentence(template, part=Text(part), total=total)


def next_page(view: Paged, setting: Setting) -> tuple[Block, ...]:
    """The last line of a page that is not the last one."""
    if view.next_page is None:
        return ()
    text = setting.language.gettext("▶️ or {more}: the next ones")
    return (paragraph(sentence(text, more=setting.command("more"))),)


def past_the_end(setting: Setting) -> Block:
    """What stands on a page that has become empty since the one before was shown."""
    return paragraph(Text(setting.language.gettext("There are no more.")))
