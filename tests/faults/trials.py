"""A whole desk between origins and a reader who looks all the time, and the books of both: something is done to it, and
the books are judged.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.e2e.desk import Desk
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

COLUMNS = ("lost", "untold", "doubled", "changed", "unconditional", "errors", "bugs", "damage")
BACK_WITHIN_S = 90.0


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
        self.told: dict[str, str] = {}
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
                got = self.desk.get("/news/world.rss")
                if got.status >= 500:
                    self.found["errors"] += 1
                    self.told["errors"] = f"{time.strftime('%H:%M:%S')} {got.status} {got.body[:200]!r}"

    def close(self) -> None:
        self._end.set()
        if self._reader.ident:
            self._reader.join(15)
        self.desk.__exit__(None, None, None)
        self.origin.__exit__(None, None, None)


def trial_log() -> Path:
    """Where the log of the last trial is kept: it tells why, where a row is not as it should be."""
    return Path(tempfile.gettempdir()) / "wiredesk-faults.log"


@contextmanager
def trial(data: Callable[[Path], None] = lambda path: None, **environ: str) -> Iterator[Trial]:
    """A desk that has published its first entries; *data* prepares its data folder, *environ* is its environment."""
    folder = Path(tempfile.mkdtemp(prefix="wiredesk-trial-"))
    (folder / "data").mkdir()
    data(folder / "data")
    made = Trial(folder, environ)
    try:
        made.start()
        yield made
    finally:
        shutil.copy(made.desk.log, trial_log())
        made.close()
        subprocess.run(["umount", str(folder / "data")], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
