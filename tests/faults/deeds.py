"""What is done to a whole desk, and set right again: by hand where an admin would, else by the desk alone.

Some need root, for mounts and for taking root's own right to ignore modes: CalledProcessError or PermissionError where
this machine does not allow it.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from tests.faults.trials import Trial
from tests.store.postgres import Server

LASTS_S = 6.0
PR_CAPBSET_DROP = 24
IGNORE_MODES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root may do what modes forbid."""


def _system(*command: str | Path) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


# --------------------------------------------------------------------------- the machine


def asleep(one: Trial) -> None:
    """All its processes stand still, as when a laptop is closed."""
    family = list(one.desk.children().values())
    for process in family:
        process.send_signal(signal.SIGSTOP)
    one.publish()
    time.sleep(LASTS_S)
    for process in family:
        process.send_signal(signal.SIGCONT)


def zone_with_steps(*, begins_s: float, ends_s: float) -> str:
    """A `TZ` whose daylight saving time begins so many seconds from now, and ends so many.

    The wall clock does not jump then; what goes by local time does, by an hour.
    """
    # Winter time is UTC itself, and summer time an hour ahead. Times of a step are told by the clock before it.
    now = datetime.now(UTC)
    steps = now + timedelta(seconds=begins_s), now + timedelta(seconds=ends_s, hours=1)
    return ",".join(["XST0XDT-1", *(f"{step.timetuple().tm_yday - 1}/{step:%H:%M:%S}" for step in steps)])


def through_the_step(seconds: float) -> Callable[[Trial], None]:
    """Sources show something every two seconds, for so many of them."""

    def do(one: Trial) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            one.publish()
            time.sleep(2)

    return do


# --------------------------------------------------------------------------- the disk


def memory_disk(options: str) -> Callable[[Path], None]:
    """Makes a data folder a disk of its own in memory."""

    def mount(path: Path) -> None:
        _system("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)

    return mount


def real_disk(path: Path) -> None:
    """Makes a data folder a disk of its own in a file, which can break."""
    image = path.with_name("disk.img")
    with image.open("wb") as made:
        made.truncate(64 << 20)
    _system("mkfs.ext4", "-q", image)
    _system("mount", "-o", "loop", image, path)


def full(one: Trial) -> None:
    """No room for a while."""
    filler = one.desk.data / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as out:
        while out.write(b"x" * 4096):
            pass
    one.publish()
    time.sleep(LASTS_S)
    filler.unlink()


def inodes(one: Trial) -> None:
    """No new file for a while."""
    made = []
    with suppress(OSError):
        while True:
            made.append(one.desk.data / f"filler-{len(made)}")
            made[-1].touch()
    one.publish()
    time.sleep(LASTS_S)
    for path in made:
        path.unlink(missing_ok=True)


def read_only(one: Trial) -> None:
    """The file system meets an error and turns read-only under open files, as ext4 does; an admin mounts it anew.

    Linux refuses to remount read-only what has files open for writing, so that is no way there.
    """
    at = one.desk.data
    _system("mount", "-o", "remount,abort", at)
    one.publish()
    time.sleep(LASTS_S)
    one.told["doctor"] = one.desk.command("doctor", "--offline").stdout
    one.desk.stop()
    _system("umount", at)
    _system("mount", "-o", "loop", at.with_name("disk.img"), at)
    one.desk.start(**one.environ)


def heed_modes() -> None:
    """Have processes that are started from now on go by modes, though they be root's. There is no way back."""
    if os.geteuid() == 0:
        for capability in IGNORE_MODES:
            if ctypes.CDLL(None, use_errno=True).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
                raise PermissionError(ctypes.get_errno(), "root keeps the right to ignore modes")


def forbidden(one: Trial) -> None:
    """The rights of the data folder and of all in it go, and come back. Wants `heed_modes` before the desk starts.

    What has its files open does not notice; so the ingest process is killed.
    """
    inside = {path: path.stat().st_mode for path in (one.desk.data, *one.desk.data.iterdir())}
    for path in inside:
        path.chmod(0)
    one.desk.child("ingest").kill()  # the next one has to open what may not be opened
    one.publish()
    time.sleep(LASTS_S)
    for path, mode in inside.items():
        with suppress(FileNotFoundError):
            path.chmod(mode)


# --------------------------------------------------------------------------- the database


def without_log(one: Trial) -> None:
    """The log beside the database is deleted."""
    for path in one.desk.data.glob("*-wal"):
        path.unlink()
    one.publish()


def emptied(one: Trial) -> None:
    """All that is in the data folder is deleted."""
    for path in one.desk.data.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    one.publish()


def damaged(one: Trial) -> None:
    """Pages are overwritten; an admin puts the copy of before back."""
    copy, database = _backup(one)
    dice = random.Random(7)
    with database.open("r+b") as out:
        pages = out.seek(0, 2) // 4096
        for _ in range(8):
            out.seek(4096 * dice.randrange(1, max(pages, 2)))
            out.write(dice.randbytes(4096))
    one.publish()
    time.sleep(LASTS_S)
    _restore(one, copy)


def replaced(one: Trial) -> None:
    """A copy of before is renamed over the database, as `mv` and careful programs do."""
    copy, database = _backup(one)
    one.publish()
    one.back()
    os.replace(copy, database)
    one.publish()


def overwritten(one: Trial) -> None:
    """A copy of before is written into the database's own file, as `cp` does; an admin puts it back as one should."""
    copy, database = _backup(one)
    one.publish()
    one.back()
    shutil.copyfile(copy, database)
    one.publish()
    time.sleep(LASTS_S)
    _restore(one, copy)


def poll_beside(one: Trial) -> None:
    """Somebody polls by hand, again and again."""
    for _ in range(4):
        one.publish()
        one.desk.command("poll", "--now")


def restarted(server: Server, how: signal.Signals) -> Callable[[Trial], None]:
    """The database server is stopped, and started again after a while."""

    def do(one: Trial) -> None:
        one.publish()
        server.stop(how)
        one.publish()
        time.sleep(LASTS_S)
        server.start()
        one.publish()

    return do


def disconnected(server: Server) -> Callable[[Trial], None]:
    """The database server ends all connections, three times."""

    def do(one: Trial) -> None:
        for _ in range(3):
            one.publish()
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                )
            time.sleep(1)

    return do


def _backup(one: Trial) -> tuple[Path, Path]:
    copy = one.desk.config.parent / "copy.sqlite3"
    _run(one, "backup", copy)
    return copy, one.desk.data / "desk.sqlite3"


def _restore(one: Trial, copy: Path) -> None:
    one.desk.stop()
    _run(one, "restore", copy)
    one.desk.start(**one.environ)


def _run(one: Trial, command: str, file: Path) -> None:
    done = one.desk.command(command, str(file))
    assert done.returncode == 0, done.stderr
