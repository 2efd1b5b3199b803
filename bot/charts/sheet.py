"""A sheet to draw on, in pixels from its upper left corner; the only module that imports matplotlib."""

import unicodedata
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.patches import FancyBboxPatch, Rectangle

WIDTH: Final = 1080
MARGIN: Final = 60
INNER: Final = WIDTH - 2 * MARGIN
_DPI: Final = 72
"""Then a point is a pixel."""
_FONTS: Final = Path(mpl.get_data_path()) / "fonts" / "ttf"
_LONGEST: Final = 200
"""Characters of a text; no line has room for more."""
Side = Literal["left", "center", "right"]


@lru_cache
def _font(*, bold: bool) -> str:
    """The font that matplotlib brings: a picture looks the same on every machine."""
    return str(_FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))


def writable(words: str, instead: str = "") -> str:
    """The words without what the font cannot write, such as emoji; if nothing is left, others."""
    font = get_font(_font(bold=True))
    clean = "".join(
        " " if char.isspace() else char for char in unicodedata.normalize("NFC", words[:_LONGEST])
    )
    kept = "".join(
        char for char in clean if unicodedata.category(char)[0] != "C" and font.get_char_index(ord(char))
    )
    return " ".join(kept.split()) or (writable(instead) if instead else "")


class Sheet:
    """Grows downwards: what is drawn next begins at ``y``."""

    def __init__(self, background: str) -> None:
        self.y = 0.0
        self._figure = Figure(figsize=(WIDTH / _DPI, WIDTH / _DPI), dpi=_DPI, facecolor=background)
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0, 0, 1, 1))
        self._axes.set_axis_off()
        self._axes.set_xlim(0, WIDTH)

    def width(self, words: str, size: float, *, bold: bool = False) -> float:
        """Of the words on one line."""
        properties = FontProperties(fname=_font(bold=bold), size=size)
        renderer = self._canvas.get_renderer()  # type: ignore[no-untyped-call]
        return float(renderer.get_text_width_height_descent(words, properties, ismath=False)[0])

    def short(self, words: str, size: float, room: float, *, bold: bool = False) -> str:
        """As much of the words as there is room for."""
        if self.width(words, size, bold=bold) <= room:
            return words
        while words and self.width(f"{words}…", size, bold=bold) > room:
            words = words[:-1].rstrip()
        return f"{words}…"

    def lines(self, words: str, size: float, room: float, *, bold: bool = False) -> list[str]:
        """The words broken into lines for which there is room."""
        lines = [""]
        for word in words.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if self.width(longer, size, bold=bold) <= room or not lines[-1]:
                lines[-1] = longer
            else:
                lines.append(word)
        return [self.short(line, size, room, bold=bold) for line in lines]

    def write(
        self,
        words: str,
        x: float,
        y: float,
        size: float,
        color: str,
        *,
        bold: bool = False,
        side: Side = "left",
    ) -> None:
        """One line, its baseline at ``y``; signs of mathematics are signs like others."""
        self._axes.text(
            x,
            y,
            words,
            color=color,
            ha=side,
            va="baseline",
            parse_math=False,
            fontproperties=FontProperties(fname=_font(bold=bold), size=size),
        )

    def paragraph(self, words: str, size: float, color: str, *, bold: bool = False) -> None:
        """Lines of about the same length from ``y`` on; goes on below them."""
        room = float(INNER)
        lines = self.lines(words, size, room, bold=bold)
        while len(lines) > 1 and room > INNER / 2:
            room -= 20
            shorter = self.lines(words, size, room, bold=bold)
            if len(shorter) > len(lines) or any(line.endswith("…") for line in shorter):
                break
            lines = shorter
        for line in lines:
            self.y += size * 1.3
            self.write(line, MARGIN, self.y - size * 0.25, size, color, bold=bold)

    def box(self, x: float, y: float, width: float, height: float, color: str, round_by: float = 0) -> None:
        """A filled box, its upper left corner at ``x``, ``y``."""
        if width <= 0 or height <= 0:
            return
        bend = min(round_by, width / 2, height / 2)
        if bend:
            style = f"round,pad=0,rounding_size={bend}"
            self._axes.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=style, color=color, lw=0))
        else:
            self._axes.add_patch(Rectangle((x, y), width, height, color=color, lw=0))

    def outline(self, x: float, y: float, width: float, height: float, color: str, pen: float = 4) -> None:
        """A box that is hollow: something that is not finished."""
        if height > 0:
            inner = (width - pen, max(height - pen, 0))
            at = (x + pen / 2, y + pen / 2)
            self._axes.add_patch(Rectangle(at, *inner, fill=False, edgecolor=color, lw=pen))

    def rule(self, y: float, color: str, left: float = MARGIN) -> None:
        """A thin line to the right margin, behind everything else."""
        self._axes.plot([left, WIDTH - MARGIN], [y, y], color=color, lw=2, zorder=0)

    def png(self) -> bytes:
        """The sheet as it is, cut below ``y``."""
        height = round(self.y)
        self._figure.set_size_inches(WIDTH / _DPI, height / _DPI)
        self._axes.set_ylim(height, 0)
        with BytesIO() as file:
            self._figure.savefig(file, format="png", dpi=_DPI, facecolor=self._figure.get_facecolor())
            return file.getvalue()
