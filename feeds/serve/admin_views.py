"""What the admins' pages show, in words and small charts: sources as rows, sections, alarms, numbers, config errors.
I/O: reads the lines of config files that an open event names, never more than a few of them.

Nothing secret comes out of here: addresses, errors and reasons are masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from markupsafe import Markup, escape

from feeds.condition import Condition, ago, condition, span, starved
from feeds.configuration import DOCUMENTS, UNFILED, Section
from feeds.files import read_regular
from feeds.serve.addresses import Addresses
from feeds.serve.alarm_feed import OF_SOURCES, TITLES, WORK, title_of
from feeds.serve.store_reader import CHART_DAYS, Shown
from feeds.store.overview import Line, Numbers, Saved, day_of
from feeds.store.values import Event
from feeds.urls import masked

ALARMS_SHOWN = 3
"""More alarms of one kind than these are folded under one line."""
BAR, GAP, HEIGHT = 7, 2, 28
"""Pixels of a chart."""
AROUND = 1
MOST_CHARS = 240
MOST_FILE_BYTES = 2_000_000
_PLACE = re.compile(r"(?P<file>[^:\n]{1,200}):(?P<line>\d{1,7}):(?P<column>\d{1,7}): (?P<text>.*)", re.DOTALL)
_SECRET = re.compile(
    r"(authorization|token|secret|passw|api[-_]?key|cookie|credential|signature|x-[\w-]*key)", re.IGNORECASE
)
_VALUE = re.compile(r"((?:^|[{,])\s*(?:-\s*)?[\"']?[\w.-]+[\"']?\s*:\s*)([^{},\n][^,}\n]*)")


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
    """The open alarms of one kind: *heading* where there are so many that they are folded; *more* are not listed."""

    heading: str
    lines: tuple[Alarm, ...]
    more: int = 0


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


def rows(shown: Shown, *, addresses: Addresses, now: datetime) -> list[Row]:
    """Return the sources of a page as rows; an open alarm says which are quiet against their own rhythm."""
    found = []
    for line in shown.lines:
        state = condition(line.source, line.state, now=now, quiet=shown.quiet.get(line.source.key, ""))
        days, saved = shown.days.get(line.id, {}), shown.saved.get(line.id, Saved())
        found.append(row(line, state, days, saved, addresses=addresses, today=day_of(now), now=now))
    return found


def row(
    line: Line,
    state: Condition,
    days: Mapping[int, tuple[int, int]],
    saved: Saved,
    *,
    addresses: Addresses,
    today: int,
    now: datetime,
) -> Row:
    """Return a source as its row: *days* are entries and copies by day, *saved* what its polls cost."""
    known, source = line.state, line.source
    counts = [days.get(day, (0, 0)) for day in range(today - CHART_DAYS + 1, today + 1)]
    came, copies = sum(number for number, _ in counts), sum(copied for _, copied in counts)
    target = masked(source.target)
    # The address stands in the row already; an error that repeats it is twice as long as it has to be.
    text = masked(state.text).removesuffix(f": {target}")
    return Row(
        line=line,
        state=Condition(word=state.word, text=text, remedy=masked(state.remedy), trouble=state.trouble),
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


def by_need(sections: Sequence[Section], days: Mapping[str, Mapping[int, int]], today: int) -> list[Section]:
    """Return the sections of the tree and what is unfiled, those that starve first."""
    return sorted((*sections, Section(path=UNFILED, title="Unfiled")), key=lambda one: not _starves(one, days, today))


def _starves(section: Section, days: Mapping[str, Mapping[int, int]], today: int) -> bool:
    """Whether a section starves, by the rule of its alarm."""
    return section.path != UNFILED and starved(days.get(section.path, {}), today) is not None


def section_rows(
    sections: Sequence[Section], days: Mapping[str, Mapping[int, int]], *, addresses: Addresses, today: int
) -> list[SectionRow]:
    """Return *sections* as rows: *days* are articles by section and day."""
    shown = []
    for section in sections:
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
                starving=_starves(section, days, today),
                empty=not sum(counts),
            )
        )
    return shown


def alarm_groups(
    events: Sequence[Event], counts: Mapping[str, int], *, addresses: Addresses, now: datetime
) -> list[Alarms]:
    """Return the open alarms but for config's, by kind; *counts* says how many of each kind are open in all."""
    by_kind: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda one: one.at, reverse=True):
        if event.kind != "config" and event.kind not in WORK:
            by_kind.setdefault(event.kind, []).append(event)
    groups = []
    for kind, several in by_kind.items():
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
        total = counts.get(kind, len(lines))
        heading = f"{name}: {total}" if total > ALARMS_SHOWN else ""
        groups.append(Alarms(heading=heading, lines=lines, more=total - len(lines)))
    return groups


def facts(numbers: Numbers) -> list[tuple[str, str, str]]:
    """Return the desk in numbers: a name, a value, and a few words more."""
    late = f"longest wait: {interval_words(numbers.lag_s)}" if numbers.due else "nothing waits"
    size, states = numbers.database_bytes, numbers.states
    return [
        ("Sources", f"{sum(states.values()):,}", f"{states.get('fine', 0):,} fine, {numbers.trouble:,} need a look"),
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
    if line.source.ignore_validators:
        return "left out, as sources.yaml says"
    if line.source.kind in DOCUMENTS:
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


def bars(values: Sequence[int], label: str) -> Markup:
    """Return one bar for each of *values*, oldest first; *label* says what they are. Colours are the style sheet's.

    >>> str(bars([0, 2], "articles a day"))[:94]
    '<svg class="bars" width="16" height="28" viewBox="0 0 16 28" role="img" aria-label="articles a'
    """
    width = max(1, len(values) * (BAR + GAP) - GAP)
    most = max(values, default=0)
    paths = {"some": "", "none": ""}
    for number, value in enumerate(values):
        # What is there at all must be seen beside a day of thousands.
        height = 1 if not value else max(3, round(value / most * HEIGHT))
        paths["some" if value else "none"] += f"M{number * (BAR + GAP)} {HEIGHT}v-{height}h{BAR}v{height}z"
    drawn = "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items() if path)
    said = Markup.escape(f"{label}: {', '.join(map(str, values))}")
    return Markup(  # noqa: S704
        f'<svg class="bars" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img"'
        f' aria-label="{said}">{drawn}</svg>'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLine:
    """One line of a file; *wrong* is the one with the error."""

    number: int
    text: str
    wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFault:
    """One error: where it is, what it says, and the lines around it where they could be read."""

    file: str
    line: int
    column: int
    text: str
    lines: tuple[FileLine, ...] = ()


def config_faults(event: Event, folder: Path | None) -> list[ConfigFault]:
    """Return the errors that a ``config`` event tells, in its order."""
    kept: dict[str, Sequence[str]] = {}
    found = []
    for message in event.text.split("\n"):
        match = _PLACE.fullmatch(message)
        if match is None:
            if message.strip():
                found.append(ConfigFault(file="", line=0, column=0, text=message))
            continue
        name, line = match["file"], int(match["line"])
        if name not in kept:
            kept[name] = _read(folder, name)
        found.append(
            ConfigFault(
                file=name,
                line=line,
                column=int(match["column"]),
                text=match["text"],
                lines=tuple(
                    FileLine(number=number, text=_harmless(kept[name], number), wrong=number == line)
                    for number in range(max(1, line - AROUND), min(len(kept[name]), line + AROUND) + 1)
                ),
            )
        )
    return found


def _read(folder: Path | None, name: str) -> Sequence[str]:
    if folder is None or not name.endswith((".yaml", ".yml")):
        return ()
    try:
        body = read_regular(folder / name, most_bytes=MOST_FILE_BYTES, within=[folder.resolve()])
        return body.decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ()


def _harmless(lines: Sequence[str], number: int) -> str:
    """One line with every value starred that is, or may be, a secret: named like one, or anywhere below `headers:`."""
    text = masked(lines[number - 1])[:MOST_CHARS]
    if _SECRET.search(text) or "headers" in text or _below_headers(lines, number):
        text = _VALUE.sub(r"\1***", text)
        if not _VALUE.search(text):  # a value that goes on from the line before
            text = re.match(r"\s*", text)[0] + "***"  # type: ignore[index]
    return text


def _below_headers(lines: Sequence[str], number: int) -> bool:
    indent = _indent(lines[number - 1])
    for above in reversed(lines[: number - 1]):
        if above.strip() and _indent(above) < indent:
            indent = _indent(above)
            if "headers" in above.partition(":")[0]:
                return True
        if indent == 0:
            return False
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))
