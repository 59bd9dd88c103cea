"""Files, folders and mailboxes, watched: config that was saved is judged, documents and letters are looked at soon.
I/O: files, mail servers, a process, threads.

Editors write a file in several ways: over itself, as a new one put in its place, with swap and backup files beside it;
others swap a whole folder behind a symlink. A change counts when it has stood still for a moment, and what became
empty or went away has longer, for that is how a file looks that is being written anew.

A file is judged in a process that is started for one judgement: what it can do to a parser, it does there, nothing
of it stays in memory, and a fork after threads is never made.

Folders and mailboxes are watched as a help and no more: a folder that can't be watched (a network share, too many
watches), or an event that is lost, costs the seconds until the next look.
"""

from __future__ import annotations

import logging
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

import watchfiles

from feeds.configuration import FetchSettings
from feeds.engine.liveness import end_with_parent
from feeds.engine.startup import set_up_logging, start_process
from feeds.errors import ConfigError, FetchError
from feeds.fetch.folder import base_of
from feeds.fetch.mailbox import wait_for_letters
from feeds.settings import Config, ConfigErrors, fingerprint, load_config
from feeds.settings.config import Fingerprint

log = logging.getLogger(__name__)

SETTLE_S = 0.3
EMPTIED_S = 3.0
CPU_S = 120.0
TIMEOUT_S = 600.0
"""Of CPU, and of wall time: a busy machine makes a judgement late, not expensive."""
MEMORY_BYTES = 4 << 30


class Watch:
    """Looks at the files of *folder*; *judge* says what they hold. For one thread."""

    def __init__(
        self,
        folder: Path,
        judge: Judge,
        *,
        judged: Fingerprint | None = None,
        opml_files: Iterable[str] = (),
    ) -> None:
        self._folder = folder
        self._judge = judge
        self._opml_files = tuple(opml_files)
        self._judged = judged
        self._settling: Fingerprint | None = None
        self._since_s = 0.0

    def look(self, at_s: float) -> Config | ConfigErrors | None:
        """Give what the files say where they changed and the change has settled, else None. *at_s*: monotonic."""
        seen = fingerprint(self._folder, self._opml_files)
        if seen == self._judged:
            self._settling = None
            return None
        if seen != self._settling:
            self._settling, self._since_s = seen, at_s
            self._judge.warm()
            return None
        if at_s - self._since_s < (EMPTIED_S if self._emptied(seen) else SETTLE_S):
            return None
        verdict = self._judge.judge()
        if fingerprint(self._folder, self._opml_files) != seen:
            return None  # changed while they were judged: what was read may be of two saves
        self._opml_files = tuple(verdict.opml_files)
        self._judged = fingerprint(self._folder, self._opml_files)
        self._settling = None
        return verdict

    @property
    def settling(self) -> bool:
        """Whether a change was seen that has not stood still for long enough."""
        return self._settling is not None

    def again(self) -> None:
        """Have the files judged once more, though they did not change."""
        self._judged = None

    def _emptied(self, seen: Fingerprint) -> bool:
        before = {name: size for name, _, size, _, _ in self._judged or ()}
        return any(size <= 0 < before.get(name, 0) for name, _, size, _, _ in seen)


class Judge:
    """Says what the files in *folder* hold. For one thread."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        cpu_s: float = CPU_S,
        timeout_s: float = TIMEOUT_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._folder = folder
        self._environ = dict(environ)
        self._cpu_s = cpu_s
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._ready: tuple[subprocess.Popen[bytes], Connection] | None = None

    def warm(self) -> None:
        """Start the process that will judge: a start takes as long as a change takes to settle."""
        if self._ready is not None and self._ready[0].poll() is None:
            return
        self.close()
        ours, theirs = Pipe()
        self._ready = start_process("feeds.engine.watching:judge_one", theirs), ours

    def judge(self) -> Config | ConfigErrors:
        """Give the Config that the files say now, or all their errors. Never raises for what the files hold."""
        self.warm()
        assert self._ready is not None
        process, pipe = self._ready
        try:
            pipe.send((self._folder, self._environ, self._cpu_s, self._memory_bytes))
            if not pipe.poll(self._timeout_s):
                return self._lost(f"judging the files took more than {self._timeout_s:.0f} seconds and was ended")
            verdict = pipe.recv()
        except (EOFError, OSError):
            if process.wait() == -signal.SIGPROF:
                return self._lost(f"judging the files took more than {self._cpu_s:g} seconds of CPU time and was ended")
            limit = f"most likely at its limit of {self._memory_bytes >> 20} MiB"
            return self._lost(f"the process that judged the files ended without an answer, {limit}")
        finally:
            self.close()
        assert isinstance(verdict, Config | ConfigErrors)
        return verdict

    def close(self) -> None:
        """End the process, if one is waiting."""
        if self._ready is not None:
            process, pipe = self._ready
            pipe.close()
            process.kill()
            process.wait()
            self._ready = None

    def _lost(self, cause: str) -> ConfigErrors:
        remedy = "make them smaller; `wiredesk check` judges them too"
        return ConfigErrors([ConfigError(cause, file=str(self._folder), remedy=remedy)])


def judge_one(number: int) -> None:
    """Judge once what comes by the pipe of this *number*, in a process of its own."""
    pipe = Connection(number)
    end_with_parent()
    try:
        folder, environ, cpu_s, memory_bytes = pipe.recv()
    except EOFError:
        return
    set_up_logging(environ)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    signal.setitimer(signal.ITIMER_PROF, cpu_s)  # SIGPROF ends a process that does not ask for it
    try:
        verdict: Config | ConfigErrors = load_config(folder, environ)
    except ConfigErrors as errors:
        verdict = errors
    except MemoryError:
        return
    except Exception:
        log.exception("a fault of ours judging the config files")
        return
    pipe.send(verdict)


STEP_MS = 1000
DEBOUNCE_MS = 2000
MOST_MAILBOXES = 50
AGAIN_S = 300.0
"""How long a mailbox that can't be waited at is left alone."""


class FolderWatch:
    """`watch` folders; `touched` is called with the ids of sources below whose folders something changed."""

    def __init__(self, touched: Callable[[frozenset[int]], None]) -> None:
        self._touched = touched
        self._bases: dict[Path, frozenset[int]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, folder: Path, patterns: Mapping[int, str]) -> None:
        """Watch the folders of these *patterns*, by source, relative to *folder*, and no others."""
        bases: dict[Path, frozenset[int]] = {}
        for source_id, pattern in patterns.items():
            base = base_of(folder, pattern).resolve()
            bases[base] = bases.get(base, frozenset()) | {source_id}
        if bases == self._bases and (not bases or (self._thread is not None and self._thread.is_alive())):
            return
        self.close()
        self._bases, self._stop = bases, threading.Event()
        there = [base for base in bases if base.is_dir()]
        if there:
            self._thread = threading.Thread(target=self._run, args=(there, self._stop), name="folders", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Watch nothing any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
        self._thread = None

    def _run(self, there: list[Path], stop: threading.Event) -> None:
        try:
            for changes in watchfiles.watch(
                *there, stop_event=stop, step=STEP_MS, debounce=DEBOUNCE_MS, raise_interrupt=False, watch_filter=None
            ):
                paths = [Path(path) for _, path in changes]
                ids = [ids for base, ids in self._bases.items() if any(path.is_relative_to(base) for path in paths)]
                self._touched(frozenset().union(*ids))
        except Exception as error:
            log.warning("folders can't be watched, they are looked into every few seconds: %s", error)


class MailWatch:
    """`watch` mailboxes; `touched` is called with the id of a source to which a letter came. A thread for each."""

    def __init__(self, touched: Callable[[frozenset[int]], None]) -> None:
        self._touched = touched
        self._boxes: dict[int, str] = {}
        self._stop = threading.Event()

    def watch(self, boxes: Mapping[int, str], settings: FetchSettings) -> None:
        """Wait for letters in these *boxes*, by source, and no others; they hold passwords."""
        if boxes == self._boxes:
            return
        self.close()
        self._boxes, self._stop = dict(boxes), threading.Event()
        for source_id, url in list(self._boxes.items())[:MOST_MAILBOXES]:
            arguments = (source_id, url, settings, self._stop)
            threading.Thread(target=self._run, args=arguments, name=f"mail-{source_id}", daemon=True).start()

    def close(self) -> None:
        """Wait for nothing any more; connections end within seconds."""
        self._stop.set()
        self._boxes = {}

    def _run(self, source_id: int, url: str, settings: FetchSettings, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                if wait_for_letters(url, settings=settings, stopped=stop.is_set):
                    self._touched(frozenset((source_id,)))
                    continue
            except FetchError as error:
                log.info("can't wait for letters, they are asked for from time to time: %s", error)
            stop.wait(AGAIN_S)
