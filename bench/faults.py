"""What a desk makes of faults: one table, of what is lost, doubled, changed, asked without validators, served in error.

    python bench/faults.py [nth] [disk] [processes] [kills] [--step 1] [--lasts 1] [--kills 200] [--seed N]

nth: every n-th statement, commit, open, path, transfer and worker answer fails, n = 1, 2, 3 … until a run ends clean,
over ingest, publish, hub delivery, backup, restore, upgrade and retention, in this process (`tests/faults`). disk: the
same for every n-th write, sync, truncation, open and removal below SQLite, by a shim in C (needs a compiler).
processes: a whole desk whose machine sleeps, whose clock is set, whose disk is full, read-only or damaged, whose
database server ends its connections. kills: so many kill -9 of parent, ingest, web and workers, at random moments, in
one set of books. All, if none is named.

Ends by itself after --minutes at most, and says what it left out. Exit code 1 where a row has what must not be.
"""

from __future__ import annotations

import argparse
import ctypes
import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from tests.faults import deeds  # noqa: E402
from tests.faults.injecting import KINDS, Faults  # noqa: E402
from tests.faults.runs import Row, copying, every, forgetting, ordeal, restoring, upgrading  # noqa: E402
from tests.faults.trials import COLUMNS, Trial, trial  # noqa: E402
from tests.store import postgres  # noqa: E402
from tests.upgrade.release import RELEASED  # noqa: E402

ZONE_AFTER_S = 40.0
DISK = ("disk write", "disk sync", "disk truncate", "disk open", "disk path")


class Shim:
    """`faults_disk.c`, preloaded into this process."""

    def __init__(self, folder: Path) -> None:
        self._told = ctypes.CDLL(None)
        self._told.disk_below(str(folder).encode())

    def plan(self, kind: str, at: int, lasts: int) -> None:
        number = DISK.index(kind) if kind in DISK else -1
        self._told.disk_plan(number, ctypes.c_long(at), ctypes.c_long(lasts))

    def on(self, yes: bool) -> None:
        self._told.disk_on(int(yes))

    def counts(self) -> dict[str, int]:
        return {kind: self._told.disk_count(number) for number, kind in enumerate(DISK)}

    def struck(self) -> int:
        return int(self._told.disk_struck())


def tell(name: str, times: int, found: dict[str, int], seconds: float | None, note: str = "") -> bool:
    """Print a row; whether it is free of what must not be."""
    cells = " ".join(f"{found.get(column, 0):>6}" for column in COLUMNS)
    back = "never" if seconds is None else f"{seconds:.0f}"
    print(f"{name[:44]:<44} {times:>6} {cells} {back:>7} {note}", flush=True)
    return not any(found.get(column) for column in COLUMNS) and seconds is not None


def heading() -> None:
    print(f"{'fault':<44} {'times':>6} " + " ".join(f"{column[:6]:>6}" for column in COLUMNS) + f" {'back s':>7}")


def nth(kinds: tuple[str, ...], step: int, lasts: int, until: float, disk: bool) -> bool:
    """Every kind over every run; one line for each."""
    good = True
    with tempfile.TemporaryDirectory(prefix="wiredesk-faults-") as made:
        folder = Path(made)
        old = folder / "released.sqlite3"
        old.write_bytes(gzip.decompress((RELEASED / "0.1.0.sqlite3.gz").read_bytes()))
        faults = Faults(folder, Shim(folder) if disk else None)
        for run in (copying, restoring, upgrading, forgetting, ordeal):
            for kind in kinds:
                if run is not ordeal and kind.startswith(("transfer", "worker")):
                    continue
                good &= _line(run, faults, kind, step, lasts, old, until)
    return good


def _line(run: Callable[..., Row], faults: Faults, kind: str, step: int, lasts: int, old: Path, until: float) -> bool:
    found: dict[str, int] = {}
    times, worst, first = 0, 0.0, ""
    never = False
    for row in every(lambda at: run(faults, kind, at, lasts, old), step):
        times += row.times
        never |= row.recovered_s is None
        worst = max(worst, row.recovered_s or 0.0)
        for column, what in row.faulty.items():
            found[column] = found.get(column, 0) + len(what)
            first = first or f"n={row.at} {column}: {what[0][:100]}"
        if time.monotonic() > until:
            first += f" (time is over at n={row.at})"
            break
    return not times or tell(f"{run.__name__}: {kind}", times, found, None if never else worst, first)


# --------------------------------------------------------------------------- whole desks


Plan = tuple[str, Callable[[Path], None], Callable[[Trial], None]]


def _nothing(path: Path) -> None:
    """The data folder as it is."""


PLANS: tuple[Plan, ...] = (
    ("machine asleep for 6 s", _nothing, deeds.asleep),
    ("disk full for 6 s", deeds.memory_disk("size=24m"), deeds.full),
    ("inode table full for 6 s", deeds.memory_disk("size=64m,nr_inodes=64"), deeds.inodes),
    ("disk breaks, read-only; mounted anew", deeds.real_disk, deeds.read_only),
    ("-wal deleted", _nothing, deeds.without_log),
    ("data folder emptied", _nothing, deeds.emptied),
    ("database damaged, copy restored", _nothing, deeds.damaged),
    ("database replaced by an older copy", _nothing, deeds.replaced),
    ("database overwritten, copy restored", _nothing, deeds.overwritten),
    ("`wiredesk poll --now` beside it, 4 times", _nothing, deeds.poll_beside),
)


def processes(until: float, named: str) -> bool:
    """One line a fault whose name has *named* in it; what this machine does not allow is told."""
    good = all([_line_of(name, data, do, until) for name, data, do in PLANS if named in name])
    good &= _clock(until, named) & _zone(until, named) & _server(until, named)
    if named in (name := "rights of the data folder gone for 6 s"):  # last, for there is no way back
        with suppress(PermissionError):
            deeds.heed_modes()
        good &= _line_of(name, _nothing, deeds.forbidden, until)
    return good


def _line_of(
    name: str, data: Callable[[Path], None], do: Callable[[Trial], None], until: float, **environ: str
) -> bool:
    if time.monotonic() > until:
        print(f"{name}: left out, time is over")
        return True
    try:
        with trial(data, **environ) as one:
            do(one)
            seconds = one.back()
            return tell(name, 1, one.judge(), seconds, one.told.get("errors", ""))
    except (subprocess.CalledProcessError, PermissionError) as error:
        print(f"{name}: left out, this machine does not allow it ({error})")
        return True


def _clock(until: float, named: str) -> bool:
    """The wall clock of a running desk is set, and set right again."""
    good = True
    jumps = (("a day forward", 86_400), ("a day back", -86_400), ("an hour forward", 3_600), ("an hour back", -3_600))
    with tempfile.TemporaryDirectory() as made:
        shim = preload(Path(made), "faults_clock")
        for jump, seconds in jumps:
            name = f"clock set {jump}, and right again"
            if named not in name:
                continue
            if shim is None or time.monotonic() > until:
                print(f"{name}: left out")
                continue
            told = Path(made) / "ahead"
            told.write_bytes(bytes(8))
            with trial(LD_PRELOAD=str(shim), FAULTS_CLOCK=str(told)) as one:
                worst: float | None = 0.0
                for ahead in (seconds, 0):
                    with told.open("r+b") as out:
                        out.write(ahead.to_bytes(8, "little", signed=True))
                    one.publish()
                    back = one.back()
                    worst = None if back is None or worst is None else max(worst, back)
                good &= tell(name, 2, one.judge(), worst)
    return good


def _zone(until: float, named: str) -> bool:
    """Summer time begins or ends under a running desk."""
    good = True
    far_s = 90 * 86400.0
    for name, begins_s, ends_s in (
        ("summer time begins", ZONE_AFTER_S, far_s),
        ("summer time ends", far_s, ZONE_AFTER_S),
    ):
        if named in name:
            zone = deeds.zone_with_steps(begins_s=begins_s, ends_s=ends_s)
            good &= _line_of(name, _nothing, deeds.through_the_step(ZONE_AFTER_S + 5), until, TZ=zone)
    return good


def _server(until: float, named: str) -> bool:
    """PostgreSQL is stopped and started, crashes, loses all its connections."""
    good = True
    for name, how in (
        ("PostgreSQL stopped for 6 s", signal.SIGINT),
        ("PostgreSQL crashes, is back after 6 s", signal.SIGQUIT),
        ("PostgreSQL ends all connections, thrice", None),
    ):
        if named in name:
            with postgres.server() as server:
                do = deeds.disconnected(server) if how is None else deeds.restarted(server, how)
                good &= _line_of(name, _nothing, do, until, WIREDESK_DATABASE=server.url)
    return good


def kills(count: int, seed: int, until: float) -> bool:
    """Kill one process after another, at random moments, while the origins go on."""
    dice = random.Random(seed)
    done = 0
    with trial() as one:
        while done < count and time.monotonic() < until:
            one.publish()
            family = one.desk.children() if one.desk.process and one.desk.process.poll() is None else {}
            if family:
                victim = dice.choice(list(family))
                with suppress(Exception):
                    family[victim].kill()
                done += 1
            time.sleep(dice.uniform(0.0, 1.2))
            if one.desk.process is not None and one.desk.process.poll() is not None:
                one.desk.process = None
                with suppress(AssertionError):
                    one.desk.start(**one.environ)
            if done % 20 == 0:
                one.back()
        seconds = one.back(180)
        return tell(f"{count} kills, seed {seed}", done, one.judge(), seconds)


def preload(folder: Path, name: str) -> Path | None:
    """A shim, compiled; None, with a word, where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        print(f"{name}: left out, it needs Linux and a C compiler")
        return None
    made = folder / f"{name}.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(made), str(HERE / f"{name}.c"), "-ldl"]
    subprocess.run(command, check=True)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=["nth", "disk", "processes", "kills", []], help="all, if none")
    parser.add_argument("--kinds", default="", help="of nth and disk, with commas")
    parser.add_argument("--named", default="", help="of processes: only those with this in their name")
    parser.add_argument("--step", type=int, default=1, help="every so manieth n only")
    parser.add_argument("--lasts", type=int, default=1, help="so many operations in a row fail")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--minutes", type=float, default=120.0, help="how long each part may take")
    parser.add_argument("--preloaded", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    parts = told.parts or ["nth", "disk", "processes", "kills"]
    until = time.monotonic() + 60 * told.minutes
    chosen = tuple(kind for kind in told.kinds.split(",") if kind)
    if told.preloaded:
        return 0 if nth(chosen or DISK, told.step, told.lasts, until, disk=True) else 1
    heading()
    good = True
    if "nth" in parts:
        kinds = tuple(kind for kind in chosen if kind in KINDS) if chosen else tuple(KINDS)
        good &= nth(kinds, told.step, told.lasts, until, disk=False)
    if "disk" in parts:
        with tempfile.TemporaryDirectory() as made:
            if (shim := preload(Path(made), "faults_disk")) is not None:
                again = [sys.executable, __file__, *sys.argv[1:], "--preloaded"]
                good &= subprocess.run(again, env=os.environ | {"LD_PRELOAD": str(shim)}, check=False).returncode == 0
    if "processes" in parts:
        good &= processes(time.monotonic() + 60 * told.minutes, told.named)
    if "kills" in parts:
        good &= kills(told.kills, told.seed, time.monotonic() + 60 * told.minutes)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
