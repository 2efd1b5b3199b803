"""The commands as they are declared."""

from datetime import UTC, datetime

from bot.commands.declarations import build_registry
from bot.services.status import Program

REGISTRY = build_registry(Program("", datetime.min.replace(tzinfo=UTC), ""), "!")
