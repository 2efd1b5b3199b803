"""Marks a text for translation where it is declared, without translating it yet."""


def N_(text: str) -> str:  # noqa: N802 - gettext's customary name, known to its extractors
    """Return the text unchanged; message extraction finds the call and puts the text into the catalogs."""
    return text
