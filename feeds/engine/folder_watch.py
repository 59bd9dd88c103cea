"""Folders of documents, watched: what is written there is looked at soon. A thread. I/O: the file system, the store.

It is a help and no more: a folder that can't be watched (a network share, too many watches), or an event that is lost,
costs the seconds until the next look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import watchfiles

from feeds.fetch.folder import base_of

log = logging.getLogger(__name__)

STEP_MS = 200
DEBOUNCE_MS = 1000


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
