"""Whatever is said in a room: it is heard as talk, or understood as a command, or refused with a reason."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from bot.commands.declarations import build_registry
from bot.commands.hearing import Hearing, Identity
from bot.commands.parser import Context, parse
from bot.commands.text import context_event
from bot.domain.errors import UsageError
from bot.matrix import clean
from bot.services.status import Program
from tests.fuzz.cases import cases
from tests.fuzz.matrix_events import CONTENTS, LINES
from tests.fuzz.rubbish import TEXTS, Pairs, Raw
from tests.integration.desk_data import BOT, START

_REGISTRY: Final = build_registry(Program("1", START, "sqlite"), "!")
_HEARING: Final = Hearing(_REGISTRY, Identity(BOT, ("Tickettruhe", "bot"), "!"))
_WORDS: Final = sorted(form for command in _REGISTRY for form in (command.name, *command.aliases))
PIECES: Final = st.sampled_from(
    [*_WORDS, *(f"!{word}" for word in _WORDS), "!", "!!", "#", "#7", "42", "41,42", "4-7", ":", "--", "—",
     "--force", "--name", "--name=", "„", "“", '"', "»", "\n", "\t", "²", "٤٢", "99999999999999999", "0",
     "@a:b", "\u2028", "="]
)  # fmt: skip
SPOKEN: Final = (
    st.lists(PIECES | TEXTS, max_size=8).map(" ".join)
    | st.lists(PIECES | TEXTS, max_size=8).map("".join)
    | LINES
)
MESSAGES: Final = CONTENTS | st.builds(lambda line: {"msgtype": "m.text", "body": line}, SPOKEN)
CONTEXTS: Final = st.sampled_from([Context(()), Context((42,)), Context((41, 42))])


def as_kept(value: Any) -> Any:
    """The content as the inbox keeps it; JSON that no parser takes is nothing by then."""
    match value:
        case Raw():
            return None
        case Pairs():
            return {key: as_kept(inner) for key, inner in value.pairs}
        case Mapping():
            return clean.content({key: as_kept(inner) for key, inner in value.items()})
        case list():
            return [as_kept(inner) for inner in value]
    return clean.content(value)


@cases(300, 0.34)
@given(content=MESSAGES, private=st.booleans(), context=CONTEXTS)
def test_anything_said_is_talk_or_a_command_or_a_usage_error(
    content: Any, private: bool, context: Context
) -> None:
    kept = as_kept(content)
    said: Mapping[str, Any] = kept if isinstance(kept, dict) else {}
    context_event(said)
    concerns = _HEARING.concerns(said, private=private)
    problem: UsageError | None = None
    try:
        line = _HEARING.command(said, private=private)
        call = None if line is None else parse(line, _REGISTRY, "!", context)
    except UsageError as error:
        line, call, problem = error.line, None, error
    assert concerns or line is None
    if problem is not None:
        assert len(problem.line) <= 120
        assert 0 <= problem.start <= len(problem.line)
    if call is not None:
        assert all(0 < number < 10**10 for number in call.numbers)
        str((call.words, call.options)).encode()
