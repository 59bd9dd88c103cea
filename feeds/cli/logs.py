"""Logging as entrances set it up: a line an event, for people on a terminal, JSON with WIREDESK_LOG=json. I/O."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(10), *range(11, 32), *range(127, 160))} | {9: " "}
CONTINUED = "\n         | "


class HumanFormatter(logging.Formatter):
    """`12:00:01 WARNING source=… …`; what follows of a traceback stands behind a bar."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for *record*."""
        clock = datetime.fromtimestamp(record.created, tz=UTC).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        told = record.getMessage()
        if record.exc_info:
            told = f"{told}\n{self.formatException(record.exc_info)}"
        # What sources say stands in here: it must neither look like a line of ours nor command a terminal.
        return f"{clock} {level}{told.translate(CONTROLS)}".replace("\n", CONTINUED)


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


class Meant(logging.Filter):
    """Keeps the server's advice on the number of threads to itself: most of ours wait (`feeds.serve.admission`)."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be told."""
        return "Python threads" not in record.getMessage()


def logging_config(environ: Mapping[str, str], *, verbose: bool = False, quiet: bool = False) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes, here and in the web server's processes: all to standard error.

    *quiet* leaves warnings and worse, *verbose* adds the reasons.
    """
    formatter = JsonFormatter if environ.get("WIREDESK_LOG") == "json" else HumanFormatter
    return {
        "version": 1,
        "filters": {"meant": {"()": f"{Meant.__module__}.{Meant.__name__}"}},
        "disable_existing_loggers": False,
        "formatters": {"desk": {"()": f"{formatter.__module__}.{formatter.__name__}"}},
        "handlers": {"desk": {"class": "logging.StreamHandler", "formatter": "desk", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["desk"], "level": "WARNING"},
        "loggers": {
            "feeds": {"level": "DEBUG" if verbose else "WARNING" if quiet else "INFO"},
            # It warns whenever a tick falls into a longer run of the same job, which is how ticks are meant here.
            "apscheduler": {"level": "ERROR"},
            "_granian": {"level": "WARNING", "filters": ["meant"]},
        },
    }


def set_up_logging(environ: Mapping[str, str], *, verbose: bool = False, quiet: bool = False) -> None:
    """Log as `logging_config` says, from now on, in this process."""
    logging.config.dictConfig(logging_config(environ, verbose=verbose, quiet=quiet))
