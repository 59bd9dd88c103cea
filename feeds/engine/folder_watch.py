"""Folders of documents and mailboxes, watched: what comes there is looked at soon. Threads. I/O: files, mail servers.

It is a help and no more: a folder that can't be watched (a network share, too many watches), or an event that is lost,
costs the seconds until the next look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import watchfiles

from feeds.configuration import FetchSettings
from feeds.errors import FetchError
from feeds.fetch.folder import base_of
from feeds.fetch.mailbox import wait_for_letters

log = logging.getLogger(__name__)

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
