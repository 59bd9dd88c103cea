"""Whether two checkouts behave alike: documents, decisions, answers and messages, one by one.

    python -m bench.compare OLD NEW [--part feeds] [--share 0.2] [--first 3]
    python -m bench.compare OLD NEW --keep DIR      keeps the recordings there, as old.record and new.record
    python -m bench.compare DIR/old.record NEW      OLD as it was recorded before, in half the time

Each side runs in a process of its own with the code of its checkout (`bench/recorder.py`, of this checkout, as are the
config and the inputs of tests): desks take in development data (half of it, where --share does not say), with a clock
that stands still and chance that is drawn from names. Prints how many of each kind were compared and how many differ,
and the first differences of each kind with the place where they begin: entries first, for what differs there shows
everywhere else. Exits with 1 where anything differs. Needs Linux and a C compiler, for the clock.

An article's id is drawn when it is new: who draws more or fewer ids, or in another order, makes all differ.
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
from itertools import islice, starmap, zip_longest
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("WIREDESK_SHARED_DATA") or HERE.parents[1] / "shared" / "data")
AROUND = 70
"""Characters shown before and after the place where two lines part."""
LINES = 3
"""How many lines of a difference are shown."""

Record = dict[str, dict[str, str]]


def start(checkout: Path, folder: Path, side: str, data: Path, more: list[str]) -> tuple[subprocess.Popen[bytes], Path]:
    """Record what *checkout* does, in a process of its own; gives it and the file that it will write."""
    shim, clock, made = folder / "clock.so", folder / f"{side}.clock", folder / f"{side}.record"
    if not shim.exists():
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", shim, HERE / "faults_clock.c", "-ldl"], check=True)
    clock.write_bytes(bytes(8))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LD_PRELOAD": str(shim),
        "FAULTS_CLOCK": str(clock),
        "FAULTS_CLOCK_STANDS": "1",
    }
    places = ["--checkout", checkout, "--inputs", HERE.parent, "--data", data, "--into", made]
    command = [sys.executable, HERE / "recorder.py", *places, *more]
    return subprocess.Popen(command, env=environ, cwd=checkout), made


def record(sides: dict[str, Path], folder: Path, data: Path, more: list[str]) -> list[Record]:
    """What each side does: read where it is a recording, else recorded now, side by side. Raises SystemExit."""
    for path in sides.values():
        if not path.is_file() and not (path / "feeds" / "__init__.py").exists():
            raise SystemExit(f"compare: {path} is no checkout of this project, nor a recording; name its top folder")
    started = {
        side: start(path.resolve(), folder, side, data, more) for side, path in sides.items() if not path.is_file()
    }
    try:
        failed = [side for side, (process, _) in started.items() if process.wait()]
    finally:
        for process, _ in started.values():
            process.kill()
    if failed:
        raise SystemExit(f"compare: {' and '.join(failed)} could not be recorded; why, stands above")
    files = [started[side][1] if side in started else path for side, path in sides.items()]
    return [pickle.loads(file.read_bytes()) for file in files]


def parting(old: str, new: str) -> str:
    """The first lines that differ, around the place where they part.

    >>> print(parting("a hat\\nan old one", "a hat\\nan odd one"))
        old: an old one
        new: an odd one
    """
    pairs = zip_longest(old.split("\n"), new.split("\n"), fillvalue="(it ends here)")
    differing = islice(((one, other) for one, other in pairs if one != other), LINES)
    return "\n".join(f"    old: {one}\n    new: {other}" for one, other in starmap(_around, differing))


def _around(old: str, new: str) -> tuple[str, str]:
    """The two lines around the place where they part."""
    same = (one == other for one, other in zip(old, new, strict=False))
    since = max(0, next((at for at, alike in enumerate(same) if not alike), min(len(old), len(new))) - AROUND)
    return old[since : since + 2 * AROUND], new[since : since + 2 * AROUND]


def compare(old: Record, new: Record, first: int) -> int:
    """Print how many of each kind are alike, and the *first* differences of each that differs; how many differ."""
    kinds = sorted(old.keys() | new.keys(), key=lambda kind: (not kind.startswith("row of entries"), kind))
    names = {kind: list(old.get(kind, {}) | new.get(kind, {})) for kind in kinds}
    differing = {
        kind: [name for name in names[kind] if old.get(kind, {}).get(name) != new.get(kind, {}).get(name)]
        for kind in kinds
    }
    compared, differ = (sum(map(len, counted.values())) for counted in (names, differing))
    print(f"{'kind':28}{'compared':>10}{'differ':>10}")
    for kind in kinds:
        print(f"{kind:28}{len(names[kind]):>10}{len(differing[kind]):>10}")
    print(f"{'all':28}{compared:>10}{differ:>10}")
    for kind in kinds:
        for name in differing[kind][:first]:
            print(f"\n{kind}: {name}")
            print(_parting(old.get(kind, {}).get(name), new.get(kind, {}).get(name)))
        if len(differing[kind]) > first:
            print(f"\n... and {len(differing[kind]) - first} more of this kind (--first N shows more)")
    return differ


def _parting(old: str | None, new: str | None) -> str:
    if old is None or new is None:
        return f"    only in the {'new' if old is None else 'old'}"
    return parting(old, new)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="a checkout, or what --keep kept of one")
    parser.add_argument("new", type=Path, help="the same")
    parser.add_argument("--data", type=Path, default=DATA, help="the development data")
    parser.add_argument(
        "--part",
        action="append",
        default=[],
        help="feeds, labelled, stream, documents, released, messages; all, if none",
    )
    parser.add_argument(
        "--share", type=float, default=0.5, help="of the inputs of each part; 1 takes five minutes of CPU"
    )
    parser.add_argument("--first", type=int, default=3, help="so many differences of each kind are shown")
    parser.add_argument("--keep", type=Path, help="a folder for the two recordings")
    told = parser.parse_args()
    more = ["--share", str(told.share)] + [word for part in told.part for word in ("--part", part)]
    with tempfile.TemporaryDirectory(prefix="wiredesk-compare-") as made:
        old, new = record({"old": told.old, "new": told.new}, Path(made), told.data, more)
    if told.keep:
        told.keep.mkdir(parents=True, exist_ok=True)
        for side, recorded in (("old", old), ("new", new)):
            (told.keep / f"{side}.record").write_bytes(pickle.dumps(recorded))
    return 1 if compare(old, new, told.first) else 0


if __name__ == "__main__":
    sys.exit(main())
