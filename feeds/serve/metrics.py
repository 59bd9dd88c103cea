"""`/metrics`: what the store knows, and what each process counts of itself, for Prometheus.

I/O: the processes of one desk count in files of a folder that they share, since any of them may be asked.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any

from feeds.store.overview import Numbers
from feeds.store.values import Event

FOLDER = "metrics"
_SUBSCRIBERS = re.compile(r"(?<![\w.])(\d{1,9}) (?:subscribers?|readers?)\b", re.IGNORECASE)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,30}?(?=$|[/(;,]|\s+(?:-|feed-id\b|\d+ ))")
_COMPATIBLE = re.compile(r"\(compatible;\s*\+?(?:https?://)?(?:www\.)?([A-Za-z][A-Za-z0-9._-]{0,30})", re.IGNORECASE)
MOST_SERVICES = 200
MOST_PATHS = 4096
FLUSH_S = 1.0
_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0)


def share_counts(environ: MutableMapping[str, str]) -> None:
    """Have all processes of this desk count together; to be called before prometheus_client is first imported.

    The folder is named by the process that started them, and those of processes that have ended are removed.
    """
    data = environ.get("WIREDESK_DATA", "").strip()
    if not data or "PROMETHEUS_MULTIPROC_DIR" in environ:
        return
    parent = environ.get("WIREDESK_PARENT", "").strip() or str(os.getppid())
    folder = Path(data) / FOLDER / parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.parent.iterdir():
            if other.name.isdigit() and other.name != parent and not Path(f"/proc/{other.name}").exists():
                shutil.rmtree(other, ignore_errors=True)
    except OSError:
        return  # a read-only data folder: each process counts for itself
    environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


class Tally:
    """What a web process counts of its own answers."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self._served = Counter("wiredesk_answers", "Answers given", ["kind", "status"], registry=self.registry)
        self._seconds = Histogram(
            "wiredesk_view_seconds",
            "Time of answers that were not finished before",
            ["kind"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._subscribers = Gauge(
            "wiredesk_declared_subscribers",
            "Subscribers that aggregators declare in their User-Agent",
            ["service", "path"],
            multiprocess_mode="mostrecent",
            registry=self.registry,
        )
        self._services: dict[tuple[str, str], int] = {}
        self._heard: set[tuple[str, str]] = set()
        self._kinds: dict[str, str] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._counting = threading.Lock()

    def answered(self, path: str, status: str, user_agent: str | None) -> None:
        """Count one answer: *status* begins with its three digits.

        Writing into the shared file costs more than a 304 does, so that counts are put there once in `FLUSH_S`.
        """
        kind = self._kinds.get(path)
        if kind is None:
            kind = kind_of(path)
            if len(self._kinds) < MOST_PATHS and len(path) < 200:
                self._kinds[path] = kind
        key = kind, status[:3]
        with self._counting:
            idle = not self._counts
            self._counts[key] = self._counts.get(key, 0) + 1
        if idle:
            timer = threading.Timer(FLUSH_S, self.flush)
            timer.daemon = True
            timer.start()
        if user_agent is not None and kind in ("rss", "atom", "json") and (path, user_agent) not in self._heard:
            if len(self._heard) >= MOST_PATHS:
                self._heard.clear()
            self._heard.add((path, user_agent))
            self._declared(path, user_agent[:300])

    def flush(self) -> None:
        """Put what was counted where `/metrics` finds it."""
        with self._counting:
            counts, self._counts = self._counts, {}
        for key, count in counts.items():
            self._served.labels(*key).inc(count)

    def took(self, path: str, seconds: float) -> None:
        """Note how long a view took."""
        self._seconds.labels(kind_of(path)).observe(seconds)

    def _declared(self, path: str, user_agent: str) -> None:
        declared = declared_subscribers(user_agent)
        if declared is None:
            return
        service, count = declared
        key = service, path
        # Anybody can say anything: how many names are kept is bounded.
        if self._services.get(key) != count and (key in self._services or len(self._services) < MOST_SERVICES):
            self._services[key] = count
            self._subscribers.labels(*key).set(count)


def declared_subscribers(user_agent: str) -> tuple[str, int] | None:
    """Return which aggregator *user_agent* names and for how many readers it says to ask; None where it says nothing.

    >>> declared_subscribers("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)")
    ('feedly', 16)
    >>> declared_subscribers("Mozilla/5.0 (compatible; theoldreader.com; 7 subscribers; feed-id=5f3)")
    ('theoldreader.com', 7)
    """
    found = _SUBSCRIBERS.search(user_agent)
    # Who calls itself a browser says in the comment what it is.
    product = _COMPATIBLE.search(user_agent) or _PRODUCT.match(user_agent)
    if found is None or product is None:
        return None
    return product[product.lastindex or 0].strip(" ._-").lower(), int(found[1])


def kind_of(path: str) -> str:
    """Return what sort of address *path* is: few words, whatever people ask.

    >>> kind_of("/news/world.atom"), kind_of("/news/world"), kind_of("/article/1"), kind_of("/x.php")
    ('atom', 'page', 'article', 'page')
    """
    suffix = path[-5:].rpartition(".")[2]
    if suffix in ("rss", "atom", "json"):
        return suffix
    first = path[1:].partition("/")[0]
    return first if first in ("article", "story", "search", "static", "websub", "status", "metrics") else "page"


def exposition(numbers: Numbers, states: Mapping[str, int], events: Sequence[Event]) -> tuple[bytes, str]:
    """Return everything in Prometheus' text format, and its media type."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector  # type: ignore[attr-defined,unused-ignore]

    if _tallies:
        _tallies[-1].flush()
    registry = CollectorRegistry()
    registry.register(_Stored(numbers, states, events))
    body = generate_latest(registry)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call,unused-ignore]
        body += generate_latest(counted)
    elif _tallies:
        body += generate_latest(_tallies[-1].registry)
    return body, CONTENT_TYPE_LATEST


_tallies: list[Tally] = []


def tally() -> Tally:
    """Return the tally of this process."""
    if not _tallies:
        _tallies.append(Tally())
    return _tallies[-1]


class _Stored:
    """What the store knows, in Prometheus' words."""

    def __init__(self, numbers: Numbers, states: Mapping[str, int], events: Sequence[Event]) -> None:
        self._numbers, self._states, self._events = numbers, states, events

    def collect(self) -> list[Any]:
        """Give the metric families."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        known = self._numbers
        sources = GaugeMetricFamily("wiredesk_sources", "Sources by state", labels=["state"])
        for state, count in self._states.items():
            sources.add_metric([state], count)
        alarms = GaugeMetricFamily("wiredesk_alarms", "Open alarms by kind", labels=["kind"])
        kinds = [event.kind for event in self._events]
        for kind in sorted(set(kinds)):
            alarms.add_metric([kind], kinds.count(kind))
        return [
            sources,
            alarms,
            CounterMetricFamily("wiredesk_articles", "Articles that ever came", value=known.articles),
            CounterMetricFamily("wiredesk_entries", "Entries that ever came, copies included", value=known.entries),
            CounterMetricFamily("wiredesk_source_polls", "Polls of the present sources", value=known.polls),
            GaugeMetricFamily("wiredesk_due_sources", "Sources that should be polled now", value=known.due),
            GaugeMetricFamily("wiredesk_due_lag_seconds", "How long the longest due waits", value=known.lag_s),
            GaugeMetricFamily("wiredesk_inbox_bodies", "Bodies that wait to be read", value=known.inbox),
            GaugeMetricFamily("wiredesk_config_version", "The config in force", value=known.config_version),
            GaugeMetricFamily("wiredesk_database_bytes", "Size of the database", value=known.database_bytes or 0),
        ]
