"""The learned classifier of a running desk: a new model is taken over by itself, and made anew by the clock. I/O.

The model stands in the store, where `wiredesk learn` replaces it whole: by hand, or as the process that `learn` starts
here, for training never runs in the ingest process. Without a model that can be used the desk files by all else, and an
open event says so.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.engine.startup import keep_event
from feeds.errors import DeskError, StoreError
from feeds.files import read_regular
from feeds.filing import FilingRules
from feeds.ingest.desk import Desk
from feeds.store import Store

if TYPE_CHECKING:
    from feeds.filing.text_model import Model

log = logging.getLogger(__name__)

LEARN_TIMEOUT_S = 4 * 3600.0
NICE = 10
_ONE_CORE = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}

OLD_FILE = Path("model") / "filing.npz"
"""Where earlier releases kept the model below the data folder; `Classifier` takes it over once."""
MOST_BYTES = 64 << 20


class Classifier:
    """The model in *store*, as it was last read; `fault` says why there is none. Not for several threads.

    A model that an earlier release left in the folder *data* is put into a store that has none.
    """

    def __init__(self, store: Store, data: Path | None = None) -> None:
        self._store = store
        self._old_file = data / OLD_FILE if data is not None else None
        self._read: int | None = None  # the version of the model that was last read, 0 for none
        self._data_seen: int | None = None
        self._model: Model | None = None
        self._fault: DeskError | None = None

    def look(self, filing_rules: FilingRules) -> Model | None:
        """The model that *filing_rules* is to ask, read again where there is another; none where no section learns.

        While the store does not answer it stays what it was.
        """
        if not filing_rules.learning:
            self._read = self._data_seen = self._model = self._fault = None
            return None
        data = self._store.data_version()
        if data is not None and data == self._data_seen:
            return self._model
        try:
            if self._old_file is not None:
                self._take_file(self._old_file)
            self._old_file = None
            self._take_over()
        except StoreError as error:
            log.error("the learned classifier was not looked for, trying again: %s", error)
        else:
            self._data_seen = data
        return self._model

    @property
    def version(self) -> int:
        """The version of the model that was last read, 0 for none."""
        return self._read or 0

    def fault(self, desk: Desk) -> DeskError | None:
        """Why no model is asked although sections are set to learn; None where all is well."""
        learning = len(desk.filing_rules.learning)
        if not learning or self._model is not None:
            return None
        if self._fault is not None:
            return self._fault
        sections = "1 section is" if learning == 1 else f"{learning} sections are"
        clock = "" if desk.settings.learn_at == "never" else f"; by itself the desk does at {desk.settings.learn_at}"
        return DeskError(f"{sections} set to learn, and no model is there yet", remedy=f"run `wiredesk learn`{clock}")

    def _take_file(self, file: Path) -> None:
        """Put what an earlier release left into the store, where no model is yet, and take the file away."""
        try:
            body = read_regular(file, most_bytes=MOST_BYTES)
        except OSError:
            return
        with self._store.write() as tx:
            if tx.models.version():
                log.warning("the model at %s is not in use: the one in the database is, of `wiredesk learn`", file)
                return
            tx.models.put(body, datetime.now(UTC))
        log.info("the learned model went from %s into the database", file)
        with suppress(OSError):
            file.unlink()

    def _take_over(self) -> None:
        with self._store.read() as tx:
            version = tx.models.version()
            if version == self._read:
                return
            body = tx.models.body()
        began = time.monotonic()
        self._read, self._fault = version, None
        if body is None:
            self._model = None
            return
        try:
            from feeds.filing.text_model import model_from_bytes  # numpy, which a desk without a model does not load

            self._model = model_from_bytes(body)
        except DeskError as error:
            self._model, self._fault = None, error
            log.warning("the learned classifier is not in use: %s", error)
            return
        facts = self._model.facts
        log.info(
            "the learned classifier is in use learned_at=%s articles=%s sections=%d ms=%.0f",
            facts.get("learned_at", "?"),
            facts.get("articles", "?"),
            len(self._model.sections),
            (time.monotonic() - began) * 1000,
        )


def learn(store: Store, environ: Mapping[str, str], stop: threading.Event, *, now: datetime) -> bool:
    """Run `wiredesk learn` in a process of its own to its end, or until *stop*; whether there is a new model.

    What kept it from learning is an open event until it has learned again.
    """
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "feeds.cli", "learn"],
        env={**environ, **_ONE_CORE, "WIREDESK_PARENT": str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
        while True:
            if stop.is_set() or time.monotonic() - began > LEARN_TIMEOUT_S:
                return False
            try:
                _, said = child.communicate(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                continue
    except ProcessLookupError:
        said = ""
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
    fault = None
    if child.returncode:
        last = (said.strip().splitlines() or [f"it ended with {child.returncode}"])[-1].removeprefix("wiredesk: ")
        fault = DeskError(f"the classifier could not learn: {last}", remedy="`wiredesk learn` by hand says more")
        log.warning("%s", fault)
    else:
        log.info("the classifier has learned ms=%.0f", (time.monotonic() - began) * 1000)
    keep_event(store, "learning", "filing", fault, now=now)
    return fault is None
