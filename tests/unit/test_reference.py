"""The command reference is what the declarations say."""

from pathlib import Path

from bot.commands.reference import reference

REFERENCE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_reference_in_docs_is_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), (
        "run: python -m bot.commands.reference > docs/commands.md"
    )
