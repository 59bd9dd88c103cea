"""What every start of the desk needs: logging, the present, what sources are told, what is wrong with config. I/O.

Logging is a line an event, for people on a terminal, JSON with WIREDESK_LOG=json. No line tells a secret: values that
config took from the environment, or holds itself, are redacted in all of it, tracebacks too. What nobody caught is
logged as well, and not printed as Python would.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import logging.config
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from feeds import __version__
from feeds.errors import DeskError
from feeds.redaction import CONTROLS, OF_THIS_PROCESS
from feeds.settings.reports import first_lines
from feeds.urls import LISTENING, masked, misleading

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from feeds.configuration import Settings
    from feeds.engine.config_in_force import Accepted
    from feeds.store import Store


log = logging.getLogger(__name__)


def user_agent(settings: Settings) -> str:
    """What sources are told: product, version, and whom to write to."""
    contact = settings.contact or settings.base_url
    return f"Wiredesk/{__version__} (+{contact})"


def now_utc() -> datetime:
    """The present; starts alone read the clock."""
    return datetime.now(UTC)


_NEEDED = re.compile(r"(?:PATH|HOME|TMPDIR|TZ|LANG|LC_.*|LD_.*|PYTHON.*|WIREDESK_LOG)")
"""What of the environment a Python needs, and who logs. Any other name may be a secret that config asks for."""


def start_process(main: str, *pipes: Connection) -> subprocess.Popen[bytes]:
    """Start *main*, as `module:function`, in a Python of its own that takes over its ends of *pipes* and is given the
    numbers of them, and nothing of the environment that may be secret. Raises OSError.

    `multiprocessing` would load the command line there first, and leave a process of its own beside it (6 MB) that
    tracks nothing.
    """
    module, _, function = main.partition(":")
    start = f"import sys; from {module} import {function}; {function}(*map(int, sys.argv[1:]))"
    numbers = [pipe.fileno() for pipe in pipes]
    try:
        return subprocess.Popen(  # noqa: S603 - words and numbers of ours
            [sys.executable, "-P", "-c", start, *map(str, numbers)],
            pass_fds=numbers,
            stdin=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if _NEEDED.fullmatch(name)}
            | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    finally:
        for pipe in pipes:
            pipe.close()


def collect_seldom() -> None:
    """Look for cyclic garbage seldom: entries by the thousand are no garbage, and looking at them all costs 3 to 8 %.

    What is loaded by now stays for good and is not looked at again.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


_MALLOC = {-8: 1, -3: 1 << 20, -1: 4 << 20}
"""Of glibc's `malloc.h`: M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD, the latter two in bytes. What brotli takes
for each document (600 KB) must not lie apart: having it from the system each time costs six times what brotli does.
"""


def keep_heap_small() -> None:
    """Have threads to come take memory from the heap that there is, and what is large lie apart and go back at once
    (glibc): that is 15 to 40 MB of a poll of 200 to 1,000 feeds all new, for a thread receives what another one lets
    go of, and tables that grow leave holes.
    """
    if (set_parameter := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        for parameter, value in _MALLOC.items():
            set_parameter(parameter, value)


def give_back_memory() -> None:
    """Look for garbage now, and give what is free of this process's memory back to the system, where the C library can
    (glibc): by itself it gives back what is free at the end of the heap alone.
    """
    gc.collect()
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


def without_threads() -> None:
    """Have numpy start no threads of its own, before it is loaded: they are a third of what loading it costs, and what
    one poll multiplies is small.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def tell_config(accepted: Accepted) -> None:
    """Say in the log what is wrong with the files, each with its line."""
    for line in first_lines(accepted.warnings):
        log.warning("config: %s", line)
    for line in first_lines(accepted.errors):
        log.error("config: %s", line)
    if accepted.errors:
        log.error("config: the files have errors, so the last good config (version %d) goes on", accepted.desk.version)
    tell_address(accepted.desk.settings, os.environ)


def keep_event(store: Store, kind: str, subject: str, fault: DeskError | None, *, now: datetime) -> None:
    """Keep *fault* as an open event until it is mended, which None says. Raises StoreError."""
    with store.read() as tx:
        present = next((event for event in tx.events.open() if (event.kind, event.subject) == (kind, subject)), None)
    if (fault and (fault.cause, fault.remedy)) == (present and (present.text, present.remedy)):
        return
    with store.write() as tx:
        if fault is None:
            tx.events.close(kind, subject, now)
        else:
            tx.events.add(kind, subject, text=fault.cause, remedy=fault.remedy, now=now)


def tell_address(settings: Settings, environ: Mapping[str, str]) -> None:
    """Say in the log why `base_url` can't be right for where this desk listens, by the *environ* of its processes."""
    if wrong := misleading(settings.base_url, environ.get("WIREDESK_BIND", ""), environ.get(LISTENING, "")):
        log.warning("config: %s: %s", *wrong)


CONTINUED = "\n         | "


class _Redacting(logging.Formatter):
    def __init__(self) -> None:
        super().__init__()
        token = os.environ.get("WIREDESK_ADMIN_TOKEN", "").strip()
        hidden = [os.environ.get(name, "") for name in ("WIREDESK_DATABASE", "WIREDESK_PROXY")]
        OF_THIS_PROCESS.add({"WIREDESK_ADMIN_TOKEN": token}, hidden)

    def message(self, record: logging.LogRecord) -> str:
        """What *record* says, without secrets."""
        return OF_THIS_PROCESS.redacted(record.getMessage())

    def traceback(self, record: logging.LogRecord) -> str:
        """The traceback of *record*, empty where it has none; lines of code, indented by four, are left as they are."""
        if not record.exc_info:
            return ""
        lines = OF_THIS_PROCESS.redacted(self.formatException(record.exc_info)).split("\n")
        return "\n".join(line if line.startswith("    ") else masked(line) for line in lines)


class HumanFormatter(_Redacting):
    """`12:00:01 WARNING source=… …`; what follows of a traceback stands behind a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for *record*."""
        clock = datetime.fromtimestamp(record.created, tz=UTC).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        text = "\n".join(filter(None, (self.message(record), self.traceback(record))))
        # What sources say stands in here: it must neither look like a line of ours nor command a terminal.
        return f"{clock} {level}{text.translate(CONTROLS)}".replace("\n", CONTINUED)


class JsonFormatter(_Redacting):
    """One JSON object a line: time (RFC 3339), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for *record*."""
        line = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.message(record),
        }
        if traceback := self.traceback(record):
            line["traceback"] = traceback
        return json.dumps(line, ensure_ascii=False)


def logging_config(environ: Mapping[str, str], *, verbose: bool = False, quiet: bool = False) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes, here and in the web server's processes: all to standard error.

    *quiet* leaves warnings and worse, *verbose* adds the reasons.
    """
    formatter = JsonFormatter if environ.get("WIREDESK_LOG") == "json" else HumanFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"desk": {"()": f"{formatter.__module__}.{formatter.__name__}"}},
        "handlers": {"desk": {"class": "logging.StreamHandler", "formatter": "desk", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["desk"], "level": "WARNING"},
        "loggers": {
            "feeds": {"level": "DEBUG" if verbose else "WARNING" if quiet else "INFO"},
            # It warns whenever a tick falls into a longer run of the same job, which is how ticks are meant here.
            "apscheduler": {"level": "ERROR"},
            "_granian": {"level": "WARNING"},
        },
    }


def set_up_logging(environ: Mapping[str, str], *, verbose: bool = False, quiet: bool = False) -> None:
    """Log as `logging_config` says, from now on, in this process."""
    logging.config.dictConfig(logging_config(environ, verbose=verbose, quiet=quiet))
    log_uncaught()


def log_uncaught() -> None:
    """Log what nobody catches in this process, too."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("a fault of ours ends this process", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "?"
        log.critical("a fault of ours ends thread=%s", name, exc_info=args.exc_value)
