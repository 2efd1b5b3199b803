"""Compiles the catalogs into the built package, and puts the example config into it, which `init` fills in.

All else about the package stands in pyproject.toml.
"""

import shutil
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from setuptools import setup
from setuptools.command.build_py import build_py

EXAMPLE = "config.example.yaml"


class BuildWithCatalogs(build_py):
    """Puts a ``.mo`` where the source has a ``.po``. An editable install keeps to the source."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for source in Path(self.build_lib, "bot", "locale").glob("*/LC_MESSAGES/*.po"):
                self._compile(source)
            shutil.copy(EXAMPLE, self._example)

    @property
    def _example(self) -> str:
        return str(Path(self.build_lib, "bot", "setup", EXAMPLE))

    @staticmethod
    def _compile(source: Path) -> None:
        with source.open("rb") as po, source.with_suffix(".mo").open("wb") as mo:
            write_mo(mo, read_po(po, locale=source.parts[-3], abort_invalid=True))
        source.unlink()

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs = super().get_outputs(include_bytecode)
        compiled = [str(Path(each).with_suffix(".mo")) if each.endswith(".po") else each for each in outputs]
        return compiled if self.editable_mode else [*compiled, self._example]


setup(cmdclass={"build_py": BuildWithCatalogs})
