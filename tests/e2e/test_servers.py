"""`wsgi.app` is a Flask application: every WSGI server, and Flask's own commands, work with it as with any other."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.desk import ROOT, Desk, free_port, until

SERVERS = {
    "flask": ["-m", "flask", "--app", "wsgi", "run", "--port", "{port}"],
    "gunicorn": ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", "wsgi:app"],
    "granian": ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "wsgi:app"],
    "waitress": ["-m", "waitress", "--listen", "127.0.0.1:{port}", "wsgi:app"],
    "uwsgi": [
        "-c", "import pyuwsgi; pyuwsgi.run()", "--http-socket", "127.0.0.1:{port}", "--module", "wsgi:app",
        "--need-app", "--die-on-term", "--master", "--enable-threads",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where a desk has published one article."""
    desk = Desk(tmp_path_factory.mktemp("published"))
    (desk.config / "note.txt").write_text("A note\n\nThere is one article, and it is about nothing in particular.\n")
    os.utime(desk.config / "note.txt", (1_700_000_000, 1_700_000_000))
    desk.write(sources=[{"name": "Notes", "files": "note.txt", "section": "news/world"}])
    ended = desk.command("poll")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return desk.environ({"WIREDESK_DATA": str(desk.data), "PYTHONPATH": str(ROOT)})


@contextmanager
def serving(name: str, port: int, environ: dict[str, str], log: Path) -> Iterator[None]:
    command = [part.format(port=port) for part in SERVERS[name]]
    with log.open("wb") as written:
        process = subprocess.Popen([sys.executable, *command], stdout=written, stderr=written, env=environ, cwd=ROOT)
    try:
        until(lambda: answers(port) or process.poll() is not None, what=f"the start of {name}")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(60)


def answers(port: int) -> bool:
    try:
        return ask(port, "/healthz")[0] == 200
    except OSError:
        return False


def ask(port: int, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


@pytest.mark.parametrize("name", SERVERS)
def test_each_server_serves_documents_pages_and_304(name: str, environ: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    with serving(name, port, environ, tmp_path / "log"):
        status, headers, body = ask(port, "/news/world.json")
        assert (status, [item["title"] for item in json.loads(body)["items"]]) == (200, ["A note"])
        assert ask(port, "/news/world.json", **{"If-None-Match": headers["ETag"]})[0] == 304
        assert b"A note" in ask(port, "/news/world")[2]
        assert ask(port, "/nowhere")[0] == 404


def test_flask_s_own_commands_know_the_application(environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "routes"]
    told = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "/healthz" in told.stdout and "/search" in told.stdout
