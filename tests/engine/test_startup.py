"""The log: one line an event, for people or as JSON; nothing that a source says can forge a line."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from feeds.engine.startup import HumanFormatter, JsonFormatter


def _record(message: str, error: bool = False) -> logging.LogRecord:
    trace = None
    if error:
        try:
            raise ValueError("inner\nlines")
        except ValueError:
            trace = sys.exc_info()
    return logging.LogRecord("feeds.ingest", logging.ERROR, "x.py", 1, message, (), trace)


def test_a_line_that_a_source_smuggles_in_stands_behind_a_bar() -> None:
    told = HumanFormatter().format(
        _record("source=Evil\n12:00:00 ERROR all is lost\x1b[31m\r\u2028\u202egnp", error=True)
    )
    first, *rest = told.split("\n")
    assert first.endswith("ERROR source=Evil")
    assert rest and all(line.startswith("         | ") for line in rest)
    assert not set("\x1b\r\u2028\u202e") & set(told)


def test_json_is_one_object_a_line_with_the_traceback_inside() -> None:
    told = JsonFormatter().format(_record("two\nlines \x1b", error=True))
    assert "\n" not in told
    read = json.loads(told)
    assert read["message"] == "two\nlines \x1b"
    assert (read["level"], read["logger"]) == ("ERROR", "feeds.ingest")
    assert "ValueError" in read["traceback"]
    assert read["time"].endswith("+00:00")


@pytest.mark.parametrize("kind", ["", "json"], ids=["for people", "JSON"])
@pytest.mark.parametrize("where", ["process", "thread"])
def test_what_nobody_catches_is_logged_without_secrets(where: str, kind: str) -> None:
    program = f"""
import os, threading
from feeds.engine.startup import set_up_logging
from feeds.redaction import OF_THIS_PROCESS

set_up_logging(os.environ)
OF_THIS_PROCESS.add({{"TOKEN": "tok/7f3a9c"}}, ["Authorization: Basic d2lyZTpwYXNz"])

def fail():
    told = "tok/7f3a9c tok%2F7f3a9c admin-5590cafe d2lyZTpwYXNz http://u:dbpass99@db.example/x http://me:mine@x.example/"
    raise ValueError(told)

{"fail()" if where == "process" else "one = threading.Thread(target=fail); one.start(); one.join()"}
"""
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "WIREDESK_LOG": kind,
        "WIREDESK_ADMIN_TOKEN": "admin-5590cafe",
        "WIREDESK_DATABASE": "postgresql://u:dbpass99@db.example/x",
    }
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert "ValueError: ${TOKEN} ${TOKEN} ${WIREDESK_ADMIN_TOKEN} *** " in ended.stderr
    assert "CRITICAL" in ended.stderr and "a fault of ours" in ended.stderr
    for secret in ("7f3a9c", "5590cafe", "d2lyZ", "dbpass99", "mine"):
        assert secret not in ended.stderr
