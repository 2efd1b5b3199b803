"""What commands print, with Rich: it is imported with the first line, and a bot that runs prints none."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console as RichConsole


class Console:
    """Standard output, or standard error."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr

    def print(self, *said: Any, **how: Any) -> None:  # noqa: ANN401
        """As Rich's console does."""
        self.rich.print(*said, **how)

    @cached_property
    def rich(self) -> "RichConsole":
        """Rich's console itself."""
        from rich.console import Console as RichConsole

        return RichConsole(stderr=self._stderr)


def escape(text: str) -> str:
    """A text that Rich is to show as it is."""
    from rich.markup import escape as escaped

    return escaped(text)
