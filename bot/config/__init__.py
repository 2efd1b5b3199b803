"""Typed config: a YAML file with the environment over it; unknown keys are refused, secrets never shown.

The environment is read here and not by pydantic-settings: that skips variables it does not know, reads the
process's own environment only, and cannot tell which variable an error came from.
"""

from bot.config.loading import load
from bot.config.model import Config
from bot.config.problems import ConfigError, Problem
from bot.config.schema import json_schema
from bot.config.sections import Digest, Form, Intake, Logging, Matrix, Metrics, Rooms, Team, Topic
from bot.config.values import Language, LocalNames

__all__ = [
    "Config",
    "ConfigError",
    "Digest",
    "Form",
    "Intake",
    "Language",
    "LocalNames",
    "Logging",
    "Matrix",
    "Metrics",
    "Problem",
    "Rooms",
    "Team",
    "Topic",
    "json_schema",
    "load",
]
