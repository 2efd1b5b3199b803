"""The corpus of mails in ``tests/mails``; everybody in it is made up."""

from pathlib import Path
from typing import Final

from bot.domain.incoming import Mail
from bot.intake.email.reading import Limits, read_mail

FOLDER: Final = Path(__file__).parent / "mails"
LIMITS: Final = Limits(max_attachment=1024 * 1024, max_attachments=5)


def raw(name: str) -> bytes:
    """A mail's bytes."""
    return (FOLDER / f"{name}.eml").read_bytes()


def mail(name: str, limits: Limits = LIMITS) -> Mail:
    """A mail as it is read."""
    return read_mail(raw(name), limits)


def names() -> list[str]:
    """All of them."""
    return sorted(file.stem for file in FOLDER.glob("*.eml"))
