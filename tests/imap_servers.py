"""Real IMAP servers for tests: pymap from PyPI, and Debian's Dovecot where it is installed.

Both keep a Maildir on disk, so that one that is killed knows its mails when it is started again.
"""

import asyncio
import getpass
import grp
import os
import shutil
import signal
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import trustme
from pysasl.hashing import BuiltinHash

from tests.desk import free_port

USER: Final = "hilfe"
PASSWORD: Final = "correct-horse"
_PATIENCE: Final = 20.0


@contextmanager
def server_folder() -> Iterator[Path]:
    """A folder that the server's own user may look into, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="imap"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


class ImapServer(ABC):
    """A server with one user; its mails survive a kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.maildir = folder / "mail"
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._delivered = 0
        for name in ("new", "cur", "tmp"):
            (self.maildir / name).mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def _command(self) -> list[str]:
        """What starts it in the foreground."""

    async def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.folder)},
        )
        async with asyncio.timeout(_PATIENCE):
            while True:
                try:
                    _reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    assert self._process.returncode is None, "the server did not start"
                    await asyncio.sleep(0.05)
                    continue
                writer.close()
                return

    async def kill(self) -> None:
        """As if the power went."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def deliver(self, data: bytes) -> None:
        """Put a mail into the inbox, as a delivery agent does."""
        self._delivered += 1
        name = f"{1_800_000_000 + self._delivered}.M{self._delivered}P1.test"
        written = self.maildir / "tmp" / name
        written.write_bytes(data)
        written.chmod(0o666)
        written.rename(self.maildir / "new" / name)

    def mails(self, folder: str = "INBOX") -> list[tuple[bytes, bool]]:
        """The mails in a folder, and whether each is marked as read; not those marked as deleted."""
        while True:
            # A server that marks a mail meanwhile gives its file another name.
            with suppress(FileNotFoundError):
                return self._listed(folder)

    def _listed(self, folder: str) -> list[tuple[bytes, bool]]:
        place = self.maildir if folder == "INBOX" else self.maildir / f".{folder}"
        files = [each for part in ("new", "cur") for each in sorted((place / part).glob("*"))]
        flags = {each: each.name.partition(":2,")[2] for each in files}
        left = [each for each in files if "T" not in flags[each]]
        return [(each.read_bytes(), "S" in flags[each]) for each in left]


class Pymap(ImapServer):
    """pymap with its Maildir backend."""

    def _command(self) -> list[str]:
        for lock in self.folder.rglob("*.lock"):
            lock.unlink()  # of one that was killed; it would wait for it for ever
        if not (self.folder / "pymap-etc-shadow").exists():
            # Of few rounds: each login would take a second of the machine.
            secret = BuiltinHash(rounds=1000).hash(PASSWORD)
            (self.folder / "pymap-etc-passwd").write_text(f"{USER}:x::::mail:\n")
            (self.folder / "pymap-etc-shadow").write_text(f"{USER}:{secret}:::::::\n")
        return [
            sys.executable, "-c", "from pymap.main import main; main()",
            "--host", "127.0.0.1", "--port", str(self.port),
            "--no-service", "admin", "--no-service", "managesieve",
            "maildir", str(self.folder),
        ]  # fmt: skip


_DOVECOT: Final = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
{tls}
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
mailbox_idle_check_interval = 1 secs
mail_uid = {mail}
mail_gid = {group}
first_valid_uid = 0
first_valid_gid = 0
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={mail} gid={group} home={folder}
}}
"""
_TLS: Final = """
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
"""
_RIGHTS: Final = """
mail_plugins = acl
plugin {{
  acl = vfile:{folder}/rights
}}
"""


class Dovecot(ImapServer):
    """Debian's Dovecot, as the user who runs the tests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tls_port = 0
        self.certificate: trustme.LeafCert | None = None
        """With one it speaks TLS, on ``tls_port`` and by STARTTLS."""
        self.capabilities = ""
        """What it says that it can, if not all."""
        self.rights = ""
        """Lines of an ACL file (RFC 4314's letters), if not all is allowed."""

    def _more(self) -> str:
        more = f"imap_capability = {self.capabilities}\n" if self.capabilities else ""
        if self.rights:
            self.allow(self.rights)
            more += _RIGHTS.format(folder=self.folder)
        if self.certificate is None:
            return f"{more}ssl = no\n"
        self.tls_port = self.tls_port or free_port()
        self.certificate.private_key_pem.write_to_path(self.folder / "key.pem")
        for number, blob in enumerate(self.certificate.cert_chain_pems):
            blob.write_to_path(self.folder / "cert.pem", append=number > 0)
        return more + _TLS.format(folder=self.folder)

    def allow(self, rights: str) -> None:
        """Other rights, from the next connection on."""
        self.rights = rights
        (self.folder / "rights").write_text(rights)

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text()

    @staticmethod
    def is_there() -> bool:
        """Whether it is installed."""
        return _dovecot() is not None

    def _command(self) -> list[str]:
        # As root it drops to users of its own, which Debian's package adds.
        mine, root = getpass.getuser(), os.geteuid() == 0
        mail, group = ("dovecot", "dovecot") if root else (mine, grp.getgrgid(os.getgid()).gr_name)
        more = self._more()
        if root:
            for place in (self.folder, *self.folder.rglob("*")):
                shutil.chown(place, mail, group)
        config = self.folder / "dovecot.conf"
        config.write_text(
            _DOVECOT.format(
                folder=self.folder, port=self.port, password=PASSWORD, mail=mail, group=group,
                login="dovenull" if root else mine, internal=mail,
                tls=more, tls_port=self.tls_port,
            )
        )  # fmt: skip
        found = _dovecot()
        assert found is not None
        return [found, "-F", "-c", str(config)]


def _dovecot() -> str | None:
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
