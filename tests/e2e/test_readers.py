"""Readers and parsers of others take every section whole, and are answered 304 when they ask again.

newsboat and sfeed as Debian ships them, the Python library `reader`, four parsers from npm. All of them go through a
relay that notes what was asked and answered, and each has to come to the same title, link, time, author and text.
"""

from __future__ import annotations

import contextlib
import html
import http.client
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from reader import make_reader

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import BEGIN, WORDS, Publisher
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


class Read(NamedTuple):
    """An entry as a reader has it: *at* in seconds, *text* without its markup."""

    title: str
    link: str
    at: int
    author: str
    text: str


Entries = dict[str, Read]


def words(markup: str) -> str:
    """What *markup* says."""
    return " ".join(html.unescape(re.sub(r"</?[a-z][^>]*>", " ", markup)).split())


def seconds(date: str) -> int:
    return int((datetime.fromisoformat(date) if date[0].isdigit() else parsedate_to_datetime(date)).timestamp())


@pytest.fixture(scope="session")
def parsers() -> Path:
    """The npm parsers that the lock file pins, beside the Python packages; installed when the file has changed."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed (Debian: apt install npm)")
    folder = Path(sys.prefix) / "npm-readers"
    folder.mkdir(exist_ok=True)
    shutil.copy(READERS / "read.mjs", folder)
    lock, installed = READERS / "package-lock.json", folder / "package-lock.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        shutil.copy(READERS / "package.json", folder)
        shutil.copy(lock, folder / "package-lock.json")
        try:
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
        except BaseException:
            installed.unlink()
            raise
    return folder


def address(section: str, suffix: str) -> str:
    return f"/{section or 'index'}.{suffix}"


def test_readers_of_others_take_every_section_whole_and_get_304_next(
    desk: Desk, relay: Relay, origin: Origin, parsers: Path, tmp_path: Path
) -> None:
    base = f"http://127.0.0.1:{relay.server_port}"
    publisher = Publisher(origin, author="Åda &amp; Søn")
    other = Publisher(origin, "/other.xml", name="Other", author="Bo")
    for number, title in enumerate(TITLES, 1):
        said = " ".join(f"{word}{number}" for word in WORDS)
        publisher.publish(title, f"&lt;p&gt;{said} &amp;amp; &lt;b&gt;so&lt;/b&gt; 3 &amp;lt; 4&lt;/p&gt;")
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
    desk.write(sections=tree, sources=sources)
    desk.start(WIREDESK_BASE_URL=base)
    until(lambda: len(desk.items("/index.json")) == len(TITLES) + 20, what="the articles")
    wanted: dict[str, Entries] = {}
    for section in SECTIONS:
        until(lambda section=section: desk.items(address(section, "json")), what=f"the document of {section!r}")
        wanted[section] = {str(item["id"]): _item(item) for item in desk.items(address(section, "json"))}
    # What was sent is what all of them are held to.
    sent = sorted(wanted["news/world"].values(), key=lambda each: each.at)
    assert {each.title for each in sent} == READ_TITLES
    for number, each in enumerate(sent, 1):
        assert each.link == f"https://tidings.example/feed.xml/{number}"
        assert each.at == (BEGIN + timedelta(minutes=number)).timestamp()
        assert each.author == "Åda & Søn"
        assert each.text.startswith(f"harbour{number} council{number} ") and each.text.endswith("& so 3 < 4")

    _npm(parsers, base, wanted)
    _reader(relay, base, wanted)
    _newsboat(relay, base, wanted, tmp_path)
    _sfeed(relay, base, wanted, tmp_path)


def _item(item: dict[str, Any]) -> Read:
    return Read(
        title=item["title"],
        link=item["url"],
        at=seconds(item["date_published"]),
        author=item["authors"][0]["name"],
        text=words(item["content_html"]),
    )


def _npm(parsers: Path, base: str, wanted: dict[str, Entries]) -> None:
    urls = {base + address(section, suffix): section for section in SECTIONS for suffix in ("rss", "atom", "json")}
    ended = subprocess.run(["node", "read.mjs", *urls], cwd=parsers, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    for url, told in json.loads(ended.stdout).items():
        assert told["status"] == 304, url
        assert len(told["by"]) == (1 if url.endswith(".json") else 4)
        for parser, entries in told["by"].items():
            found = {
                each["id"]: Read(
                    each["title"], each["link"], seconds(each["at"]), each["author"], words(each["content"])
                )
                for each in entries
            }
            assert found == wanted[urls[url]], (parser, url)


def _reader(relay: Relay, base: str, wanted: dict[str, Entries]) -> None:
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
                found = {}
                for each in library.get_entries(feed=base + path):
                    assert each.published is not None
                    text = words(each.get_content().value)  # type: ignore[union-attr]
                    at = int(each.published.timestamp())
                    found[each.id] = Read(str(each.title), str(each.link), at, each.authors_str or "", text)
                assert found == wanted[section], path
                assert relay.statuses(path) == [200, 304], path


def _newsboat(relay: Relay, base: str, wanted: dict[str, Entries], folder: Path) -> None:
    if shutil.which("newsboat") is None:
        pytest.skip("newsboat is not installed (Debian: apt install newsboat)")
    (folder / "settings").write_text("download-retries 1\nmax-items 0\n")
    environ = {"HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    relay.noted.clear()
    for section in SECTIONS:
        for suffix in ("rss", "atom"):
            # A cache each: newsboat keeps an article that is in two feeds once.
            path, cache = address(section, suffix), folder / f"{section.replace('/', '-')}.{suffix}.db"
            (folder / "urls").write_text(f"{base}{path}\n")
            command = ["newsboat", "-u", str(folder / "urls"), "-c", str(cache), "-C", str(folder / "settings")]
            # It keeps validators from the second time on: at the first it has no row yet to keep them in.
            for _ in range(3):
                subprocess.run([*command, "-x", "reload"], check=True, capture_output=True, timeout=60, env=environ)
            with contextlib.closing(sqlite3.connect(cache)) as kept:
                rows = kept.execute("select guid, title, url, pubDate, author, content from rss_item").fetchall()
            assert {row[0]: Read(*row[1:5], words(row[5])) for row in rows} == wanted[section], path  # type: ignore[call-arg]
            assert relay.statuses(path) == [200, 200, 304], path


def _sfeed(relay: Relay, base: str, wanted: dict[str, Entries], folder: Path) -> None:
    if shutil.which("sfeed_update") is None:
        pytest.skip("sfeed is not installed (Debian: apt install sfeed)")
    names = {
        f"{section.replace('/', '-') or 'all'}-{suffix}": (section, address(section, suffix))
        for section in SECTIONS
        for suffix in ("rss", "atom")
    }
    lines = [f'feed "{name}" "{base}{path}"' for name, (_, path) in names.items()]
    # The way to ask conditionally that its own documentation gives.
    fetch = 'etag="$sfeedpath/$(basename "$3").etag"; curl -s -f --etag-save "$etag" --etag-compare "$etag" "$2"'
    rc = f'sfeedpath="{folder}/sfeeds"\nfetch() {{ {fetch}; }}\nfeeds() {{\n' + "\n".join(lines) + "\n}\n"
    (folder / "sfeedrc").write_text(rc)
    relay.noted.clear()
    for _ in range(2):
        subprocess.run(["sfeed_update", str(folder / "sfeedrc")], check=True, capture_output=True, timeout=60)
    for name, (section, path) in names.items():
        found = {}
        for row in (folder / "sfeeds" / name).read_text().splitlines():
            at, title, link, content, _, uid, author = row.split("\t")[:7]
            found[uid] = Read(title, link, int(at), author, words(content.replace("\\n", "\n")))
        assert found == wanted[section], path
        assert relay.statuses(path) == [200, 304], path
