"""A real IMAP server on loopback: Dovecot, as Debian has it, with one user and a Maildir."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

USER, PASSWORD = "desk", "s3cret:p@ss/word"
_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{base}/mail
first_valid_uid = 0
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
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
  args = uid={user} gid={group} home={base}
}}
"""


class Dovecot:
    """The server. *port* is where it listens, *maildir* where its letters lie."""

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="dovecot-", dir="/tmp"))  # short, for the paths of its sockets
        self.maildir = self.base / "mail"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Dovecot:
        user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        entry = pwd.getpwnam(user)
        group = subprocess.run(["id", "-gn", user], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
        for name in ("new", "cur", "tmp"):
            (self.maildir / name).mkdir(parents=True)
        for path in (self.base, *self.base.rglob("*")):
            if os.getuid() == 0:
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self.base.chmod(0o755)
        config = self.base / "dovecot.conf"
        config.write_text(_CONFIG.format(base=self.base, user=user, group=group, port=self.port, password=PASSWORD))
        program = shutil.which("dovecot", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "needs Dovecot: apt-get install dovecot-imapd"
        self._process = subprocess.Popen([program, "-F", "-c", str(config)])  # noqa: S603
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.05)
        raise AssertionError((self.base / "log").read_text() if (self.base / "log").exists() else "no log")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self.base, ignore_errors=True)

    def deliver(self, name: str, letter: bytes) -> None:
        """Put a letter into the mailbox, as a server of mail does: no name is ever used twice."""
        name = f"{time.time_ns()}.{name}"
        whole = self.maildir / "tmp" / name
        whole.write_bytes(letter)
        if os.getuid() == 0:
            shutil.chown(whole, "nobody")
        whole.rename(self.maildir / "new" / name)

    def names(self) -> list[str]:
        """The names of all letters, with their flags."""
        return sorted(path.name for folder in ("new", "cur") for path in (self.maildir / folder).iterdir())
