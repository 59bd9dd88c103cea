"""One desk after another, run from outside and written down: what `bench/compare.py` compares.

    python bench/recorder.py --checkout DIR --inputs DIR --data DIR --part NAME --into FILE

Runs in a process of its own with the code of *checkout*, and touches only what users and readers touch: the command
line (`feeds.cli:main`), the web application (`wsgi:app`), the config files, and the database by SQL. The clock stands
still within a command (`faults_clock.c`, preloaded by `compare.py`), and what is drawn by chance is drawn from the
command's name. Each command runs in a child of a process that has imported the package: none pays for that again.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import importlib
import json
import mmap
import os
import pickle
import pkgutil
import random
import re
import shutil
import signal
import sqlite3
import sys
import tarfile
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from werkzeug.test import create_environ, run_wsgi_app

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
BASE = "https://wire.example.org"
PATIENCE_S = 240.0
"""How long an answer waits for its turn; then it is given all the same, and the recording is not the same each time."""
Record = dict[str, dict[str, str]]
"""What was seen, by kind and then by name."""


class Clock:
    """The clock that the shim shows: a number in a file."""

    def __init__(self, path: str) -> None:
        with open(path, "r+b") as file:
            self._seconds = mmap.mmap(file.fileno(), 8)
        self.set(NOW)

    def set(self, now: datetime) -> None:
        self.now = now
        self._seconds[:8] = int(now.timestamp()).to_bytes(8, sys.byteorder)


def fix_chance(name: str) -> None:
    """Draw everything from *name* from now on: `os.urandom` (so uuid and secrets too) and `random`.

    Each length is a series of its own: what a library draws for a name shifts no article's id.
    """
    drawn: Counter[int] = Counter()

    def urandom(count: int) -> bytes:
        drawn[count] += 1
        return hashlib.shake_256(f"{name} {count} {drawn[count]}".encode()).digest(count)

    os.urandom = urandom
    random._urandom = urandom  # type: ignore[attr-defined]
    random.random = lambda: 0.5  # several threads draw, in any order
    random.uniform = lambda least, most: (least + most) / 2  # type: ignore[method-assign, assignment]


# ---------------------------------------------------------------- an origin that any host name leads to


class Origin(BaseHTTPRequestHandler):
    """Answers as a proxy, from files: in the order told, each when the desk has saved what the last one brought."""

    protocol_version = "HTTP/1.1"
    folder: Path
    turn = threading.Condition()
    command = ""
    waiting: list[str] = []
    polls = False
    polled: frozenset[str] = frozenset()
    at = sources = bodies = 0

    @classmethod
    @contextlib.contextmanager
    def serve(cls, folder: Path) -> Iterator[int]:
        """Serve what `show` puts below *folder*, in a child; gives the port."""
        cls.folder = folder
        ThreadingHTTPServer.request_queue_size = 1024
        server = ThreadingHTTPServer(("127.0.0.1", 0), cls)
        child = os.fork()
        if child == 0:
            server.serve_forever()
        server.server_close()
        try:
            yield server.server_address[1]
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def do_GET(self) -> None:
        url = self.path if "://" in self.path else f"http://{self.headers['Host']}{self.path}"
        shown = self.folder / hashlib.sha256(url.encode()).hexdigest()
        until = time.monotonic() + PATIENCE_S
        with Origin.turn, contextlib.closing(self._database()) as opened:
            while url in Origin.waiting and Origin.waiting[0] != url and time.monotonic() < until:
                Origin.turn.wait(1.0)
            while not self._is_saved(opened) and time.monotonic() < until:
                time.sleep(0.004)
            if time.monotonic() >= until:
                print(f"recorder: {url} was answered out of turn, for this machine is too busy", file=sys.stderr)
            if url in Origin.waiting:
                Origin.waiting.remove(url)
            if url in Origin.polled:
                Origin.sources += 1
            elif shown.exists():
                Origin.bodies = _number(opened, BODIES) + 1
            if shown.exists():
                self._answer(*pickle.loads(shown.read_bytes()))
            else:
                self._answer(404, {"Content-Type": "text/plain"}, b"no such page")
            Origin.turn.notify_all()

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, headers, body = 304, {}, b""
        self.send_response_only(status)
        for name, value in {"ETag": etag, "Content-Length": str(len(body)), **headers}.items():
            if status == 200 or name != "ETag":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _database(self) -> sqlite3.Connection:
        """The desk's database. A new command begins to count, and tells in which order it is answered."""
        told = json.loads((self.folder / "command").read_text())
        opened = sqlite3.connect(f"file:{told['database']}?mode=ro", uri=True)
        if told["command"] != Origin.command:
            Origin.command, Origin.at = told["command"], told["at"]
            Origin.waiting, Origin.polls = told["order"], told["polled"] is not None
            Origin.polled = frozenset(told["polled"] or ())
            Origin.sources = Origin.bodies = 0
        return opened

    def _is_saved(self, opened: sqlite3.Connection) -> bool:
        """Whether all that this command was answered is saved: polls that ended, bodies out of the inbox."""
        if not Origin.polls:
            return True
        ended = _number(opened, f"select count(*) from polls where at = {Origin.at}")
        came = _number(opened, BODIES)
        waiting = _number(opened, "select count(*) from inbox where next_try_at is null")
        return ended >= Origin.sources and came >= Origin.bodies and not waiting

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


BODIES = "select coalesce(max(seq), 0) from sqlite_sequence where name = 'inbox'"
"""How many bodies have ever come."""


def _number(opened: sqlite3.Connection, query: str) -> int:
    return int(opened.execute(query).fetchone()[0])


# ---------------------------------------------------------------- a desk, used from outside


class Desk:
    """A desk in a folder of its own; what it says and publishes goes to *record*."""

    def __init__(self, name: str, folder: Path, clock: Clock, record: Record, port: int) -> None:
        self.name, self.clock, self.record, self.port = name, clock, record, port
        self.folder = folder / name
        self.config, self.data = self.folder / "config", self.folder / "data"
        self.config.mkdir(parents=True)
        self.data.mkdir()
        self.origin = folder / "origin"
        self.database = self.data / "desk.sqlite3"
        self.order: list[str] = []
        self.polled: list[str] = []
        self._commands = 0

    def show(self, url: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Let the origin answer *url* with *body*; the address. Names of headers with ``_`` for ``-``."""
        headers.setdefault(
            "Content_Type",
            "text/html" if body.lstrip()[:1] != b"<" or b"<html" in body[:900].lower() else "application/xml",
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        file = self.origin / hashlib.sha256(url.encode()).hexdigest()
        file.write_bytes(pickle.dumps((status, named, body)))
        return url

    def write(self, sources: Sequence[dict[str, Any]], sections: dict[str, Any] | str, **desk: Any) -> None:
        """Write the config files; JSON is YAML."""
        self.polled = [_address(source) for source in sources if "files" not in source]
        self.order = list(self.polled)
        told: dict[str, Any] = {
            "title": "Compared",
            "base_url": BASE,
            "contact": "desk@example.org",
            "poll": {"first_s": 3600, "floor_s": 60, "gap_s": 0, "per_host": 100},
            "fetch": {
                "proxy": f"http://127.0.0.1:{self.port}",
                "allow_private": ["127.0.0.0/8"],
                "max_transfers": 1000,
                "timeout_s": 600,
                "idle_s": 600,
            },
            "publish": {"full_text": "full", "first_import": 20, "keep_days": 0},
        }
        for key, value in desk.items():
            told[key] = {**told[key], **value} if isinstance(value, dict) and key in told else value
        (self.config / "wiredesk.yaml").write_text(json.dumps(told, indent=1))
        (self.config / "sections.yaml").write_text(
            sections if isinstance(sections, str) else json.dumps(sections, indent=1)
        )
        (self.config / "sources.yaml").write_text("\n".join(f"- {json.dumps(source)}" for source in sources) + "\n")

    def run(self, *arguments: str, kind: str = "command", name: str = "") -> str:
        """Run `wiredesk ARGUMENTS`, note its exit code, output and errors; what it printed."""
        ((name, printed),) = self.run_each([arguments], kind=kind, names=[name] if name else None).items()
        return printed

    def poll_all(self, at_once: int = 60) -> None:
        """Poll every source that the origin answers, so many in one command."""
        told = [json.loads(line[2:]) for line in (self.config / "sources.yaml").read_text().splitlines()]
        names = [source["name"] for source in told if "files" not in source]
        whole = self.order
        for at in range(0, len(names), at_once):
            some = set(names[at : at + at_once])
            asked = {_address(source) for source in told if source["name"] in some}
            sites = {urlsplit(url).hostname for url in asked}
            pages = [url for url in whole if url not in self.polled and urlsplit(url).hostname in sites]
            self.order = [url for url in whole if url in asked or url in pages]
            self.run(
                "poll", *names[at : at + at_once], name=f"{self.name} {self.clock.now:%d.%m. %H:%M} poll from {at}"
            )
            self.later(minutes=1)
        self.order = whole

    def run_each(
        self,
        commands: Iterable[Sequence[str]],
        *,
        kind: str = "command",
        names: Sequence[str] | None = None,
        before: Sequence[Callable[[], None]] | None = None,
    ) -> dict[str, str]:
        """Run commands one after another in one child, each as a fresh `main`; what each printed, by its name."""
        self._commands += 1
        label = f"{self.name} {self._commands}"
        listed = list(commands)
        at = int(self.clock.now.timestamp()) * 1_000_000
        # Only a poll saves what it is answered; `preview` and `discover` are answered at once.
        polls = any(arguments[0] == "poll" for arguments in listed if arguments)
        told = {
            "command": label,
            "database": str(self.database),
            "at": at,
            "order": self.order if polls else [],
            "polled": self.polled if polls else None,
        }
        (self.origin / "command").write_text(json.dumps(told))

        def work() -> list[tuple[int, str, str]]:
            return [self._main(each, before[place] if before else None) for place, each in enumerate(listed)]

        printed = {}
        for place, (arguments, (code, out, err)) in enumerate(zip(listed, self._child(label, work), strict=True)):
            name = names[place] if names else f"{label}: {' '.join(arguments)}"
            self.note(kind, name, f"exit {code}\n{out}\n--\n{err}")
            printed[name] = out
        return printed

    def _main(self, arguments: Sequence[str], before: Callable[[], None] | None) -> tuple[int, str, str]:
        """In the child: `wiredesk ARGUMENTS`."""
        if before:
            before()
        files = [tempfile.TemporaryFile("w+b", dir=self.folder) for _ in range(2)]
        for number, file in enumerate(files, 1):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", encoding="utf-8") for number in (1, 2))
        sys.argv = ["wiredesk", *arguments]
        code: Any = 0
        try:
            importlib.import_module("feeds.cli").main()
        except SystemExit as ended:
            code = ended.code or 0
        sys.stdout.flush(), sys.stderr.flush()
        read = []
        for file in files:
            file.seek(0)
            read.append(file.read().decode(errors="replace"))
        return code, read[0], read[1]

    def _child(self, label: str, work: Callable[[], Any]) -> Any:
        """What *work* gives, done in a child of this process with this desk's environment."""
        with tempfile.NamedTemporaryFile() as file:
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    fix_chance(label)
                    os.environ["WIREDESK_CONFIG"], os.environ["WIREDESK_DATA"] = str(self.config), str(self.data)
                    os.chdir(self.folder)
                    made = pickle.dumps(work())
                    Path(file.name).write_bytes(made)
                    code = 0
                except BaseException:
                    import traceback

                    Path(file.name).write_text(traceback.format_exc())
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            if status:
                raise SystemExit(f"{label}: {Path(file.name).read_text(errors='replace')}")
            return pickle.loads(Path(file.name).read_bytes())

    def later(self, **passed: float) -> None:
        self.clock.set(self.clock.now + timedelta(**passed))

    def note(self, kind: str, name: str, value: str) -> None:
        self.record.setdefault(kind, {})[self._plain(name)] = self._plain(value)

    def _plain(self, text: str) -> str:
        """*text* without what is of this run alone: places and how long something took."""
        text = text.replace(f":{self.port}", ":PORT").replace(str(self.folder), "/DESK")
        return re.sub(r'(looked at in |"seconds": |"digest":"|"files":")[\da-f.]+', r"\1some", text)

    # ------------------------------------------------------------ the database

    def note_database(self, when: str) -> None:
        """Note every row of every table."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as opened:
            opened.row_factory = sqlite3.Row
            tables = opened.execute("select name, sql from sqlite_master where type = 'table' order by name").fetchall()
            for name, sql in tables:
                if name.startswith("sqlite_") or re.search(r"_(data|idx|content|docsize|config)$", name):
                    continue
                self.note("table", f"{self.name} {when} {name}", sql or "")
                keys = [row["name"] for row in opened.execute(f"pragma table_info({name})") if row["pk"]]
                for row in opened.execute(f"select * from {name}"):  # noqa: S608
                    key = " ".join(str(row[key]) for key in keys) or str(row[0])
                    self.note(f"row of {name}", f"{self.name} {when} {key}", _told(name, row))

    # ------------------------------------------------------------ the web application

    def note_site(self, *more: str, most: int = 1000) -> None:
        """Ask for all that the front page leads to, and *more*; documents also in the ways of feed readers."""

        def work() -> dict[str, str]:
            seen: dict[str, str] = {}
            application = importlib.import_module("wsgi").app
            waiting = ["/", *OFTEN, *more]
            met = set(waiting)
            while waiting and len(seen) < most:
                path = waiting.pop(0)
                got = _get(application, path)
                seen[path] = got.text()
                for link in LINK.findall(got.body.decode(errors="replace") if got.is_text else ""):
                    link = link.replace("&amp;", "&").partition("#")[0]
                    if link and link not in met and not link.startswith("//"):
                        met.add(link)
                        waiting.append(link)
                for told, headers in WAYS.items() if path.endswith((".rss", ".atom", ".json")) or path == "/" else ():
                    seen[f"{path} {told}"] = _get(application, path, **headers).text()
                if etag := got.headers.get("ETag"):
                    for told, headers in _conditions(etag, got.headers.get("Last-Modified", "")).items():
                        seen[f"{path} {told}"] = _get(application, path, **headers).text()
            for path, method in (
                ("/", "POST"),
                ("/index.rss", "DELETE"),
                ("/index.rss", "HEAD"),
                ("/", "HEAD"),
                ("/search", "OPTIONS"),
            ):
                seen[f"{method} {path}"] = _get(application, path, method=method).text()
            return seen

        for path, told in self._child(f"{self.name} site", work).items():
            kind = "document" if path.partition(" ")[0].endswith((".rss", ".atom", ".json")) else "answer"
            self.note(kind, f"{self.name} {self.clock.now:%d.%m. %H:%M} {path}", told)


def _address(source: dict[str, Any]) -> str:
    return str(source.get("url") or source.get("page") or source["sitemap"])


VOLATILE = {"polls": {"seconds"}, "configs": {"digest"}, "documents": {"gzip", "brotli"}}
"""What a row holds that no two runs need have alike."""
LINK = re.compile(rf'(?:(?:href|src)="|{re.escape(BASE)})(/[^"\'<> ]*)')
OFTEN = (
    "/index.rss",
    "/index.atom",
    "/index.json",
    "/sections.opml",
    "/sitemap-news.xml",
    "/robots.txt",
    "/favicon.ico",
    "/status",
    "/status.atom",
    "/health",
    "/healthz",
    "/metrics",
    "/search",
    "/search?q=president",
    "/search?q=%22new%20york%22",
    "/search.atom?q=market",
    "/search?q=",
    "/search?q=zzzzzz",
    "/unfiled",
    "/unfiled.rss",
    "/nowhere",
    "/nowhere.rss",
    "/article/nothing",
    "/article/00000000-0000-4000-8000-000000000000",
    "/story/00000000-0000-4000-8000-000000000000.rss",
    "/index.rss?limit=3",
    "/index.json?limit=x",
    "/index.atom?lang=en",
    "/index.rss?by=story",
    "/index.rss?source=nobody",
    "/index.rss/",
    "//index.rss",
    "/%ff",
    "/news/world?page=2",
    "/archive/1.atom",
    "/archive/99.atom",
    "/index.xml",
    "/feed",
    "/status/source/nobody",
    "/websub",
    "/websub/callback/x",
)
WAYS = {
    "gzip": {"HTTP_ACCEPT_ENCODING": "gzip"},
    "br": {"HTTP_ACCEPT_ENCODING": "br, gzip"},
    "limit": {"QUERY_STRING": "limit=2"},
    "by story": {"QUERY_STRING": "by=story"},
    "wants JSON": {"HTTP_ACCEPT": "application/feed+json"},
    "wants Atom": {"HTTP_ACCEPT": "application/atom+xml"},
    "a browser": {"HTTP_ACCEPT": "text/html,*/*;q=0.8", "HTTP_SEC_FETCH_DEST": "document"},
    "another host": {"HTTP_HOST": "elsewhere.example.net"},
    "old etag": {"HTTP_IF_NONE_MATCH": '"old"', "HTTP_A_IM": "feed"},
    "range": {"HTTP_RANGE": "bytes=0-99"},
}


def _conditions(etag: str, modified: str) -> dict[str, dict[str, str]]:
    return {
        "same etag": {"HTTP_IF_NONE_MATCH": etag},
        "weak etag": {"HTTP_IF_NONE_MATCH": f'W/{etag.removeprefix("W/")}, "x"'},
        "any etag": {"HTTP_IF_NONE_MATCH": "*"},
        "same date": {"HTTP_IF_MODIFIED_SINCE": modified},
        "early date": {"HTTP_IF_MODIFIED_SINCE": "Thu, 01 Jan 2015 00:00:00 GMT"},
        "match": {"HTTP_IF_MATCH": '"other"'},
        "delta": {"HTTP_IF_NONE_MATCH": etag.replace("0", "1"), "HTTP_A_IM": "feed"},
    }


def _told(table: str, row: sqlite3.Row) -> str:
    """A row as lines ``column: value``."""
    lines = []
    for name in row.keys():  # noqa: SIM118
        value = row[name]
        if name in VOLATILE.get(table, ()) or name == "item_hashes" and row["kind"] == "files":
            continue
        if table == "entries" and name == "payload":  # whose keys stand in no order that means anything
            value = json.dumps(json.loads(zlib.decompress(value)), sort_keys=True).encode()
        if isinstance(value, bytes):
            value = f"{len(value)} bytes {hashlib.sha256(value).hexdigest()[:16]} {value[:300]!r}"
        lines.append(f"{name}: {value}")
    return "\n".join(lines)


class Got:
    """What the web application answered."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, dict(headers), body
        self.pairs = sorted(headers)
        self.is_text = (
            "Content-Encoding" not in self.headers
            and re.search("text|xml|json", self.headers.get("Content-Type", "")) is not None
        )

    def text(self) -> str:
        body = (
            self.body.decode(errors="backslashreplace")
            if self.is_text
            else f"{len(self.body)} bytes {hashlib.sha256(self.body).hexdigest()}"
        )
        return "\n".join([self.status, *(f"{name}: {value}" for name, value in self.pairs), "", body])


def _get(application: Any, target: str, *, method: str = "GET", **more: str) -> Got:
    path, _, query = target.partition("?")
    environ = create_environ(method=method, base_url="http://127.0.0.1:8080/") | {
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.multiprocess": True,
        **more,
    }
    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    return Got(status, list(headers), b"".join(chunks))


# ---------------------------------------------------------------- what desks are given


def archive(path: Path) -> dict[str, bytes]:
    """The files of a tar archive, by name; none where it is not there."""
    if not path.exists():
        return {}
    with tarfile.open(path) as opened:
        return {
            member.name: opened.extractfile(member).read()
            for member in sorted(opened, key=lambda m: m.name)
            if member.isfile()
        }  # type: ignore[union-attr]


def rows(path: Path, most: int | None = None) -> list[dict[str, Any]]:
    """The objects of a `jsonl.gz`, the first *most*."""
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(most or 10**9), strict=False)]


def json_feed(title: str, items: Iterable[dict[str, Any]]) -> bytes:
    """A JSON Feed of *items*."""
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": title, "items": list(items)}, ensure_ascii=False
    ).encode()


def item(number: int, row: dict[str, Any]) -> dict[str, Any]:
    """A labelled article as an item of a JSON Feed, an hour apart from the next."""
    text = row.get("text") or row.get("description") or ""
    url = (
        row.get("url")
        or row.get("link")
        or f"https://labelled.example.net/{row.get('id') or row.get('cluster')}-{number}"
    )
    at = NOW - timedelta(minutes=5 * (number % 2000))
    told = {
        "id": f"labelled-{number}",
        "url": url,
        "title": row.get("title") or text[:70],
        "content_text": text,
        "date_published": at.isoformat(),
    }
    if row.get("authors") and isinstance(row["authors"], str):
        told["authors"] = [{"name": row["authors"]}]
    return told


class Parts:
    """The parts of a recording; each makes desks of its own, and uses them."""

    def __init__(self, make: Callable[[str], Desk], inputs: Path, data: Path, share: float) -> None:
        self._make, self._inputs, self._data, self._share = make, inputs, data, share
        self._tree = (inputs / "config" / "sections.yaml").read_text()

    def _some(self, all_: Sequence[Any]) -> list[Any]:
        """The share of *all_* that is asked for, evenly."""
        step = max(1, round(1 / self._share))
        return list(all_)[::step]

    def feeds(self) -> None:
        """The real feeds, small ones and the feeds of tests' cases: polled, changed, filed anew, exported."""
        desk = self._make("feeds")
        manifest = {row["file"]: row["url"] for row in rows(self._data / "feeds/realworld_2026_dev_manifest.jsonl.gz")}
        bodies = {
            manifest[name].replace("https://", "http://"): body
            for name, body in archive(self._data / "feeds/realworld_2026_dev.tar.gz").items()
        }
        for name in ("miniflux_testdata", "lemon24_reader_testdata", "fastfeedparser_integration"):
            found = archive(self._data / f"feeds/{name}.tar.gz")
            bodies |= {
                f"http://{name.replace('_', '-')}.example.org/{path}": body
                for path, body in found.items()
                if path.endswith((".xml", ".rss", ".atom", ".txt"))
            }
        cases = sorted(
            path
            for path in (self._inputs / "tests/cases/inputs").rglob("*")
            if path.suffix in (".xml", ".rss", ".atom", ".json")
        )
        bodies |= {f"http://case{path.parent.name[:2]}.example.org/{path.name}": path.read_bytes() for path in cases}
        bodies = dict(self._some(sorted(bodies.items())))
        sources = []
        for number, (url, body) in enumerate(bodies.items()):
            desk.show(url, body)
            section = {0: {"section": "news/world"}, 1: {"full_text": "summary"}, 2: {"language": "en"}}.get(
                number % 7, {}
            )
            sources.append({"name": f"{number} {urlsplit(url).hostname}", "url": url} | section)
        sources.append({"name": "Nothing here", "url": "http://nothing.example.org/feed.xml"})
        desk.write(sources, self._tree)
        desk.run("check")
        desk.poll_all()
        desk.note_database("first")
        desk.note_site(*(f"/status/source/{source['name'].replace(' ', '%20')}" for source in sources))
        desk.later(hours=1)
        desk.poll_all()
        desk.later(hours=23)
        for url, body in bodies.items():
            desk.show(url, changed(body))
        desk.poll_all()
        desk.note_database("changed")
        self._ask(desk, sources)

    def _ask(self, desk: Desk, sources: list[dict[str, Any]]) -> None:
        """Use the commands on a desk that has articles."""
        with contextlib.closing(sqlite3.connect(desk.database)) as opened:
            links = [
                row[0]
                for row in opened.execute(
                    "select link from entries where link is not null and copy = 1 order by id limit 12"
                )
            ]
            links += [
                row[0]
                for row in opened.execute("select link from entries where link is not null order by id desc limit 12")
            ]
            uids = [row[0] for row in opened.execute("select uid from articles order by id limit 3")]
        several = [["explain", link] for link in links] + [
            ["explain", one, other] for one, other in zip(links, links[1:], strict=False)
        ][:6]
        several += [
            ["sections"],
            ["sections", "--unmapped"],
            ["opml", "export"],
            ["opml", "export", "--section", "news"],
            ["explain", "http://nowhere.example.org/"],
        ]
        several += [["preview", source["url"]] for source in sources[:4]] + [
            ["discover", "http://nothing.example.org/"],
            ["plan"],
        ]
        desk.run_each(several)
        desk.run("retract", uids[0]), desk.run("retract", uids[1]), desk.run("unretract", uids[1])
        desk.run("retract", "nothing")
        edited = desk.config.parent / "edited"
        shutil.copytree(desk.config, edited)
        tree = (
            (desk.config / "sections.yaml")
            .read_text()
            .replace("United Nations", "Microsoft")
            .replace("- {category: Africa}", "- {title: [the, new]}")
        )
        (edited / "sections.yaml").write_text(tree + "\ndrop:\n  - title: [sponsored, best, video]\n")
        desk.run("plan", "--config", str(edited))
        desk.run("plan", "--json", "--config", str(edited))
        shutil.copy(edited / "sections.yaml", desk.config / "sections.yaml")
        desk.later(hours=1)
        desk.poll_all()
        desk.note_database("filed again")
        desk.note_site(most=300)
        desk.run("export", "site")
        for path in sorted((desk.folder / "site").rglob("*")):
            if path.is_file() and path.suffix not in (".gz", ".br", ".zst"):
                desk.note(
                    "exported file",
                    str(path.relative_to(desk.folder)),
                    path.read_bytes().decode(errors="backslashreplace"),
                )

    def labelled(self) -> None:
        """Labelled articles as feeds: near copies, stories, sections."""
        desk = self._make("labelled")
        lists = {
            "neardup": rows(self._data / "neardup/neardup_dev.jsonl.gz", 1200),
            "wikinews": rows(self._data / "stories/wikinews_events_dev.jsonl.gz"),
            "basil": rows(self._data / "stories/basil_triples_dev.jsonl.gz"),
            "allsides": rows(self._data / "stories/allsides_dated_dev.jsonl.gz", 400),
            "uci": rows(self._data / "stories/uci_aggregator_dev.jsonl.gz", 500),
            "bbc": rows(self._data / "sections/bbc_2225_dev.jsonl.gz", 300),
            "agnews": rows(self._data / "sections/agnews_valid.jsonl.gz", 400),
            "huffpost": rows(self._data / "sections/huffpost_dev.jsonl.gz", 400),
        }
        sources = []
        for name, told in lists.items():
            for part in range(4):
                dealt = [item(number, row) for number, row in enumerate(self._some(told)) if number % 4 == part]
                url = desk.show(
                    f"http://{name}{part}.example.org/feed.json",
                    json_feed(f"{name} {part}", dealt),
                    Content_Type="application/feed+json",
                )
                sources.append({"name": f"{name} {part}", "url": url} | ({"section": "news"} if part == 0 else {}))
        desk.write(sources, self._tree, publish={"first_import": 0})
        desk.poll_all()
        desk.run("learn", "--dry-run")
        desk.note_database("first")
        desk.note_site(most=200)

    def stream(self) -> None:
        """How five feeds changed over months: entries come, are retitled, redated, and go."""
        desk = self._make("stream")
        told = rows(self._data / "traces/rss_poll_items.jsonl.gz")
        feeds = sorted({row["feed"] for row in told})
        desk.write(
            [
                {"name": feed, "url": f"http://{feed.replace('_', '-')}.example.org/rss", "section": "all"}
                for feed in feeds
            ],
            {"all": {"title": "All"}},
        )
        times = sorted({row["first_seen"] for row in told})
        for place, at in enumerate(self._some(times[:: max(1, len(times) // 12)])):
            desk.clock.set(datetime.fromtimestamp(at, UTC) + timedelta(seconds=60))
            for feed in feeds:
                shown = [row for row in told if row["feed"] == feed and row["first_seen"] <= at <= row["last_seen"]]
                shown.sort(key=lambda row: (-row["pub"] if row["pub"] else 0, row["guid"]))
                items = [_traced(row, at) for row in shown[:60]]
                desk.show(
                    f"http://{feed.replace('_', '-')}.example.org/rss",
                    json_feed(feed, items),
                    Content_Type="application/feed+json",
                )
            desk.run("poll", "--now")
            if place % 4 == 3:
                desk.note_site(most=60)
        desk.note_database("last")
        desk.note_site(most=150)

    def documents(self) -> None:
        """Test feeds of parsers, each a source; article pages, followed from sitemaps; files in folders."""
        desk = self._make("documents")
        feeds = [
            (f"{name.partition('_')[0]} {path}", body)
            for name in ("feedparser_testcases", "gofeed_testdata")
            for path, body in archive(self._data / f"feeds/{name}.tar.gz").items()
            if path.endswith((".xml", ".txt")) or ("jsonfeed" in path and b'"version"' in body)
        ]
        sources: list[dict[str, Any]] = []
        for number, (name, body) in enumerate(self._some(feeds)[::8]):
            sources.append({"name": name, "url": desk.show(f"http://test{number}.example.org/feed", body)})
        order = [source["url"] for source in sources]
        for number, pages in enumerate(self._pages()):
            site = f"http://site{number}.example.org"
            links = [desk.show(f"{site}/2026/{place}-an-article.html", page) for place, page in enumerate(pages)]
            listed = "".join(f"<url><loc>{link}</loc></url>" for link in links)
            sitemap = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</urlset>'
            sources.append({"name": site, "sitemap": desk.show(f"{site}/sitemap.xml", sitemap.encode())})
            order += [sources[-1]["sitemap"], *links]
        files = [path for path in sorted((self._inputs / "config" / "articles").iterdir()) if path.is_file()]
        seed = self._data / "seed"
        files += sorted(seed.iterdir()) if seed.exists() else []
        for path in files:
            copied = desk.config / "letters" / path.name
            copied.parent.mkdir(exist_ok=True)
            copied.write_bytes(path.read_bytes())
            sources.append({"name": path.name, "files": f"letters/{path.name}"})
        desk.write(sources, self._tree)
        desk.order = order
        desk.poll_all()
        desk.note_database("feeds and pages")
        # Long after the files were last touched: one that just changed is left alone.
        desk.clock.set(datetime(2036, 1, 1, tzinfo=UTC))
        for path in files:
            desk.run("poll", path.name)
        desk.note_database("files")
        desk.note_site(most=120)

    def _pages(self) -> Iterator[list[bytes]]:
        """Article pages, a dozen a site."""
        pages: list[bytes] = []
        for name in ("fundus_html", "trafilatura_eval_html", "readability_test_pages"):
            found = archive(self._data / f"extraction/{name}.tar.xz")
            pages += [body for path, body in found.items() if path.endswith(".html") and "expected" not in path]
        pages = self._some(pages)[::3]
        for at in range(0, len(pages), 12):
            yield pages[at : at + 12]

    def released(self) -> None:
        """Databases that releases left behind, taken over."""
        for file in sorted((self._inputs / "tests/upgrade/released").glob("*.sqlite3.gz")):
            desk = self._make(f"released {file.name.removesuffix('.sqlite3.gz')}")
            desk.database.write_bytes(gzip.decompress(file.read_bytes()))
            desk.write(
                [{"name": "Tidings", "url": "http://tidings.example.org/feed", "section": "news/world"}],
                {
                    "news": {"title": "News", "include_children": True, "sections": {"world": {"title": "World"}}},
                    "trade": {"title": "Trade"},
                },
            )
            feed = json_feed(
                "Tidings",
                [
                    {
                        "id": str(number),
                        "title": title,
                        "url": f"http://tidings.example.org/{number}",
                        "content_text": title,
                    }
                    for number, title in enumerate(("Ferry stops", "Gull lands"))
                ],
            )
            desk.show("http://tidings.example.org/feed", feed)
            desk.run("poll", "--now")
            desk.note_database("taken over")
            desk.note_site()

    def messages(self) -> None:
        """Broken config files, wrong usage, help."""
        desk = self._make("messages")
        sources = [
            {
                "name": "One",
                "url": "http://one.example.org/rss",
                "section": "news/world",
                "interval_s": 900,
                "headers": {"X-Key": "${COMPARED}"},
                "drop": [{"title": ["advert"]}],
            },
            {
                "name": "Two",
                "files": "articles/*.txt",
                "full_text": "full",
                "language": "de",
                "timezone": "Europe/Berlin",
            },
            {"name": "Three", "page": "http://three.example.org/", "id": "3"},
        ]
        desk.write(sources, self._tree)
        shutil.copytree(self._inputs / "config" / "articles", desk.config / "articles")
        whole = (
            (self._inputs / "config" / "wiredesk.yaml").read_text()
            + "\nfetch:\n  ports: [80, 443]\n  timeout_s: 20\ntrusted_proxies: [10.0.0.0/8]\nlearn_at: 03:30\n"
        )
        files = {
            "wiredesk.yaml": whole,
            "sections.yaml": self._tree,
            "sources.yaml": (desk.config / "sources.yaml").read_text(),
        }
        told: list[tuple[str, str, str]] = []
        for name, text in files.items():
            told += [(name, how, broken) for how, broken in broken_texts(text)]
        told = self._some(told)

        def put(name: str, text: str) -> Callable[[], None]:
            def write() -> None:
                for each, whole in files.items():
                    (desk.config / each).write_text(text if each == name else whole)

            return write

        names = [f"{name}, {how}" for name, how, _ in told]
        desk.run_each(
            [["check"]] * len(told),
            kind="config message",
            names=names,
            before=[put(name, text) for name, _, text in told],
        )
        put("", "")()
        helps = [[*words, "--help"] for words in ([], *([command] for command in sorted(self._commands(desk))))]
        desk.run_each(
            [
                *helps,
                ["--version"],
                ["nothing"],
                ["chek"],
                ["poll", "--nothing"],
                ["explain"],
                ["restore", "nowhere"],
                ["opml", "import", "nowhere.opml"],
                ["retract", "x"],
                ["sections"],
                ["doctor", "--nope"],
                ["plan"],
            ]
        )
        desk.run("check", "--config", "nowhere")

    def _commands(self, desk: Desk) -> list[str]:
        printed = desk.run("--help")
        return re.findall(r"^  ([a-z]+)  ", printed.partition("Commands:")[2], re.MULTILINE)


def _traced(row: dict[str, Any], at: int) -> dict[str, Any]:
    """An item of the trace as it stood at *at*: its titles in the order in which they were met."""
    spans = [row["title"], *row["title_variants"]]
    place = (at - row["first_seen"]) * len(spans) // max(1, row["last_seen"] - row["first_seen"] + 1)
    pubs = [row["pub"], *row["pub_variants"]]
    pub = pubs[min(len(pubs) - 1, (at - row["first_seen"]) // 86400)] or at
    title = spans[min(place, len(spans) - 1)]
    return {
        "id": row["guid"],
        "url": row["link"],
        "title": title,
        "content_text": title,
        "date_published": datetime.fromtimestamp(pub, UTC).isoformat(),
    }


def changed(body: bytes) -> bytes:
    """A feed a day later: its first entry gone, some titles longer, one text longer."""
    body = re.sub(rb"<(item|entry)\b.*?</\1>", b"", body, count=1, flags=re.S)
    titles = 0

    def retitled(match: re.Match[bytes]) -> bytes:
        nonlocal titles
        titles += 1
        return b"Once more: " + match[0] if titles % 5 == 2 else match[0]

    return re.sub(rb"(?<=<title>)(?!<!\[CDATA)", retitled, body).replace(
        b"</p>", b" And this was added later, for it was not known before.</p>", 3
    )


def broken_texts(text: str) -> Iterator[tuple[str, str]]:
    """(how, text): *text* broken at every third line in several ways."""
    yield "empty", ""
    yield "not UTF-8 in spirit", "\0" + text
    yield "a list", "- a\n- b\n"
    yield "one word", "word"
    lines = text.splitlines()
    for number, line in enumerate(lines):
        bare = line.strip()
        if not bare or bare.startswith("#") or number % 3 and number > 12:
            continue
        key = re.match(r"\s*(?:- )?([\w-]+):", line)
        ways = {
            "away": None,
            "twice": f"{line}\n{line}",
            "shifted": f" {line}",
            "tab": f"\t{line}",
            "unclosed": f'{line} "',
        }
        if key:
            ways["misspelt"] = line.replace(key[1], key[1][:-1] + "q", 1)
            head = line[: key.end()]
            ways |= {
                "a number": f"{head} -7",
                "words": f"{head} some words",
                "mapping": f"{head} {{a: b}}",
                "list": f"{head} [x, 1, true]",
                "nothing": head,
                "a date": f"{head} 2026-01-01",
            }
        for how, broken in ways.items():
            kept = lines[:number] + ([broken] if broken is not None else []) + lines[number + 1 :]
            yield f"line {number + 1} {how}", "\n".join(kept) + "\n"


def import_everything(checkout: Path) -> None:
    """Import every module of the package, so that children need not."""
    package = importlib.import_module("feeds")
    assert Path(str(package.__file__)).is_relative_to(checkout), package.__file__
    for found in pkgutil.walk_packages(package.__path__, "feeds."):
        if "migrations" not in found.name and not found.name.endswith("__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(found.name)
    importlib.import_module("trafilatura")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkout", type=Path, required=True, help="whose code runs")
    parser.add_argument("--inputs", type=Path, required=True, help="the checkout whose config and test inputs are read")
    parser.add_argument("--data", type=Path, required=True, help="the development data")
    parser.add_argument("--part", action="append", help="only these")
    parser.add_argument("--share", type=float, default=1.0, help="of the inputs of each part, 0 to 1")
    parser.add_argument("--into", type=Path, required=True, help="the file to write")
    told = parser.parse_args()
    sys.path[0] = str(told.checkout.resolve())
    os.environ["COMPARED"] = "a secret"
    clock = Clock(os.environ["FAULTS_CLOCK"])
    with tempfile.TemporaryDirectory(prefix="wiredesk-compare-") as made:
        folder = Path(made)
        (folder / "origin").mkdir()
        with Origin.serve(folder / "origin") as port:
            record: Record = {}
            import_everything(told.checkout.resolve())
            parts = Parts(
                lambda name: Desk(name, folder, clock, record, port),
                told.inputs.resolve(),
                told.data.resolve(),
                told.share,
            )
            for part in told.part or PARTS:
                used = os.times()
                clock.set(NOW)
                getattr(parts, part)()
                now = os.times()
                cpu = (
                    now.user
                    + now.system
                    + now.children_user
                    + now.children_system
                    - used.user
                    - used.system
                    - used.children_user
                    - used.children_system
                )
                print(f"{part}: {cpu:.0f} s of CPU in {now.elapsed - used.elapsed:.0f} s", file=sys.stderr)
    told.into.write_bytes(pickle.dumps(record))
    return 0


PARTS = ("feeds", "labelled", "stream", "documents", "released", "messages")

if __name__ == "__main__":
    sys.exit(main())
