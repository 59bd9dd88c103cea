"""Who reads the feeds, by what programs say of themselves in their User-Agent. I/O: saves what it counts in the store.

An answer is noted with its User-Agent as it is; what that says is read later, by the seconds. Nobody's address is kept:
a client is known, for as long as the process runs and some ten thousand others were not heard since, by a hash whose
key ends with the process.
"""

from __future__ import annotations

import logging
import math
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import zip_longest

from msgspec import Struct, field

from feeds.errors import StoreError
from feeds.files import tables
from feeds.frames import split_format
from feeds.serve.addresses import split_archive
from feeds.store.overview import day_of
from feeds.store.values import ReaderDay

log = logging.getLogger(__name__)

Save = Callable[[Sequence[ReaderDay]], None]
Rows = dict[tuple[str, str], list[int]]
"""Counts by User-Agent and path."""

ALARMS = "/status.atom"
MOST_AGENT_CHARS = 200
MOST_AGENTS, MOST_AT_ONCE = 512, 8192  # different ones, and with different paths, between two looks at what they say
MOST_NAMES = 300  # unknown ones, a day
MOST_KEPT = 4096  # names, each with a document, between two times of saving
MOST_CLIENTS = 16_384
SAVE_S = 60.0
OTHERS = "others"
_ANSWERS, _SAME, _PARTS, _SENT, _WASTED, _HASTY, _DECLARED = range(7)
_KINDS = {304: _SAME, 226: _PARTS}
_NEVER = (-math.inf, "")

# Names, with the words of a User-Agent in lower case that mean them, one or two beside each other.
_KNOWN = dict(row.split(" = ") for row in tables("serve/readers.txt")["readers"])
_BY_WORDS = {words: name for name, several in _KNOWN.items() for words in several.split("|")}
_WORD = re.compile("[a-z][a-z0-9.-]*")
_SUBSCRIBERS = re.compile(r"(?<![\w.])(\d{1,9}) (?:subscribers?|readers?)\b", re.IGNORECASE)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,30}?(?=$|[/(;,]|\s+(?:-|feed-id\b|\d+ ))")
_COMPATIBLE = re.compile(r"\(compatible;\s*\+?(?:https?://)?(?:www\.)?([A-Za-z][A-Za-z0-9._-]{0,30})", re.IGNORECASE)


@lru_cache(1024)
def reader_of(user_agent: str) -> tuple[str, bool]:
    """Return who asks by *user_agent*, and whether that is a name of the desk's own list.

    >>> reader_of("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)"), reader_of("Tidings/2 (x)")
    (('Feedly', True), ('tidings', False))
    >>> reader_of("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"), reader_of("")
    (('a browser', True), ('no name', True))
    """
    words = _WORD.findall(user_agent.lower())
    for one, two in zip_longest(words, words[1:]):
        if (known := _BY_WORDS.get(one) or _BY_WORDS.get(f"{one} {two}")) is not None:
            return known, True
    # Who calls itself a browser says in the comment what it is.
    product = _COMPATIBLE.search(user_agent) or _PRODUCT.match(user_agent)
    name = product[product.lastindex or 0].strip(" ._-").lower() if product is not None else ""
    if name == "mozilla":
        return "a browser", True
    return (name, False) if name else ("no name", True)


def declared_subscribers(user_agent: str) -> int:
    """Return for how many readers *user_agent* says to ask, 0 where it says nothing.

    >>> declared_subscribers("Mozilla/5.0 (compatible; theoldreader.com; 7 subscribers; feed-id=5f3)")
    7
    """
    found = _SUBSCRIBERS.search(user_agent)
    return int(found[1]) if found is not None else 0


def document_asked(path: str) -> str:
    """Return the document that *path* is of: archive pages are the section's, all stories are one.

    >>> document_asked("/news/archive/100.atom"), document_asked("/story/0-1.rss"), document_asked("/index.json")
    ('/news.atom', '/story.rss', '/index.json')
    """
    plain, format = split_format(path.lstrip("/"))
    section, page = split_archive(plain)
    if page:
        plain = section or "index"
    return f"/{'story' if plain.startswith('story/') else plain}.{format}"


class Readership:
    """What one process has counted of those who read feeds, until it is saved."""

    def __init__(self, save: Save | None = None) -> None:
        self._save_in_store = save
        self.polite_s = 0.0
        """Who asks again within that time, while what it has is fresh, is hasty."""
        self._rows: Rows = {}
        self._agents: set[str] = set()
        self._seen: dict[int, tuple[float, str]] = {}
        self._seen_before: dict[int, tuple[float, str]] = {}
        self._settling = threading.Lock()
        self._kept: dict[tuple[str, str], list[int]] = {}
        self._names: set[str] = set()
        self._day = 0
        self._timer: threading.Timer | None = None

    def count(
        self, path: str, status: int, agent: str, sent: int, tag: str, client: int, now: float, times: int = 1
    ) -> None:
        """Count an answer of *sent* bytes at *path*, whose content *tag* names, that *agent* was given *times* over at
        the same time. *client* is a hash of its address. For one thread at a time.
        """
        row = self._rows.get((agent, path))
        if row is None:
            row = self._new_row(agent, path)
        row[_ANSWERS] += times
        row[_SENT] += sent * times
        if (kind := _KINDS.get(status)) is not None:
            row[kind] += times
        who = hash((client, agent, path))
        before = self._seen.get(who) or self._seen_before.get(who)
        if before is None and len(self._seen) >= MOST_CLIENTS:
            self._seen_before, self._seen = self._seen, {}
        at, had = before or _NEVER
        row[_HASTY] += (now - at < self.polite_s) + (times - 1) * (self.polite_s > 0)
        if status == 200 and tag:
            row[_WASTED] += sent * (times - (had != tag))
        self._seen[who] = now, tag

    def _new_row(self, agent: str, path: str) -> list[int]:
        if len(self._rows) >= MOST_AT_ONCE or (agent not in self._agents and len(self._agents) >= MOST_AGENTS):
            agent = OTHERS
        self._agents.add(agent)
        return self._rows.setdefault((agent, path), [0] * _DECLARED)

    def take(self) -> Rows:
        """Take out what was counted since the last time. Not while another thread counts."""
        rows, self._rows, self._agents = self._rows, {}, set()
        return rows

    def settle(self, rows: Rows) -> list[tuple[str, str, int]]:
        """Read what those counted say of themselves; for whom aggregators ask: their name, the path, how many."""
        declared = []
        with self._settling:
            for (agent, path), row in rows.items():
                (name, known), count = self._named(agent), declared_subscribers(agent)
                if count:
                    declared.append((name, path, count))
                # Of whom nobody knows it would be too much to say which documents, and worth nothing.
                document = document_asked(path) if known or count else ""
                if document == ALARMS:
                    continue  # the admin's own
                self._keep(name, document, row, count)
            if self._kept and self._timer is None and self._save_in_store is not None:
                self._timer = threading.Timer(SAVE_S, self.save)
                self._timer.daemon = True
                self._timer.start()
        return declared

    def _named(self, agent: str) -> tuple[str, bool]:
        """Who *agent* is, as `reader_of` says. Anybody can say anything: how many names are kept is bounded."""
        if agent == OTHERS:
            return OTHERS, False
        name, known = reader_of(agent)
        if not known and name not in self._names:
            if len(self._names) >= MOST_NAMES:
                return OTHERS, False
            self._names.add(name)
        return name, known

    def _keep(self, name: str, document: str, row: Iterable[int], declared: int) -> None:
        key = name, document
        if key not in self._kept and len(self._kept) >= MOST_KEPT:
            key = OTHERS, ""
        kept = self._kept.setdefault(key, [0] * (_DECLARED + 1))
        for place, count in enumerate(row):
            kept[place] += count
        kept[_DECLARED] = declared or kept[_DECLARED]

    def save(self) -> None:
        """Add what was counted to what the store has; where it does not answer it is saved another time."""
        with self._settling:
            kept, self._kept, self._timer = self._kept, {}, None
            day = day_of(datetime.now(UTC))
            if day != self._day:
                self._day = day
                self._names.clear()
        if not kept or self._save_in_store is None:
            return
        try:
            self._save_in_store([ReaderDay(day, *key, *counts) for key, counts in kept.items()])
        except StoreError as error:
            log.info("who reads is saved later: %s", error)
            with self._settling:
                for (name, document), counts in kept.items():
                    self._keep(name, document, counts[:_DECLARED], counts[_DECLARED])


# ------------------------------------------------------------------ what it comes to


_COUNTS = ("answers", "same", "parts", "sent", "wasted", "hasty")


class Reader(Struct):
    """One reader over some days, as `ReaderDay` says of one."""

    name: str
    answers: int = 0
    same: int = 0
    parts: int = 0
    sent: int = 0
    wasted: int = 0
    hasty: int = 0
    declared: int = 0

    def add(self, other: Reader | ReaderDay) -> None:
        """Count what *other* was counted for, but for the subscribers that it declares."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def impolite(self) -> bool:
        """Whether a good part of its polls, and a good many, come while what it has is fresh."""
        return self.hasty >= LEAST_HASTY and self.hasty * 4 > self.answers

    @property
    def slowed(self) -> str:
        """The line of nginx that lets a reader with this name ask as docs/status.md says; "" where no name is given."""
        if self.name in (OTHERS, "no name", "a browser"):
            return ""
        words = _KNOWN.get(self.name, self.name).split("|")
        return f'"~*{"|".join(map(re.escape, words))}" $binary_remote_addr;'


LEAST_HASTY = 50


class Report(Struct):
    """Who reads: *readers*, those with most answers first; *subscribers* as aggregators declared them last, by section
    path and service.
    """

    readers: list[Reader] = field(default_factory=list)
    subscribers: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def total(self) -> Reader:
        """All readers as one."""
        whole = Reader("all", declared=sum(one.declared for one in self.readers))
        for one in self.readers:
            whole.add(one)
        return whole


def share(part: int, whole: int) -> str:
    """Return a share for people.

    >>> share(1, 3), share(1, 1000), share(0, 5)
    ('33 %', '<1 %', '')
    """
    if not part:
        return ""
    return f"{part / whole:.0%}".replace("%", " %") if part * 100 >= whole else "<1 %"


def report(rows: Iterable[ReaderDay]) -> Report:
    """Return what *rows*, of any days, come to. Pure."""
    readers: dict[str, Reader] = {}
    last: dict[tuple[str, str], tuple[int, int]] = {}
    for row in rows:
        readers.setdefault(row.name, Reader(row.name)).add(row)
        if row.declared:
            key = row.name, row.document
            last[key] = max(last.get(key, (0, 0)), (row.day, row.declared))
    done = Report(sorted(readers.values(), key=lambda one: (-one.answers, one.name)))
    for (name, document), (_, declared) in sorted(last.items()):
        readers[name].declared += declared
        path = split_format(document.lstrip("/"))[0]
        services = done.subscribers.setdefault("" if path == "index" else path, {})
        services[name] = services.get(name, 0) + declared
    return done
