"""Logging as entrances set it up: a line an event, for people on a terminal, JSON with WIREDESK_LOG=json. I/O."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime


class HumanFormatter(logging.Formatter):
    """`12:00:01 WARNING source=… …`; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for *record*."""
        clock = datetime.fromtimestamp(record.created, tz=UTC).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        line = f"{clock} {level}{record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (RFC 3339), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for *record*."""
        told = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def set_up_logging(environ: Mapping[str, str], *, verbose: bool = False, quiet: bool = False) -> None:
    """Send the log to standard error. *quiet* leaves warnings and worse, *verbose* adds the reasons."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if environ.get("WIREDESK_LOG") == "json" else HumanFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # It warns whenever a tick falls into a longer run of the same job, which is how ticks are meant here.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("feeds").setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
