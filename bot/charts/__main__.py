"""The drawing process: a picture's description comes in as JSON, the PNG goes out."""

import json
import os
import signal
import sys
from typing import Final

from bot.charts.drawing import draw
from bot.charts.picture import Picture

LIMIT: Final = 60
"""Seconds after which it ends by itself, should nobody be left to end it."""


def main() -> None:
    """Read, draw, write."""
    os.nice(10)
    signal.alarm(LIMIT)
    sys.stdout.buffer.write(draw(Picture.from_json(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
