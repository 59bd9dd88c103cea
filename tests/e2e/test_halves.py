"""`wiredesk worker` and `wiredesk web` apart, as a Procfile starts them: on one file, and on a PostgreSQL of many."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.desk import ROOT, Desk, free_port, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin
from tests.store import postgres


class Half:
    """One process of the desk's, with its log."""

    def __init__(
        self,
        desk: Desk,
        name: str,
        *arguments: str,
        config: bool = True,
        program: Sequence[str] = ("-m", "feeds.cli"),
        **environ: str,
    ) -> None:
        self.log = desk.config.parent / f"{name}.log"
        places = ["--config", str(desk.config)] if config else []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, *arguments, *places],
                stdout=log,
                stderr=log,
                env=desk.environ(environ),
                cwd=ROOT,
            )

    def said(self) -> str:
        return self.log.read_text()

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(60)


@pytest.fixture
def halves() -> Iterator[ExitStack]:
    """Whatever is started here is ended."""
    with ExitStack() as stack:
        yield stack


def start(halves: ExitStack, half: Half) -> Half:
    halves.callback(lambda: half.process.poll() is None and half.process.kill())
    return half


def serves(desk: Desk, web: Half, path: str) -> bool:
    assert web.process.poll() is None, web.said()
    try:
        return bool(desk.items(path))
    except OSError:
        return False


def test_on_one_file_a_worker_and_a_web_process_are_a_desk(desk: Desk, origin: Origin, halves: ExitStack) -> None:
    publisher = Publisher(origin)
    publisher.publish("By the worker")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world"}])
    data = {"WIREDESK_DATA": str(desk.data)}
    # Whoever starts first waits for the other half: a Procfile knows no order.
    web = start(halves, Half(desk, "web", "web", "--host", "127.0.0.1", PORT=str(desk.port), **data))
    until(lambda: _answers(desk), what="the web half")
    assert "until `wiredesk worker` has made it" in web.said()
    worker = start(halves, Half(desk, "worker", "worker", **data))
    until(lambda: serves(desk, web, "/news/world.json"), what="the article")
    second = start(halves, Half(desk, "second", "worker", **data))
    assert second.process.wait(60) == 1
    assert f"process {worker.process.pid}" in second.said()
    assert (worker.end(), web.end()) == (0, 0)


def _answers(desk: Desk) -> bool:
    try:
        return desk.get("/healthz").status == 200
    except OSError:
        return False


def test_on_postgresql_a_second_worker_stands_by_and_takes_over(
    desk: Desk, origin: Origin, halves: ExitStack, tmp_path: Path
) -> None:
    publisher = Publisher(origin)
    publisher.publish("One")
    desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 1}])
    url = halves.enter_context(postgres.running())

    def data(name: str) -> dict[str, str]:
        # Of machines that share nothing but the database.
        return {"WIREDESK_DATABASE": url, "WIREDESK_DATA": str(tmp_path / name)}

    worker = start(halves, Half(desk, "worker", "worker", **data("a")))
    until(lambda: "polled source=Tidings" in worker.said(), within_s=90, what="the first poll")
    assert "database postgresql:///postgres" in worker.said().splitlines()[0]
    web = start(halves, Half(desk, "web", "web", config=False, PORT=str(desk.port), **data("b")))
    until(lambda: serves(desk, web, "/news/world.json"), what="the article")
    second = start(halves, Half(desk, "second", "worker", **data("c")))
    until(lambda: "standing by" in second.said(), what="the stand-by")
    worker.process.kill()
    publisher.publish("Two")
    until(lambda: len(desk.items("/news/world.json")) == 2, what="the stand-by's poll")
    assert "deciding from now on" in second.said()
    third = start(halves, Half(desk, "third", "worker", **data("d")))
    until(lambda: "standing by" in third.said(), what="the second stand-by")
    assert (third.end(), second.end(), web.end()) == (0, 0, 0)


def test_both_lines_of_the_procfile_start(desk: Desk, halves: ExitStack) -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)
    assert set(lines) == {"web", "worker"}
    desk.port = free_port()
    for name, line in lines.items():
        environ = desk.environ({"PORT": str(desk.port), "WIREDESK_DATA": str(desk.data)})
        environ |= {"WIREDESK_CONFIG": str(desk.config), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        log = (desk.config.parent / f"{name}.log").open("wb")
        process = subprocess.Popen(["/bin/sh", "-c", f"exec {line}"], env=environ, cwd=ROOT, stdout=log, stderr=log)
        halves.callback(log.close)
        halves.callback(process.wait, 20)
        halves.callback(process.terminate)
    until(lambda: _answers(desk) and desk.get("/readyz").status == 200, what="both halves")
    assert desk.get("/").status == 200
