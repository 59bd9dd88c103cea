"""Readers and parsers of others take every section whole, and are answered 304 when they ask again.

newsboat and sfeed as Debian ships them, the Python library `reader`, three parsers from npm. All of them go through a
relay that notes what was asked and answered.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from reader import make_reader

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

READERS = Path(__file__).with_name("readers")
SECTIONS = ("news", "news/world", "sea", "")
TITLES = (
    "Plain",
    "Fish &amp; chips: 3 &amp;lt; 4",
    "Über 日本語 עברית 🎏",
    "“Quotes” and ]]&gt; the end of CDATA",
    "A title that goes on and on, " * 8,
)
READ_TITLES = {
    "Plain",
    "Fish & chips: 3 < 4",
    "Über 日本語 עברית 🎏",
    "“Quotes” and ]]> the end of CDATA",
    ("A title that goes on and on, " * 8).strip(),
}


class Relay(ThreadingHTTPServer):
    """Hands requests on to a desk and notes (path, status)."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Hop)
        self.desk_port = port
        self.noted: list[tuple[str, int]] = []

    def statuses(self, path: str) -> list[int]:
        return [status for asked, status in self.noted if asked == path]


class Hop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Relay

    def do_GET(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.desk_port, timeout=10)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        connection.request("GET", self.path, headers=headers | {"Host": self.headers["Host"]})
        answered = connection.getresponse()
        body = answered.read()
        connection.close()
        self.server.noted.append((self.path, answered.status))
        self.send_response_only(answered.status)
        for name, value in answered.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        if answered.status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def relay(desk: Desk) -> Iterator[Relay]:
    """A relay before *desk*."""
    with Relay(desk.port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def parsers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm parsers, installed once into a folder that is kept between runs where WIREDESK_TEST_CACHE names one."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (Debian: apt install npm)")
    kept = os.environ.get("WIREDESK_TEST_CACHE")
    folder = Path(kept) / "readers" if kept else tmp_path_factory.mktemp("readers")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "read.mjs"):
        shutil.copy(READERS / name, folder)
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    return folder


def address(section: str, suffix: str) -> str:
    return f"/{section or 'index'}.{suffix}"


def test_readers_of_others_take_every_section_whole_and_get_304_next(
    desk: Desk, relay: Relay, origin: Origin, parsers: Path, tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{relay.server_port}"
    publisher, other = Publisher(origin), Publisher(origin, "/other.xml", name="Other")
    for title in TITLES:
        publisher.publish(title)
    for number in range(20):
        other.publish(f"Tide {number}")
    tree = {
        "news": {"title": "News & views", "include_children": True, "sections": {"world": {"title": "World"}}},
        "sea": {"title": "Sea"},
    }
    sources = [
        {"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 3600},
        {"name": "Other", "url": other.url, "section": "sea", "interval_s": 3600},
    ]
    desk.write(sections=tree, sources=sources, desk={"base_url": base})
    desk.start()
    until(lambda: len(desk.items("/index.json")) == len(TITLES) + 20, what="the articles")
    wanted: dict[str, dict[str, str]] = {}
    for section in SECTIONS:
        until(lambda section=section: desk.items(address(section, "json")), what=f"the document of {section!r}")
        wanted[section] = {str(item["id"]): str(item["title"]) for item in desk.items(address(section, "json"))}
    assert set(wanted["news/world"].values()) == READ_TITLES

    _npm(parsers, base, wanted)
    _reader(relay, base, wanted)
    _newsboat(relay, base, wanted, tmp_path)
    _sfeed(relay, base, wanted, tmp_path)


def _npm(parsers: Path, base: str, wanted: dict[str, dict[str, str]]) -> None:
    urls = {base + address(section, suffix): section for section in SECTIONS for suffix in ("rss", "atom", "json")}
    ended = subprocess.run(["node", "read.mjs", *urls], cwd=parsers, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    for url, told in json.loads(ended.stdout).items():
        assert told["status"] == 304, url
        assert len(told["by"]) == (1 if url.endswith(".json") else 3)
        for parser, entries in told["by"].items():
            assert dict(entries) == wanted[urls[url]], (parser, url)


def _reader(relay: Relay, base: str, wanted: dict[str, dict[str, str]]) -> None:
    with make_reader(":memory:") as library:
        for section in SECTIONS:
            for suffix in ("rss", "atom", "json"):
                library.add_feed(base + address(section, suffix))
        relay.noted.clear()
        for _ in range(2):
            for feed in list(library.get_feeds()):
                library.update_feed(feed)
        for section in SECTIONS:
            for suffix in ("rss", "atom", "json"):
                path = address(section, suffix)
                entries = library.get_entries(feed=base + path)
                assert {entry.id: entry.title for entry in entries} == wanted[section], path
                assert relay.statuses(path) == [200, 304], path


def _newsboat(relay: Relay, base: str, wanted: dict[str, dict[str, str]], folder: Path) -> None:
    if shutil.which("newsboat") is None:
        pytest.skip("newsboat is not installed (Debian: apt install newsboat)")
    (folder / "settings").write_text("download-retries 1\nmax-items 0\n")
    environ = {"HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    relay.noted.clear()
    for number, section in enumerate(SECTIONS):
        # A cache each: newsboat keeps an article that is in two feeds once.
        path, cache = address(section, "atom"), folder / f"{number}.db"
        (folder / "urls").write_text(f"{base}{path}\n")
        command = ["newsboat", "-u", str(folder / "urls"), "-c", str(cache), "-C", str(folder / "settings")]
        # It keeps validators from the second time on: at the first it has no row yet to keep them in.
        for _ in range(3):
            subprocess.run([*command, "-x", "reload"], check=True, capture_output=True, timeout=60, env=environ)
        with contextlib.closing(sqlite3.connect(cache)) as kept:
            rows = kept.execute("select guid, title from rss_item").fetchall()
        assert dict(rows) == wanted[section], path
        assert relay.statuses(path) == [200, 200, 304], path


def _sfeed(relay: Relay, base: str, wanted: dict[str, dict[str, str]], folder: Path) -> None:
    if shutil.which("sfeed_update") is None:
        pytest.skip("sfeed is not installed (Debian: apt install sfeed)")
    lines = [f'feed "{section.replace("/", "-") or "all"}" "{base}{address(section, "rss")}"' for section in SECTIONS]
    # The way to ask conditionally that its own documentation gives.
    fetch = 'etag="$sfeedpath/$(basename "$3").etag"; curl -s -f --etag-save "$etag" --etag-compare "$etag" "$2"'
    rc = f'sfeedpath="{folder}/sfeeds"\nfetch() {{ {fetch}; }}\nfeeds() {{\n' + "\n".join(lines) + "\n}\n"
    (folder / "sfeedrc").write_text(rc)
    relay.noted.clear()
    for _ in range(2):
        subprocess.run(["sfeed_update", str(folder / "sfeedrc")], check=True, capture_output=True, timeout=60)
    for section in SECTIONS:
        rows = (folder / "sfeeds" / (section.replace("/", "-") or "all")).read_text().splitlines()
        found = {row.split("\t")[5]: row.split("\t")[1] for row in rows}
        assert found == wanted[section]
        assert relay.statuses(address(section, "rss")) == [200, 304]
