"""`/metrics`: what the store knows, and what each process counts of itself, for Prometheus.

I/O: each process of a desk leaves its counts in a file of a folder that they share, since any of them may be asked.
prometheus_client's own way to share them maps files into memory, and a full disk then ends the process (SIGBUS); here
a file that can't be written is left as it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections import Counter as Count
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families

from feeds.serve.readership import MOST_AGENT_CHARS, MOST_AT_ONCE, Readership, Save
from feeds.store.overview import Numbers

FOLDER = "metrics"
MOST_SERVICES = 200
FLUSH_S = 5.0  # a flush writes all counts, in 1 to 3 ms: as long as a hundred answers take
FEEDS = frozenset(("rss", "atom", "json"))
READ = frozenset((200, 226, 304))
_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0)


def shared_folder(environ: Mapping[str, str]) -> Path | None:
    """The folder of this desk's counts, None where a process counts for itself; those of ended desks are removed.

    It is named by the process that started this one.
    """
    data = environ.get("WIREDESK_DATA", "").strip()
    if not data:
        return None
    parent = environ.get("WIREDESK_PARENT", "").strip() or str(os.getppid())
    folder = Path(data) / FOLDER / parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.parent.iterdir():
            if other.name.isdigit() and other.name != parent and not Path(f"/proc/{other.name}").exists():
                shutil.rmtree(other, ignore_errors=True)
    except OSError:
        return None
    return folder


class Shared:
    """The counts of this process in *registry*, and in a file of *folder* for those beside it."""

    def __init__(self, folder: Path | None) -> None:
        self.registry = CollectorRegistry()
        self._folder = folder
        self._saving = threading.Lock()

    @property
    def _name(self) -> str:
        return f"{os.getpid()}.prom"  # of the process that saves: this may have been made before a fork

    def save(self) -> None:
        """Leave the counts for the other processes. Without room on the disk they see the last that there was for."""
        if self._folder is None:
            return
        half = self._folder / f".{self._name}"
        with self._saving:
            try:
                half.write_bytes(generate_latest(self.registry))
                half.replace(self._folder / self._name)
            except OSError:
                with contextlib.suppress(OSError):
                    half.unlink()

    def gathered(self) -> bytes:
        """The counts of all processes of the desk, those that have ended included, in Prometheus' text format."""
        return exposed(summed([generate_latest(self.registry).decode(), *self._others()]))

    def _others(self) -> list[str]:
        """What the others have left, the newest first."""
        if self._folder is None:
            return []
        found: list[tuple[int, str]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.glob("*.prom"):
                if path.name not in (self._name, f".{self._name}"):
                    with contextlib.suppress(OSError, UnicodeError):
                        found.append((path.stat().st_mtime_ns, path.read_text()))
        return [text for _, text in sorted(found, reverse=True)]


class _Given:
    """Families that are there already, as a registry wants them."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Sequence[Metric]:
        """Give the metric families."""
        return self._families


def exposed(families: Sequence[Metric]) -> bytes:
    """Return *families* in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Given(families))
    return generate_latest(registry)


def summed(texts: Sequence[str]) -> list[Metric]:
    """Return counts in Prometheus' text format added up; of a gauge the first that says one holds."""
    families: dict[str, tuple[str, str]] = {}
    values: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
    for text in texts:
        for family in text_string_to_metric_families(text):
            if family.name.endswith("_created"):
                continue  # when a process began, which adds up to nothing
            families.setdefault(family.name, (family.documentation, family.type))
            for name, labels, value, *_ in family.samples:
                key = family.name, name, tuple(sorted(labels.items()))
                if family.type == "gauge":
                    values.setdefault(key, value)
                elif not name.endswith("_created"):
                    values[key] = values.get(key, 0.0) + value
    metrics = {name: Metric(name, documentation, kind) for name, (documentation, kind) in families.items()}
    for (of, sample, labelled), value in values.items():
        metrics[of].add_sample(sample, dict(labelled), value)
    return list(metrics.values())


class Tally:
    """What a web process counts of its own answers."""

    def __init__(
        self,
        folder: Path | None = None,
        save: Save | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.shared = Shared(folder)
        self.registry = self.shared.registry
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
            registry=self.registry,
        )
        self._services: set[tuple[str, str]] = set()
        self.readership = Readership(save)
        self._answers: deque[tuple[str, int, str, int, str, int, int]] = deque()
        self._flush_is_due = False
        self._counting = threading.Lock()

    def answered(self, path: str, status: int, environ: Mapping[str, Any], sent: int = 0, tag: str = "") -> None:
        """Note one answer of *sent* bytes to the request *environ*, whose content *tag* names.

        What was noted is counted, and left for the other processes, once in `FLUSH_S`: a request pays for a note alone.
        """
        client = hash((environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR")))
        agent = environ.get("HTTP_USER_AGENT", "")[:MOST_AGENT_CHARS]
        # Whole seconds: who waits as long as it was told never seems to have waited less.
        self._answers.append((path, status, agent, sent, tag, client, int(self._clock())))
        if not self._flush_is_due:
            timer = threading.Timer(FLUSH_S, self.flush)
            timer.daemon = True
            timer.start()
            self._flush_is_due = True
        elif len(self._answers) >= MOST_AT_ONCE:
            with self._counting:
                self._count()

    def _count(self) -> None:
        """Count what was noted; those who ask the same again and again cost no more than one. For one at a time."""
        noted = Count(self._answers.popleft() for _ in range(len(self._answers)))
        served: dict[tuple[str, int], int] = {}
        for (path, status, agent, sent, tag, client, second), times in noted.items():
            key = kind_of(path), status
            served[key] = served.get(key, 0) + times
            if key[0] in FEEDS and status in READ:
                self.readership.count(path, status, agent, sent, tag, client, second, times)
        for key, count in served.items():
            self._served.labels(*key).inc(count)

    def flush(self) -> None:
        """Put what was counted where `/metrics` finds it."""
        self._flush_is_due = False  # before it counts: what is noted meanwhile has one of its own
        with self._counting:
            self._count()
            read = self.readership.take()
        for service, path, count in self.readership.settle(read):
            # Anybody can say anything: how many names are kept is bounded.
            if (service, path) in self._services or len(self._services) < MOST_SERVICES:
                self._services.add((service, path))
                self._subscribers.labels(service, path).set(count)
        self.shared.save()

    def took(self, path: str, seconds: float) -> None:
        """Note how long a view took."""
        self._seconds.labels(kind_of(path)).observe(seconds)


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


def exposition(known: Sequence[Metric] | None, tally: Tally) -> tuple[bytes, str]:
    """Return everything in Prometheus' text format, and its media type; *known* is None where the store is silent."""
    up = GaugeMetricFamily("wiredesk_store_up", "Whether the store answers", value=float(known is not None))
    tally.flush()
    return exposed([up, *(known or ())]) + tally.shared.gathered(), CONTENT_TYPE_LATEST


def stored(known: Numbers, alarms: Mapping[str, int]) -> list[Metric]:
    """Return what the store knows, in Prometheus' words."""

    def by(label: str, name: str, documentation: str, counts: Mapping[str, int]) -> Metric:
        family = GaugeMetricFamily(name, documentation, labels=[label])
        for value, count in counts.items():
            family.add_metric([value], count)
        return family

    return [
        by("state", "wiredesk_sources", "Sources by state", known.states),
        by("kind", "wiredesk_alarms", "Open alarms by kind", dict(sorted(alarms.items()))),
        CounterMetricFamily("wiredesk_articles", "Articles that ever came", value=known.articles),
        CounterMetricFamily("wiredesk_entries", "Entries that ever came, copies included", value=known.entries),
        CounterMetricFamily("wiredesk_source_polls", "Polls of the present sources", value=known.polls),
        GaugeMetricFamily("wiredesk_due_sources", "Sources that should be polled now", value=known.due),
        GaugeMetricFamily("wiredesk_due_lag_seconds", "How long the longest due waits", value=known.lag_s),
        GaugeMetricFamily("wiredesk_inbox_bodies", "Bodies that wait to be read", value=known.inbox),
        GaugeMetricFamily("wiredesk_config_version", "The config in force", value=known.config_version),
        GaugeMetricFamily("wiredesk_database_bytes", "Size of the database", value=known.database_bytes or 0),
    ]
