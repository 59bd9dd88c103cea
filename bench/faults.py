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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent)]

from tests.e2e.desk import Desk  # noqa: E402
from tests.e2e.publisher import Publisher  # noqa: E402
from tests.faults.injecting import KINDS, Faults  # noqa: E402
from tests.faults.runs import Row, copying, every, forgetting, ordeal, restoring, upgrading  # noqa: E402
from tests.fetch.origin import Origin  # noqa: E402
from tests.store import postgres  # noqa: E402
from tests.upgrade.release import RELEASED  # noqa: E402

DISK = ("disk write", "disk sync", "disk truncate", "disk open", "disk path")
COLUMNS = ("lost", "untold", "doubled", "changed", "unconditional", "errors", "bugs", "damage")
BACK_WITHIN_S = 90.0


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


class Trial:
    """A running desk of three feeds, a reader who looks all the time, and the books of both."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.origin = Origin()
        self.origin.__enter__()
        self.publishers = [Publisher(self.origin, f"/{name}.xml") for name in ("alpha", "beta", "gamma")]
        self.desk = Desk(folder)
        self.environ = environ
        self.desk.write(
            sources=[
                {"name": each.path.strip("/"), "url": each.url, "section": "news/world", "interval_s": 1}
                for each in self.publishers
            ],
            desk={"publish": {"full_text": "full", "entries": 1000}},
        )
        self.wanted: set[str] = set()
        self.ids: dict[str, str] = {}
        self.found = dict.fromkeys(COLUMNS, 0)
        self._end = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        self.desk.start(**self.environ)
        self.publish()
        assert self.back() is not None, "the desk does not come up"
        self._reader.start()

    def publish(self) -> None:
        for each in self.publishers:
            title = f"{each.path.strip('/')} {len(self.wanted)}"
            each.publish(title)
            self.wanted.add(title)

    def titles(self) -> list[tuple[str, str]]:
        with suppress(OSError, ValueError, KeyError):
            return [(str(item["title"]), str(item["id"])) for item in self.desk.items("/news/world.json")]
        return []

    def back(self, within_s: float = BACK_WITHIN_S) -> float | None:
        """Seconds until everything that was shown is there; None where it is not in time."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            if self.wanted <= {title for title, _ in self.titles()}:
                return time.monotonic() - began
            if self.desk.process is not None and self.desk.process.poll() is not None:
                self.desk.process = None
                with suppress(AssertionError):
                    self.desk.start(**self.environ)  # as systemd would
            time.sleep(0.1)
        return None

    def judge(self) -> dict[str, int]:
        """What must not be, counted."""
        seen = self.titles()
        names = [title for title, _ in seen]
        self.found["lost"] = len(self.wanted - set(names))
        self.found["doubled"] = len(names) - len(set(names))
        self.found["changed"] += sum(self.ids.get(title, id) != id for title, id in seen)
        self.ids |= dict(seen)
        for each in self.publishers:
            asked = [one for one in self.origin.seen(each.path) if one.header("if-none-match") is None]
            self.found["unconditional"] += max(0, len(asked) - 1)
        return self.found

    def _read(self) -> None:
        while not self._end.wait(0.1):
            with suppress(OSError):
                if self.desk.get("/news/world.rss").status >= 500:
                    self.found["errors"] += 1

    def close(self) -> None:
        self._end.set()
        if self._reader.ident:
            self._reader.join(15)
        self.desk.__exit__(None, None, None)
        self.origin.__exit__(None, None, None)


@contextmanager
def trial(data: Callable[[Path], None] = lambda path: None, **environ: str) -> Iterator[Trial]:
    folder = Path(tempfile.mkdtemp(prefix="wiredesk-trial-"))
    (folder / "data").mkdir()
    data(folder / "data")
    made = Trial(folder, environ)
    try:
        made.start()
        yield made
    finally:
        # The log tells why, where a row is not as it should be.
        shutil.copy(made.desk.log, Path(tempfile.gettempdir()) / "wiredesk-faults.log")
        made.close()
        subprocess.run(["umount", str(folder / "data")], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _mounted(options: str) -> Callable[[Path], None]:
    def mount(path: Path) -> None:
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True, capture_output=True)

    return mount


def _asleep(one: Trial) -> None:
    family = list(one.desk.children().values())
    for process in family:
        process.send_signal(signal.SIGSTOP)
    one.publish()
    time.sleep(5)
    for process in family:
        process.send_signal(signal.SIGCONT)


def _full(one: Trial) -> None:
    filler = one.desk.data / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as out:
        while out.write(b"x" * 4096):
            pass
    one.publish()
    time.sleep(6)
    filler.unlink()


def _inodes(one: Trial) -> None:
    made = []
    with suppress(OSError):
        while True:
            made.append(one.desk.data / f"filler-{len(made)}")
            made[-1].touch()
    one.publish()
    time.sleep(6)
    for path in made:
        path.unlink(missing_ok=True)


def _read_only(one: Trial) -> None:
    """A bind mount turned read-only under open files is refused as busy; a tmpfs as a whole is not always."""
    at = str(one.desk.data)
    subprocess.run(["mount", "-o", "remount,ro,bind", at], check=True, capture_output=True)
    one.publish()
    time.sleep(6)
    subprocess.run(["mount", "-o", "remount,rw,bind", at], check=True, capture_output=True)


def _without_log(one: Trial) -> None:
    for path in one.desk.data.glob("*-wal"):
        path.unlink()
    one.publish()


def _damaged(one: Trial) -> None:
    """Pages overwritten; then, as an admin would, the copy of before put back by `wiredesk restore`."""
    copy = one.desk.config.parent / "copy.sqlite3"
    [database] = one.desk.data.glob("*.sqlite3")
    run = [sys.executable, "-m", "feeds.cli"]
    places = ["--config", str(one.desk.config), "--data", str(one.desk.data)]
    environ = os.environ | {"PYTHONPATH": str(HERE.parent)}
    subprocess.run([*run, "backup", *places, str(copy)], check=True, capture_output=True, env=environ)
    dice = random.Random(7)
    with database.open("r+b") as out:
        pages = out.seek(0, 2) // 4096
        for _ in range(8):
            out.seek(4096 * dice.randrange(1, max(pages, 2)))
            out.write(dice.randbytes(4096))
    one.publish()
    time.sleep(5)
    one.desk.stop()
    subprocess.run([*run, "restore", *places, str(copy)], check=True, capture_output=True, env=environ)
    one.desk.start(**one.environ)


def _poll_beside(one: Trial) -> None:
    run = [sys.executable, "-m", "feeds.cli", "poll", "--now"]
    places = ["--config", str(one.desk.config), "--data", str(one.desk.data)]
    environ = os.environ | {"PYTHONPATH": str(HERE.parent)}
    for _ in range(4):
        one.publish()
        subprocess.run([*run, *places], capture_output=True, env=environ, timeout=60, check=False)


def processes(until: float) -> bool:
    """One line a fault; what this machine does not allow is told."""
    plans: list[tuple[str, Callable[[Path], None], Callable[[Trial], None]]] = [
        ("machine asleep for 5 s", lambda path: None, _asleep),
        ("disk full for 6 s", _mounted("size=24m"), _full),
        ("inode table full for 6 s", _mounted("size=64m,nr_inodes=64"), _inodes),
        ("data folder read-only for 6 s", _mounted("size=64m"), _read_only),
        ("-wal deleted", lambda path: None, _without_log),
        ("pages overwritten, copy restored", lambda path: None, _damaged),
        ("`wiredesk poll --now` beside it", lambda path: None, _poll_beside),
    ]
    good = True
    for name, data, do in plans:
        if time.monotonic() > until:
            print(f"{name}: left out, time is over")
            continue
        try:
            with trial(data) as one:
                do(one)
                seconds = one.back()
                good &= tell(name, 1, one.judge(), seconds)
        except (subprocess.CalledProcessError, PermissionError) as error:
            print(f"{name}: left out, this machine does not allow it ({error})")
    return good & _clock(until) & _server(until)


def _clock(until: float) -> bool:
    """The wall clock of a running desk is set, and set right again."""
    good = True
    with tempfile.TemporaryDirectory() as made:
        shim = preload(Path(made), "faults_clock")
        for name, seconds in (("a day forward", 86_400), ("a day back", -86_400), ("an hour back", -3_600)):
            if shim is None or time.monotonic() > until:
                print(f"clock set {name}: left out")
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
                good &= tell(f"clock set {name}, and right again", 2, one.judge(), worst)
    return good


def _server(until: float) -> bool:
    """PostgreSQL loses all its connections, as when it is started anew."""
    name = "PostgreSQL ends all connections, thrice"
    if time.monotonic() > until:
        print(f"{name}: left out, time is over")
        return True
    import psycopg

    with postgres.running() as url, trial(WIREDESK_DATABASE=url) as one:
        for _ in range(3):
            one.publish()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                )
            time.sleep(1)
        seconds = one.back()
        return tell(name, 3, one.judge(), seconds)


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
        good &= processes(time.monotonic() + 60 * told.minutes)
    if "kills" in parts:
        good &= kills(told.kills, told.seed, time.monotonic() + 60 * told.minutes)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
