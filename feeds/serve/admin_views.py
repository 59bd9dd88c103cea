"""What the admins' pages and the feed of alarms show: sources, sections, alarms, numbers, config errors.
I/O: reads the lines of config files that an open event names, never more than a few of them.

Nothing secret comes out of here or of the templates: addresses, errors and reasons are masked.

What befalls many sources at once is one entry of the feed: events of one kind that begin within an hour of the first of
them are folded into it, as soon as there are more than a few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

from flask import g
from markupsafe import Markup, escape

from feeds.condition import Condition, ago, condition, span, starved
from feeds.configuration import DOCUMENTS, UNFILED, Section
from feeds.dates import rfc3339
from feeds.files import read_regular
from feeds.serve.representations import put, xml_text
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
MOST = 100
LOOKS_AT = 5000
"""Entries that the feed has, and events of which they are made: a storm of them is a few entries."""
STORM_WITHIN = timedelta(hours=1)
STORM_FROM = 10
"""More events of one kind than that, begun within that time, become one entry."""
_NAMED = 40
WORK = frozenset(("refile",))
"""Events that stand for work under way: nothing for an admin to do."""

NEWS = frozenset(("revived", "flood"))
"""Events that are over as soon as they are noted."""

OF_SOURCES = frozenset(("gone", "failing", "revived", "unread", "silent", "moved", "validators", "flood", "robots"))
"""Kinds of events that are about the source whose key is their subject."""

TITLES = {
    "config": "The config files have errors",
    "files": "Config files that are not in force",
    "gate": "A section's document was held back",
    "held": "A section's document was held back",
    "set-aside": "An article was set aside",
    "document": "A document could not be read",
    "clock": "The clock was set",
    "gone": "Gone",
    "model": "The learned classifier is not in use",
    "failing": "Failing",
    "unread": "Nothing can be read",
    "silent": "Silent",
    "validators": "Validators that lie",
    "flood": "An archive came again",
    "robots": "Article pages are not to be asked for",
}
"""What stands before the text of an event; other kinds say all in their text."""


# ------------------------------------------------------------------ sources and sections


class Row(NamedTuple):
    """One source as pages show it: *state* and *target* without secrets, *counts* the entries of each day of a chart,
    and *copies* how many of them are.
    """

    line: Line
    state: Condition
    target: str
    interval: str
    validators: str
    counts: Sequence[int]
    copies: int
    saved: Saved


class SectionRow(NamedTuple):
    """One section as the page shows it: *counts* are the articles of each day of a chart."""

    section: Section
    counts: Sequence[int]
    starving: bool


def rows(shown: Shown, now: datetime) -> list[Row]:
    """Return the sources of a page as rows; an open alarm says which are quiet against their own rhythm."""
    found = []
    for line in shown.lines:
        state = condition(line.source, line.state, now=now, quiet=shown.quiet.get(line.source.key, ""))
        days = shown.days.get(line.id, {})
        counts = [days.get(day, (0, 0)) for day in _charted(now)]
        target = masked(line.source.target)
        # The address stands in the row already; an error that repeats it is twice as long as it has to be.
        text = masked(state.text).removesuffix(f": {target}")
        found.append(
            Row(
                line=line,
                state=Condition(word=state.word, text=text, remedy=masked(state.remedy), trouble=state.trouble),
                target=target,
                interval=interval_words(_interval_s(line)),
                validators=validator_words(line),
                counts=[came for came, _ in counts],
                copies=sum(copied for _, copied in counts),
                saved=shown.saved.get(line.id, Saved()),
            )
        )
    return found


def section_rows(sections: Sequence[Section], days: Mapping[str, Mapping[int, int]], now: datetime) -> list[SectionRow]:
    """Return the sections of the tree and what is unfiled, those that starve by the rule of their alarm first; *days*
    are articles by section and day.
    """
    found, charted = [], _charted(now)
    for section in (*sections, Section(path=UNFILED, title="Unfiled")):
        by_day = days.get(section.path, {})
        counts = [by_day.get(day, 0) for day in charted]
        starving = section.path != UNFILED and starved(by_day, day_of(now)) is not None
        found.append(SectionRow(section, counts, starving))
    return sorted(found, key=lambda row: not row.starving)


def _charted(now: datetime) -> range:
    return range(day_of(now) - CHART_DAYS + 1, day_of(now) + 1)


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


def bars(values: Sequence[int]) -> Markup:
    """Return one bar for the articles of each day, oldest first. Colours are the style sheet's.

    >>> str(bars([0, 2]))[:94]
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
    label = f"articles a day, last {CHART_DAYS} days: {', '.join(map(str, values))}"
    return Markup(  # noqa: S704
        f'<svg class="bars" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img"'
        f' aria-label="{label}">{drawn}</svg>'
    )


FILTERS: dict[str, Callable[..., object]] = {
    "ago": lambda at: ago(at, g.showing.now),
    "alarm": lambda event: masked(title_of(event)),
    "bars": bars,
    "bytes": bytes_words,
    "code": code,
    "masked": masked,
}
"""What the templates of these pages say things with."""


# ------------------------------------------------------------------ alarms


def title_of(event: Event) -> str:
    """Return an event in a few words."""
    first = event.text.split("\n")[0]
    words = TITLES.get(event.kind)
    title = f"{words}: {first}" if words else first
    title = title if len(title) <= 160 else title[:159].rstrip() + "…"
    return f"Over: {title}" if event.closed_at and event.kind not in NEWS else title


class Alarms(NamedTuple):
    """The open alarms of one kind: *heading* where there are so many that they are folded; *more* are not listed."""

    heading: str
    events: Sequence[Event]
    more: int = 0


def alarm_groups(events: Sequence[Event], counts: Mapping[str, int]) -> list[Alarms]:
    """Return the open alarms but for config's, by kind; *counts* says how many of each kind are open in all."""
    by_kind: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda one: one.at, reverse=True):
        if event.kind != "config" and event.kind not in WORK:
            by_kind.setdefault(event.kind, []).append(event)
    groups = []
    for kind, several in by_kind.items():
        total = counts.get(kind, len(several))
        heading = f"{_name_of(kind)}: {total}" if total > ALARMS_SHOWN else ""
        groups.append(Alarms(heading, several, total - len(several)))
    return groups


def _name_of(kind: str) -> str:
    return TITLES.get(kind, kind.capitalize())


def entries(events: Sequence[Event]) -> list[Sequence[Event]]:
    """Return the events of each entry of the feed, oldest first: newest entries first, at most `MOST`."""
    storms: dict[str, list[list[Event]]] = {}
    for event in sorted(events, key=lambda one: one.at):
        if event.kind in WORK:
            continue
        of_kind = storms.setdefault(event.kind, [])
        if not of_kind or event.at - of_kind[-1][0].at > STORM_WITHIN:
            of_kind.append([])
        of_kind[-1].append(event)
    found: list[Sequence[Event]] = []
    for storm in (storm for of_kind in storms.values() for storm in of_kind):
        found += [storm] if len(storm) > STORM_FROM else [[event] for event in storm]
    return sorted(found, key=lambda several: several[0].at, reverse=True)[:MOST]


def _in_words(several: Sequence[Event], *, over: bool) -> tuple[str, str]:
    """The title and the text of an entry."""
    event = several[0]
    if len(several) == 1:
        ended = f"\nOver since {rfc3339(event.closed_at)}." if event.closed_at else ""
        return title_of(event), event.text + (f"\n{event.remedy}" if event.remedy else "") + ended
    lines = [title_of(one) for one in several[:_NAMED]]
    left = len(several) - len(lines)
    title = f"{'Over: ' if over and event.kind not in NEWS else ''}{_name_of(event.kind)}: {len(several)} at once"
    return title, "\n".join([*lines, *([f"and {left} more"] if left else [])])


def alarms_feed(
    events: Sequence[Event], *, title: str, feed_id: str, self_url: str, page_url: str, began: datetime
) -> str:
    """Return the feed of *events*, newest first (RFC 4287); *began* dates one without any.

    An entry's id is its first event's, and stays while others join it; its words change when it is over.
    """
    feed = ElementTree.Element("feed", xmlns="http://www.w3.org/2005/Atom")
    put(feed, "id", feed_id)
    put(feed, "title", f"{title}: alarms")
    put(feed, "subtitle", "What an admin should know; an entry changes when its trouble is over.")
    updated = put(feed, "updated", rfc3339(began))
    put(feed, "link", rel="self", href=self_url, type="application/atom+xml")
    put(feed, "link", rel="alternate", href=page_url, type="text/html")
    put(put(feed, "author"), "name", title)
    changes = []
    for several in entries(events):
        first, over = several[0], all(one.closed_at for one in several)
        changes.append(max(one.closed_at or one.at for one in several))
        words, text = _in_words(several, over=over)
        about_source = len(several) == 1 and first.kind in OF_SOURCES and first.subject
        page = f"{page_url}/source/{quote(first.subject)}" if about_source else page_url
        entry = put(feed, "entry")
        put(entry, "id", first.id)
        put(entry, "title", masked(words))
        put(entry, "published", rfc3339(first.at))
        put(entry, "updated", rfc3339(changes[-1]))
        put(entry, "link", rel="alternate", href=page, type="text/html")
        put(entry, "category", term=first.kind)
        put(entry, "category", term="over" if over else "open")
        put(entry, "content", masked(text))
    updated.text = rfc3339(max(changes, default=began))
    return xml_text(feed)


# ------------------------------------------------------------------ errors of config files


class FileLine(NamedTuple):
    """One line of a file; *wrong* is the one with the error."""

    number: int
    text: str
    wrong: bool


class ConfigFault(NamedTuple):
    """One error: where it is, what it says, and the lines around it where they could be read."""

    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    lines: tuple[FileLine, ...] = ()


def config_faults(event: Event, folder: Path | None) -> list[ConfigFault]:
    """Return the errors that a ``config`` event tells, in its order."""
    files: dict[str, Sequence[str]] = {}
    found = []
    for message in event.text.split("\n"):
        match = _PLACE.fullmatch(message)
        if match is None:
            if message.strip():
                found.append(ConfigFault(message))
            continue
        name, line = match["file"], int(match["line"])
        if name not in files:
            files[name] = _read(folder, name)
        numbers = range(max(1, line - AROUND), min(len(files[name]), line + AROUND) + 1)
        lines = tuple(FileLine(number, _harmless(files[name], number), number == line) for number in numbers)
        found.append(ConfigFault(match["text"], name, line, int(match["column"]), lines))
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
