"""What a running bot does not load, and how libraries come to do without it."""

import subprocess
import sys
import types
from importlib import import_module

import pytest

from bot.lean import hollow, without

HEAVY = {
    "alembic", "cffi", "h2", "matplotlib", "nh3", "nio.crypto.olm_machine", "psycopg", "rich",
    "sqlalchemy.dialects.postgresql", "twisted",
}  # fmt: skip


def test_a_bot_on_sqlite_does_not_load_what_it_has_no_use_for() -> None:
    program = "import sys; import bot.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "bot.app" in loaded
    assert loaded & HEAVY == set()


def test_a_hollow_module_has_nothing_in_it_and_is_gone_afterwards() -> None:
    real = import_module("email.charset")
    with hollow("email", "email.charset"):
        assert import_module("email.charset") is not real
        assert not hasattr(import_module("email"), "message_from_bytes")
        assert isinstance(sys.modules["email"].charset, types.ModuleType)
    assert import_module("email.charset") is real
    with hollow("never.heard.of"):
        assert sys.modules["never.heard.of"].__name__ == "never.heard.of"
    with pytest.raises(ModuleNotFoundError):
        import_module("never.heard.of")


def test_without_a_package_its_import_fails_and_works_again_afterwards() -> None:
    real = import_module("colorsys")
    with without("colorsys"), pytest.raises(ImportError):
        import_module("colorsys")
    assert import_module("colorsys") is real
