"""Whether the config files of this machine are those that the desk accepted. I/O: files, the store.

On PostgreSQL several machines share a desk, and a folder of files on each. What is accepted stands in the database;
files that say otherwise change nothing, and are told of, once for each change, in the log and as an open event.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from feeds.settings import ConfigErrors, config_from_json, differences, fingerprint, first_lines, load_config
from feeds.settings.config import Fingerprint
from feeds.store import Store
from feeds.urls import masked

log = logging.getLogger(__name__)

DIFFER = "files"
"""The kind of event that is open while the files of a node are not those accepted; its subject is the node."""
REMEDY = "bring the accepted files there, or put those in force with `wiredesk apply`"


class Agreement:
    """Compares the files in *folder* with what is accepted, again whenever one of them changes. For one thread."""

    def __init__(self, store: Store, folder: Path, environ: Mapping[str, str]) -> None:
        self._store = store
        self._folder = folder
        self._environ = environ
        self._opml_files: tuple[str, ...] = ()
        self._seen: tuple[int, Fingerprint] | None = None

    def look(self, *, now: datetime) -> None:
        """Tell in what the files differ; nothing is read where neither they nor what is accepted has changed.

        Raises StoreError.
        """
        with self._store.read() as tx:
            version = tx.configs.version()
        seen = version, fingerprint(self._folder, self._opml_files)
        if version == 0 or seen == self._seen:
            return
        with self._store.read() as tx:
            stored = tx.configs.current()
        assert stored is not None
        accepted = config_from_json(stored.text)
        try:
            files = load_config(self._folder, self._environ)
        except ConfigErrors as errors:
            lines = tuple(f"an error, {line}" for line in first_lines(errors.errors)[:1])
        else:
            lines = differences(accepted, files)
        self._opml_files = accepted.opml_files
        self._seen = version, fingerprint(self._folder, self._opml_files)
        tell(self._store, self._folder, stored.version, lines, now=now)


def tell(store: Store, folder: Path, version: int, lines: tuple[str, ...], *, now: datetime) -> None:
    """Keep as an open event, and say in the log, in what the files in *folder* differ from the accepted *version*."""
    node = f"{socket.gethostname()}:{folder}"
    text = masked(f"the files at {node} are not in force (version {version} is): {'; '.join(lines)}") if lines else ""
    with store.read() as tx:
        told = next((event.text for event in tx.events.open() if (event.kind, event.subject) == (DIFFER, node)), "")
    if lines:
        log.warning("config: %s; nothing was changed: %s", text, REMEDY)
    if told == text:
        return
    with store.write() as tx:
        if lines:
            tx.events.add(DIFFER, node, text=text, remedy=REMEDY, now=now)
        else:
            tx.events.close(DIFFER, node, now)
