"""The log: one line an event, for people or as JSON; nothing that a source says can forge a line."""

from __future__ import annotations

import json
import logging
import sys

from feeds.cli.common import HumanFormatter, JsonFormatter


def _record(message: str, error: bool = False) -> logging.LogRecord:
    trace = None
    if error:
        try:
            raise ValueError("inner\nlines")
        except ValueError:
            trace = sys.exc_info()
    return logging.LogRecord("feeds.ingest", logging.ERROR, "x.py", 1, message, (), trace)


def test_a_line_that_a_source_smuggles_in_stands_behind_a_bar() -> None:
    told = HumanFormatter().format(_record("source=Evil\n12:00:00 ERROR all is lost\x1b[31m\r", error=True))
    first, *rest = told.split("\n")
    assert first.endswith("ERROR source=Evil")
    assert rest and all(line.startswith("         | ") for line in rest)
    assert "\x1b" not in told and "\r" not in told


def test_json_is_one_object_a_line_with_the_traceback_inside() -> None:
    told = JsonFormatter().format(_record("two\nlines \x1b", error=True))
    assert "\n" not in told
    read = json.loads(told)
    assert read["message"] == "two\nlines \x1b"
    assert (read["level"], read["logger"]) == ("ERROR", "feeds.ingest")
    assert "ValueError" in read["traceback"]
    assert read["time"].endswith("+00:00")
