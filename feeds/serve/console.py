"""What the admins' pages show, in words and small charts: sources as rows, sections, alarms, numbers. Pure.

Nothing secret comes out of here: addresses, errors and reasons are masked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from markupsafe import Markup, escape

from feeds.condition import Condition, ago, condition, span, starved
from feeds.model import UNFILED, Section
from feeds.serve.addresses import Addresses
from feeds.serve.alarms import OF_SOURCES, TITLES, WORK, title_of
from feeds.serve.charts import bars
from feeds.serve.ledger import CHART_DAYS, Glance
from feeds.store.overview import Line, Numbers, Saved
from feeds.store.values import Event
from feeds.urls import masked

WORDS = ("fine", "new", "waiting", "silent", "moved", "failing", "gone", "resting")
SORTS = ("config", "name", "state", "poll", "news", "interval")
ALARMS_SHOWN = 3
"""More alarms of one kind than these are folded under one line."""

Judged = tuple[Line, Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One source as the page shows it."""

    line: Line
    state: Condition
    href: str
    target: str
    polled: str
    news: str
    interval: str
    reason: str
    validators: str
    chart: Markup = Markup()
    articles: int = 0
    copies: str = ""
    saved: str = ""
    same: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One open alarm: *href* leads to the page of its source where it is about one."""

    title: str
    href: str
    remedy: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarms:
    """The open alarms of one kind: *heading* where there are so many that they are folded."""

    heading: str
    lines: tuple[Alarm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionRow:
    """One section as the page shows it."""

    title: str
    path: str
    href: str
    chart: Markup
    today: int
    mean: str
    starving: bool
    empty: bool


def judge(glance: Glance, now: datetime) -> list[Judged]:
    """Return every source with its condition; an open alarm says which of them are quiet against their own rhythm."""
    quiet = {event.subject: event.text for event in glance.open_events if event.kind == "silent"}
    return [
        (line, condition(line.source, line.state, now=now, quiet=quiet.get(line.source.key, "")))
        for line in glance.lines
    ]


def count(judged: Sequence[Judged]) -> dict[str, int]:
    """Return how many sources each word is true of, and under ``trouble`` how many need a look."""
    counts = dict.fromkeys(WORDS, 0)
    for _, state in judged:
        counts[state.word] += 1
    return counts | {"trouble": sum(state.trouble for _, state in judged)}


def choose(judged: Sequence[Judged], word: str, sought: str) -> list[Judged]:
    """Return the sources in the state *word*, "" for any, whose name or address holds *sought*."""
    folded = sought.strip().casefold()
    return [
        (line, state)
        for line, state in judged
        if (not word or (state.trouble if word == "trouble" else state.word == word))
        and (not folded or folded in line.source.name.casefold() or folded in masked(line.source.target).casefold())
    ]


def order(chosen: list[Judged], by: str) -> list[Judged]:
    """Return *chosen* in the order *by*, one of `SORTS`; "": what needs somebody first, the rest as in the file."""
    keys: dict[str, Callable[[Judged], object]] = {
        "": lambda one: not one[1].trouble,
        "name": lambda one: one[0].source.name.casefold(),
        "state": lambda one: (not one[1].trouble, -WORDS.index(one[1].word)),
        "poll": lambda one: -(one[0].state.last_poll_at or one[0].added_at).timestamp(),
        "news": lambda one: -(one[0].state.last_new_at or one[0].added_at).timestamp(),
        "interval": lambda one: _interval_s(one[0]) or 0.0,
    }
    return sorted(chosen, key=keys[by])  # type: ignore[arg-type]


def row(
    judged: Judged,
    days: Mapping[int, tuple[int, int]],
    saved: Saved,
    *,
    addresses: Addresses,
    today: int,
    now: datetime,
) -> Row:
    """Return a source as its row: *days* are entries and copies by day, *saved* what its polls cost."""
    line, state = judged
    known, source = line.state, line.source
    counts = [days.get(day, (0, 0)) for day in range(today - CHART_DAYS + 1, today + 1)]
    came, copies = sum(number for number, _ in counts), sum(copied for _, copied in counts)
    target = masked(source.target)
    # The address stands in the row already; an error that repeats it is twice as long as it has to be.
    told = masked(state.text).removesuffix(f": {target}")
    return Row(
        line=line,
        state=Condition(word=state.word, text=told, remedy=masked(state.remedy), trouble=state.trouble),
        href=addresses.local(f"/status/source/{source.key}"),
        target=target,
        polled=ago(known.last_poll_at, now),
        news=ago(known.last_new_at, now),
        interval=interval_words(_interval_s(line)),
        reason=masked(known.reason),
        validators=validator_words(line),
        chart=bars([number for number, _ in counts], f"articles a day, last {CHART_DAYS} days"),
        articles=came,
        copies=f"{copies / came:.0%}" if came else "–",
        saved=bytes_words(saved.saved_bytes) if saved.saved_bytes else "",
        same=f"{saved.not_modified} of {saved.polls} unchanged" if known.last_ok_at else "",
    )


def section_rows(
    sections: Sequence[Section], days: Mapping[str, Mapping[int, int]], *, addresses: Addresses, today: int
) -> list[SectionRow]:
    """Return the sections of the tree, those that starve first; a section starves by the rule of its alarm."""
    shown = []
    for section in (*sections, Section(path=UNFILED, title="Unfiled")):
        by_day = days.get(section.path, {})
        counts = [by_day.get(day, 0) for day in range(today - CHART_DAYS + 1, today + 1)]
        shown.append(
            SectionRow(
                title=section.title if section.path else "The whole desk",
                path=section.path,
                href=addresses.local("/" + section.path),
                chart=bars(counts, f"articles a day, last {CHART_DAYS} days"),
                today=counts[-1],
                mean=f"{sum(counts) / len(counts):.1f}",
                starving=section.path != UNFILED and starved(by_day, today) is not None,
                empty=not sum(counts),
            )
        )
    return sorted(shown, key=lambda one: not one.starving)


def alarm_groups(events: Sequence[Event], *, addresses: Addresses, now: datetime) -> list[Alarms]:
    """Return the open alarms but for config's, by kind."""
    told = [event for event in events if event.kind != "config" and event.kind not in WORK]
    kinds = list(dict.fromkeys(event.kind for event in told))
    groups = []
    for kind, several in groupby(sorted(told, key=lambda one: kinds.index(one.kind)), key=lambda one: one.kind):
        lines = tuple(
            Alarm(
                title=masked(title_of(one)),
                href=addresses.local(f"/status/source/{one.subject}") if kind in OF_SOURCES else "",
                remedy=masked(one.remedy),
                since=ago(one.at, now),
            )
            for one in several
        )
        name = TITLES.get(kind, kind.capitalize())
        groups.append(Alarms(heading=f"{name}: {len(lines)}" if len(lines) > ALARMS_SHOWN else "", lines=lines))
    return groups


def facts(numbers: Numbers, total: int, counts: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Return the desk in numbers: a name, a value, and a few words more."""
    late = f"longest wait: {interval_words(numbers.lag_s)}" if numbers.due else "nothing waits"
    size = numbers.database_bytes
    return [
        ("Sources", f"{total:,}", f"{counts['fine']:,} fine, {counts['trouble']:,} need a look"),
        ("Articles", f"{numbers.articles:,}", f"from {numbers.entries:,} entries"),
        ("Polls", f"{numbers.polls:,}", "since the desk began"),
        ("Due now", f"{numbers.due:,}", late),
        ("Inbox", f"{numbers.inbox:,}", "bodies that wait to be read"),
        ("Database", bytes_words(size) if size is not None else "–", "on disk"),
    ]


def _interval_s(line: Line) -> float | None:
    """The time from the last poll to the next, whatever made it so; before the first the one that is set."""
    known = line.state
    if known.last_poll_at is not None and known.next_poll_at is not None and known.next_poll_at > known.last_poll_at:
        return (known.next_poll_at - known.last_poll_at).total_seconds()
    return line.source.interval_s or known.interval_s


def validator_words(line: Line) -> str:
    """Return how a source's validators behave, in a few words."""
    known = line.state
    if known.distrusted_at is not None:
        return "lie: left out for now"
    if line.ignore_validators:
        return "left out, as sources.yaml says"
    if line.source.kind == "files":
        return "–"
    kept = known.validators
    given = [name for name, value in (("ETag", kept.etag), ("Last-Modified", kept.last_modified)) if value]
    return " and ".join(given) or ("none" if known.last_ok_at else "–")


def interval_words(seconds: float | None) -> str:
    """Return an interval for people; a dash for one that is not known yet."""
    return "–" if seconds is None else span(timedelta(seconds=seconds))


def bytes_words(number: int) -> str:
    """Return *number* bytes for people.

    >>> bytes_words(900), bytes_words(12_345), bytes_words(7_400_000)
    ('900 B', '12 kB', '7.4 MB')
    """
    if number < 1000:
        return f"{number} B"
    if number < 1_000_000:
        return f"{number / 1000:.0f} kB"
    return f"{number / 1_000_000:.1f} MB" if number < 1_000_000_000 else f"{number / 1_000_000_000:.2f} GB"


def code(text: str) -> Markup:
    """Return *text* with what stands between backticks as code.

    >>> str(code("set `a: <b>`"))
    'set <code>a: &lt;b&gt;</code>'
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )
