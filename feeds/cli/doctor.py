"""`wiredesk doctor`: what is wrong around the desk, and what to do about it. I/O: all that there is.

One function a subject gives its findings.
"""

from __future__ import annotations

import errno
import http.client
import os
import platform
import resource
import shutil
import socket
import sqlite3
import ssl
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from itertools import chain, repeat
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, urlsplit

import click

from feeds import __version__, frames
from feeds.cli.common import Places, counted, judged_files, show_table, table_width, with_places
from feeds.cli.stored import has_run, stored_model
from feeds.condition import SourceState, ago, condition, span
from feeds.configuration import DOCUMENTS, Source
from feeds.engine.supervisor import holder
from feeds.errors import DeskError
from feeds.settings import Config, ConfigErrors
from feeds.store import ReadTx, Store
from feeds.store.database import fault
from feeds.urls import is_loopback

Mark = Literal["ok", "look", "bad"]
COLOURS: dict[Mark, str] = {"ok": "green", "look": "yellow", "bad": "red"}
LIBRARIES = ("pycurl", "feedparser", "lxml", "nh3", "selectolax", "SQLAlchemy", "granian")
OLDEST_SQLITE = (3, 35, 0)  # the first with RETURNING
ENOUGH_BYTES, LITTLE_BYTES = 2_000_000_000, 200_000_000
QUICK_BYTES = 2_000_000_000
"""Up to this size a database is read whole to judge it: some ten seconds on a slow disk."""
FILES_WANTED = 4096
HOSTS_ASKED = 3
ASK_S = 4.0
TRIED_BYTES = 65_536
WRITING_REMEDIES = {
    errno.EROFS: "its file system is mounted read-only: see in `dmesg` why, then `mount -o remount,rw` it",
    errno.ENOSPC: "make room there, or lower publish.keep_days; old copies in backups/ may go",
    errno.EDQUOT: "this user's quota is used up: raise it, or make room",
    errno.EFBIG: "files may not grow that far: raise LimitFSIZE in the systemd unit, or `ulimit -f`",
}
SKEW_S = 60.0
FAILING_SHOWN = 5


class Finding(NamedTuple):
    """``ok``, worth a ``look``, or ``bad``; in words, with what to do."""

    mark: Mark
    text: str
    remedy: str = ""

    @property
    def words(self) -> str:
        """What is printed of it."""
        return f"{self.text}\n→ {self.remedy}" if self.remedy and self.mark != "ok" else self.text


ok, look, bad = (partial(Finding, mark) for mark in COLOURS)


def program(found: Places) -> Iterator[Finding]:
    """Python and what it is linked with."""
    yield ok(f"Wiredesk {__version__} on Python {platform.python_version()}, {platform.platform(terse=True)}")
    versions = {name: _version(name) for name in LIBRARIES}
    there = [f"{name} {version}" for name, version in versions.items() if version]
    yield ok(", ".join([*there, f"SQLite {sqlite3.sqlite_version}", ssl.OPENSSL_VERSION]))
    if missing := [name for name, version in versions.items() if not version]:
        yield bad(f"not installed: {', '.join(missing)}", "start once with `bin/run`, which installs them")
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield bad(f"SQLite {sqlite3.sqlite_version} is too old", "use a Python with SQLite 3.35 or newer")
    if not found.embedded:
        if version := _version("psycopg"):
            yield ok(f"psycopg {version}")
        else:
            remedy = "`bin/install postgres` brings it"
            yield bad("psycopg is not installed, and the database is PostgreSQL", remedy)
    yield from _rights()


def _rights() -> Iterator[Finding]:
    """What this user and its processes may do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES_WANTED:
        yield look(
            f"a process may open {hard} files at most (now {soft}); every reader that waits takes one",
            "raise it: LimitNOFILE=65536 in the systemd unit, or `ulimit -Hn`",
        )
    if os.geteuid() == 0:
        yield look("this runs as root", "run it as a user of its own; it needs no rights")


def _version(library: str) -> str:
    """Which *library* is installed, "" for none."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(library)
    return ""


@contextmanager
def _reading(found: Places) -> Iterator[ReadTx | None]:
    """A look into the database; None where there is none of this release that this user can read."""
    if found.missing or (found.embedded and not_ours(found)):
        yield None
        return
    with Store(found.database) as store:
        if store.empty() or store.pending():
            yield None
            return
        with store.read() as tx:
            yield tx


def folders(found: Places) -> Iterator[Finding]:
    """Whether config can be read and data written by this user."""
    if not os.path.isdir(found.config):
        yield bad(f"no config folder at {found.config}", "name yours with --config DIR")
    elif unreadable := [path.name for path in sorted(found.config.glob("*.yaml")) if not os.access(path, os.R_OK)]:
        yield bad(f"this user can't read {', '.join(unreadable)} in {found.config}", "chmod or chown them")
    else:
        yield ok(f"config {found.config}")
    if closed := not_ours(found):
        yield bad(closed, "chown it with all that is in it (a command that once ran as root leaves such files)")
    elif error := unwritable(found):
        remedy = WRITING_REMEDIES.get(error.errno or 0, "look at the disk and its file system (`dmesg`, `df`, `mount`)")
        why = (error.strerror or str(error)).lower()
        yield bad(f"nothing can be written in {found.data}: {why}", remedy)
    else:
        yield ok(f"data {found.data}" + ("" if found.data.exists() else " (made at the first start)"))


def not_ours(found: Places) -> str:
    """Why this user can't work in the data folder; "" where nothing is in the way."""
    at = _present(found.data)
    # A file system that is read-only refuses writing to everybody; that is no matter of rights.
    write = 0 if os.statvfs(at).f_flag & os.ST_RDONLY else os.W_OK
    if not os.access(at, write | os.X_OK) or not at.is_dir():
        return f"this user can't write in {found.data}"
    files = sorted(found.data.glob("desk.sqlite3*"))
    foreign = [path.name for path in files if not os.access(path, os.R_OK | write)]
    return f"this user can't write {', '.join(foreign)} in {found.data}" if foreign else ""


def unwritable(found: Places) -> OSError | None:
    """What keeps a file from being made, filled and brought to the disk in the data folder; tried, and taken back."""
    try:
        with tempfile.TemporaryFile(dir=_present(found.data)) as made:
            made.write(bytes(TRIED_BYTES))
            made.flush()
            os.fsync(made.fileno())
    except OSError as error:
        return error
    return None


def _present(path: Path) -> Path:
    """*path*, or the next folder above it that is there."""
    while not os.path.exists(path) and path != path.parent:
        path = path.parent
    return path


def disk(found: Places) -> Iterator[Finding]:
    """Free space where the database grows."""
    at = _present(found.data)
    free = shutil.disk_usage(at).free
    text = f"{free / 1e9:.1f} GB free at {at}"
    remedy = "make room, or lower publish.keep_days; old copies in backups/ may go"
    yield Finding("ok" if free > ENOUGH_BYTES else "look" if free > LITTLE_BYTES else "bad", text, remedy)
    inodes = os.statvfs(at)
    if inodes.f_files and inodes.f_favail < 1000:
        yield bad(f"no more files can be made at {at}: {inodes.f_favail} left", "delete some there")


def clock(found: Places) -> Iterator[Finding]:
    """Whether this machine's time can be right: behind what the database has seen it went back."""
    now = datetime.now(UTC)
    yield ok(f"{now:%Y-%m-%d %H:%M:%S} UTC")
    with _reading(found) as tx:
        if tx is None:
            return
        stored = tx.configs.current()
        polled = _last_poll(tx.sources.all_states())
    latest = max(now, polled or now, stored.accepted_at if stored else now)
    if latest - now > timedelta(seconds=SKEW_S):
        yield bad(
            f"the clock went back: the database has polls {span(latest - now)} ahead of now",
            "set the time (timedatectl set-ntp true); sources wait until then",
        )


def config(found: Places) -> Iterator[Finding]:
    """What `check` says, in short."""
    began = time.monotonic()
    try:
        judged = judged_files(found)
    except ConfigErrors as errors:
        yield bad(
            f"{counted(len(errors.errors), 'error')}, the first: {errors.errors[0]}", "`wiredesk check` lists all"
        )
        return
    seconds = time.monotonic() - began
    counts = f"{counted(len(judged.sections), 'section')}, {counted(len(judged.sources), 'source')}"
    yield ok(f"{counts}, judged in {seconds:.1f} s")
    if judged.warnings:
        yield look(counted(len(judged.warnings), "warning"), "`wiredesk check` lists them")
    if not judged.sources:
        yield look("no sources", "write some in sources.yaml, or `wiredesk opml import` a list")
    if not judged.settings.contact:
        yield look("no contact: sources can't write to you before they block you", "set contact: in wiredesk.yaml")
    loopback = is_loopback(urlsplit(judged.settings.base_url).hostname or "")
    if not loopback and not os.environ.get("WIREDESK_ADMIN_TOKEN"):
        yield look("/status is closed: base_url is public and there is no token", "set WIREDESK_ADMIN_TOKEN")


def database(found: Places) -> Iterator[Finding]:
    """Whether it is there, whole, of this release, and takes what is written; whether a desk runs on it."""
    if found.file is not None:
        whole = _file(found, found.file)
        yield whole
        if whole.mark != "ok":
            return
    with Store(found.database) as store:
        if store.empty():
            yield look("the database is empty", "start the desk: `wiredesk run`")
            return
        if store.pending():
            yield look("the database is of an older release", "the next `wiredesk run` copies and upgrades it")
            return
        yield from _contents(store)
        try:
            store.try_to_write()
        except DeskError as error:
            yield bad(f"the database takes nothing that is written: {error.cause}", error.remedy)
    running = holder(found.data)
    yield ok(f"a desk runs on it (process {running})" if running else "no desk runs on it now")


def _file(found: Places, file: Path) -> Finding:
    """Whether the file of the database is there and whole."""
    if not os.path.exists(file):
        return look(f"no desk has run on {found.data} yet", "start one: `wiredesk run`")
    if not_ours(found):
        return bad(f"{file} was not looked into", "see above")
    size = sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))
    if size > QUICK_BYTES:
        return ok(f"{file}, {size / 1e9:.1f} GB (too large to be read through here)")
    if wrong := fault(file):
        return bad(f"{file} is broken: {wrong}", "`wiredesk restore` a backup; keep this file aside")
    return ok(f"{file}, {size / 1e6:.0f} MB, whole")


def _contents(store: Store) -> Iterator[Finding]:
    with store.read() as tx:
        count = tx.articles.count()
        events = tx.events.open()
        stored = tx.configs.current()
    yield ok(f"{count} articles" + (f", config version {stored.version} in force" if stored else ""))
    for event in events:
        if event.kind != "refile":
            text = event.text.splitlines()
            more = f" (and {len(text) - 1} more lines)" if len(text) > 1 else ""
            yield look(f"{event.kind} {event.subject}: {text[0] if text else ''}{more}", event.remedy)


def sources(found: Places) -> Iterator[Finding]:
    """How the sources are, by condition, and which fail."""
    with _reading(found) as tx:
        states = tx.sources.all_states() if tx is not None else []
    if not states:
        return
    now = datetime.now(UTC)
    conditions = [(source, condition(source, state, now=now)) for source, state in states]
    counts = Counter(each.word for _, each in conditions)
    last = _last_poll(states)
    words = ", ".join(f"{count} {word}" for word, count in counts.most_common())
    yield ok(f"{words}; last poll {ago(last, now)}")
    troubled = [(source, each) for source, each in conditions if each.trouble]
    for source, each in troubled[:FAILING_SHOWN]:
        yield look(f"{source.name}: {each.text}", each.remedy)
    if len(troubled) > FAILING_SHOWN:
        yield look(f"and {len(troubled) - FAILING_SHOWN} more", "/status lists all")


def _last_poll(states: Sequence[tuple[Source, SourceState]]) -> datetime | None:
    return max(filter(None, (state.last_poll_at for _, state in states)), default=None)


def classifier(found: Places, judged: Config) -> Iterator[Finding]:
    """Where sections are set to learn: whether there is a model that can be asked, and whether one can be made."""
    wanted = {one.path: one.learned_precision for one in judged.sections if one.learned_precision}
    if not wanted:
        return
    model = None
    if has_run(found):
        with Store(found.database) as store:
            model = stored_model(store)
    if model is None:
        yield look(f"{len(wanted)} sections are set to learn, no model is there yet", "run `wiredesk learn`")
    else:
        sure = sum(model.threshold(path, precision) is not None for path, precision in wanted.items())
        text = f"a model learned {model.facts.get('learned_at', 'once')} of {model.facts.get('articles', '?')} articles"
        yield ok(f"{text}, sure enough of {sure} of the {len(wanted)} sections that are set to learn")
        if not sure:
            yield look("the model files nothing", "`wiredesk learn --dry-run` says what it lacks")
    if judged.settings.learn_at != "never" and find_spec("sklearn") is None:
        yield look(
            "scikit-learn is not installed, so the classifier can't learn",
            "`bin/install learn` brings it, or `learn_at: never` in wiredesk.yaml",
        )


def network(found: Places, judged: Config) -> Iterator[Finding]:
    """Whether names resolve and hosts answer, on some of the sources' own; their Date headers judge the clock."""
    if judged.settings.fetch.proxy:
        proxy = urlsplit(judged.settings.fetch.proxy)
        yield _reach(proxy.hostname or "", proxy.port or 8080, "the proxy ")
        return
    hosts = dict.fromkeys(map(_host_and_port, filter(_asks_a_host, judged.sources)))
    if not hosts:
        yield ok("no source is on the network")
        return
    findings = [_reach(host, port) for host, port in list(hosts)[:HOSTS_ASKED]]
    yield from findings
    if all(finding.mark != "ok" for finding in findings):
        yield bad("nothing could be reached", "look at the network, the firewall, /etc/resolv.conf, fetch.proxy")


def _asks_a_host(source: Source) -> bool:
    return source.kind not in DOCUMENTS and "${" not in source.target


def _host_and_port(source: Source) -> tuple[str, int]:
    parts = urlsplit(source.target)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _reach(host: str, port: int, what: str = "") -> Finding:
    began = time.monotonic()
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        return look(f"{what}{host}: its name is not known here ({error})", "look at DNS, or at the name")
    try:
        socket.create_connection((str(addresses[0][4][0]), port), timeout=ASK_S).close()
    except OSError as error:
        return look(f"{what}{host}:{port} does not answer ({error})", "a firewall, or the host is down")
    return ok(f"{what}{host} answers after {(time.monotonic() - began) * 1000:.0f} ms")


def base_url(found: Places, judged: Config) -> Iterator[Finding]:
    """Whether this desk answers at the address by which its feeds call themselves."""
    base = judged.settings.base_url
    parts = urlsplit(base)
    local = is_loopback(parts.hostname or "")
    if local:
        yield look(
            f"feeds call themselves {base}, which leads nowhere from other machines",
            "set base_url: in wiredesk.yaml to the public address before anybody subscribes",
        )
    mark = _mark(found)
    try:
        status, date, body = _front_feed(parts)
        yield _whose(base, status, body, mark)
        if not local:
            yield from _clocks(date)
        if parts.scheme == "http" and not local and _answers_by_tls(parts, mark):
            yield look(f"base_url is {base}, and readers come by https", "write https:// in base_url")
    except (OSError, http.client.HTTPException, ValueError) as error:
        yield look(f"nothing answers at {base} ({error or type(error).__name__})", "start the desk, or mend base_url")


def _clocks(date: str | None) -> Iterator[Finding]:
    """Whether the clock by which an answer's *date* is goes like this one."""
    off_s = abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()) if date else 0
    if off_s > SKEW_S:
        yield look(f"its clock and this one differ by {off_s:.0f} s", "set the time (timedatectl)")


def _mark(found: Places) -> bytes | None:
    """The id of this desk's own feed, by which it is known; None before it has published any."""
    with _reading(found) as tx:
        whole = tx.sections.get("") if tx is not None else None
        if tx is None or whole is None or tx.documents.get("", "atom") is None:
            return None
        return frames.feed_urn(tx.configs.desk_id(), f"section/{whole.id}").encode()


def _whose(base: str, status: int, body: bytes, mark: bytes | None) -> Finding:
    """Whether what answered at *base* is this desk, whose feed has the id *mark*; None before it has published any."""
    if status in (502, 503, 504):
        return look(f"{base} answers {status}", "start the desk, or wait until it is up")
    if mark is None:
        return ok(f"something answers at {base}; whether it is this desk shows once it has published")
    if mark in body:
        return ok(f"this desk answers at {base}")
    return bad(
        f"something else answers at {base}, not this desk (status {status})",
        "another program has the port, or base_url or the web server before the desk leads elsewhere",
    )


def _answers_by_tls(parts: SplitResult, mark: bytes | None) -> bool:
    """Whether this desk answers by https as well, at the port that is usual for it."""
    secure = parts._replace(scheme="https", netloc=parts.hostname or "")
    with suppress(OSError, http.client.HTTPException):
        return mark is not None and mark in _front_feed(secure)[2]
    return False


def _front_feed(parts: SplitResult) -> tuple[int, str | None, bytes]:
    """Status, Date and beginning of what answers at the address of the whole desk's feed below *parts*."""
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(kind(parts.hostname or "", parts.port, timeout=ASK_S)) as connection:
        connection.request("GET", f"{parts.path}/index.atom", headers={"User-Agent": f"Wiredesk/{__version__} doctor"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Date"), answer.read(TRIED_BYTES)


CHECKS = (program, folders, disk, clock, config, database, sources)


@click.command()
@with_places
@click.option("--offline", is_flag=True, help="Ask nothing of the network.")
def doctor(found: Places, offline: bool) -> None:
    """Look at everything around the desk: what is wrong, and what to do.

    Program, folders, disk, clock, config, database, sources, classifier, network, base_url. Works beside a running
    desk; what it writes, to see whether that can be done, is taken back. Exits with 1 when something is bad; "look"
    alone is worth a look and no fault.
    """
    asking = () if offline else (network, base_url)
    rows = [row for check in CHECKS for row in _rows(check, found)]
    with suppress(ConfigErrors):
        judged = judged_files(found)
        rows += [row for check in (classifier, *asking) for row in _rows(check, found, judged)]
    marks = [mark for mark, _, _ in rows]
    show_table(rows, width=table_width(), head=False, colours=[*map(COLOURS.__getitem__, marks)])
    counts = Counter(marks)
    if not counts.keys() & {"bad", "look"}:
        click.echo("\nAll is well.")
        return
    click.echo(f"\n{counts['bad'] or 'Nothing is'} bad, {counts['look']} worth a look.")
    if counts["bad"]:
        sys.exit(1)


def _rows(check: Callable[..., Iterator[Finding]], *arguments: object) -> list[tuple[Mark, str, str]]:
    """What *check* finds, a row each, the first with its name; an error of it is a finding, too."""
    try:
        findings = list(check(*arguments))
    except DeskError as error:
        findings = [bad(error.cause, error.remedy)]
    names = chain([check.__name__], repeat(""))
    return [(one.mark, name, one.words) for one, name in zip(findings, names, strict=False)]
