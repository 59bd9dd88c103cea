"""Dates as sources write them, to aware UTC, and back. Reads `dates.txt`, else pure.

RFC 822 and 2822 in all their sloppy forms, RFC 3339 and ISO 8601, the three forms of HTTP (RFC 9110 §5.6.7), and
dates in the words of some twenty languages. What has no zone is read in the zone that the caller names. `listed_date`
reads dates as lists on pages have them: "3 hours ago", "yesterday, 14:05", "12 Mar" without a year, forms of one's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import format_datetime
from functools import lru_cache
from typing import get_args
from zoneinfo import ZoneInfo

from feeds.files import tables
from feeds.parsed import Order

EARLIEST_YEAR = 1990
"""Feeds are younger than this: an earlier year is the zero of some program (0001, 1601, 1970) and no date."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_TABLES = tables("dates.txt")
_ZONES = {name: int(minutes) for minutes, *names in map(str.split, _TABLES["zones"]) for name in names}
_PLACES = dict(row.split() for row in _TABLES["places"])
_SECONDS = {word: int(seconds) for seconds, *words in map(str.split, _TABLES["units"]) for word in words}
_DAYS_AGO = {word: int(days) for days, *words in map(str.split, _TABLES["days"]) for word in words if len(word) > 1}

_ISO = re.compile(
    r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?|(\d\d)(\d\d)(?=[T ]|$))?"
    r"(?:[Tt _]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?\s*([Zz]|[+\-−]\d\d(?::?\d\d)?)?)?$"
)
_WEEK = re.compile(r"(\d{4})-?W(\d\d)(?:-?([1-7]))?$")
_ORDINAL = re.compile(r"(\d{4})-?(\d{3})$")
_EPOCH = re.compile(r"@?(\d{9,10})(\d{3})?(?:\.\d+)?$")
_RFC822 = re.compile(
    r"(?:[A-Za-z]{3,9}\.?,?\s*)?(\d{1,2})[ \-]([A-Za-z]{3,9})\.?,?[ \-](\d{2,4})"
    r"(?:,? (\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?(?: ?(?:([+\-]\d\d):?(\d\d)|([A-Za-z]{1,5})))?(?: ?\([^)]*\))?$"
)
_CLOCK = re.compile(
    r"(?<![\d:.])(\d{1,2})(?: ?[:：h时時시] ?| ?Uhr ?|\.(?=\d\d(?:\s|$|[,;)])))(\d\d)"
    r"(?:[:：分분m.] ?(\d\d)(?:[.,]\d+)?)?(?!\d)[분分秒초s]?(?: ?([ap])\.? ?m\b\.?)?",
    re.IGNORECASE,
)
_HOUR = re.compile(r"(?<![\d:])(\d{1,2})(?: ?([ap])\.? ?m\b\.?| ?(?:Uhr|часов|h)\b)", re.IGNORECASE)
_AFTERNOON = re.compile(r"下午|晚上|오후|午後|(?<!\w)μ\.? ?μ\b|(?<!\w)م(?!\w)")
_FORENOON = re.compile(r"上午|凌晨|오전|午前|(?<!\w)π\.? ?μ\b|(?<!\w)ص(?!\w)")
_WEEKDAY = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)(?:s|nes|rs|ur)?(?:day)?\b", re.IGNORECASE)
_OFFSET = re.compile(r"(?<!\d)([+\-−])(\d\d?)(?::?(\d\d))?(?!\d)")
_PLACE = re.compile(r"\b[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_\-]+){1,2}\b")
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4}) ?[./\-年년] ?(\d{1,2}) ?[./\-月월] ?(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([./\-]) ?(\d{1,2})\2 ?(\d{4}|\d\d)(?!\d)")
_DASHED = re.compile(r"(?<!\d)(\d{1,2})-([^\W\d_]{3,})\.?-(\d{2,4})(?!\d)")
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u097f])*")
_NUMBER = re.compile(r"(?<!\d)\d{1,4}(?!\d)")


def parse_date(text: str, zone: tzinfo | None = None, order: Order | None = None) -> datetime | None:
    """Return the moment that *text* names as aware UTC, or None where it names none. Never raises.

    A date without a zone, or with a name that nobody knows, is read in *zone* (UTC where None). A day without a time
    is its first moment there; a year or a month alone its first day. Whether the moment can be believed is another
    question, see `settle`. Of ``3/4/2024`` nobody can tell the month: None, unless its weekday or the *order* of its
    document's other dates says (`order_of`), or an am or pm that it is American.

    >>> parse_date("Wed, 19 Jun 2024 09:30:00 EST")
    datetime.datetime(2024, 6, 19, 14, 30, tzinfo=datetime.timezone.utc)
    >>> parse_date("19. Juni 2024, 9:30 Uhr", zone_of("Europe/Berlin"))
    datetime.datetime(2024, 6, 19, 7, 30, tzinfo=datetime.timezone.utc)
    >>> parse_date("31 February 2024") is None
    True
    """
    text = " ".join(text[:200].split())
    if not any(character.isdigit() for character in text):
        return None
    try:
        return _iso(text, zone) or _rfc822(text, zone) or _in_words(text, zone, order)
    except (ValueError, OverflowError):
        return None


def is_ambiguous(text: str) -> bool:
    """Tell whether *text* has its day in numbers that can be read in more than one order.

    >>> is_ambiguous("3/4/2024"), is_ambiguous("13/4/2024"), is_ambiguous("2024-04-03")
    (True, False, False)
    """
    return len(_orders(text[:200])) > 1


def order_of(texts: Iterable[str]) -> Order | None:
    """Return the one order in which all dates in numbers among *texts* can be read; None where that leaves a choice.

    >>> order_of(["03-11-2026", "13-11-2026 10:00", "soon"])
    'dmy'
    """
    left: set[Order] = set(get_args(Order))
    for text in texts:
        left &= _orders(text[:200]) or left
    return left.pop() if len(left) == 1 else None


def settle(moment: datetime | None, *, received_at: datetime) -> datetime | None:
    """Return *moment* as far as it can be believed at *received_at* (criteria G3).

    A year before 1990 gives None. What lies ahead becomes *received_at*, by a second or by a year: nothing was
    published after it came.
    """
    if moment is None or moment.year < EARLIEST_YEAR:
        return None
    return min(moment, received_at)


@lru_cache(maxsize=256)
def zone_of(name: str | None) -> tzinfo:
    """Return the zone with the IANA name *name*; UTC for None and for names that the zone database does not have."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, KeyError, OSError):
        return UTC


def rfc3339(moment: datetime) -> str:
    """Return *moment* in UTC to the second (RFC 3339 §5.6).

    >>> rfc3339(datetime(2024, 6, 19, 9, 30, tzinfo=UTC))
    '2024-06-19T09:30:00Z'
    """
    return f"{_utc(moment).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def rfc822(moment: datetime) -> str:
    """Return *moment* in UTC with a four-digit year, in English whatever the locale (RFC 822 §5, RSS 2.0).

    >>> rfc822(datetime(2024, 6, 19, 9, 30, tzinfo=UTC))
    'Wed, 19 Jun 2024 09:30:00 +0000'
    """
    return format_datetime(_utc(moment))


def http_date(moment: datetime) -> str:
    """Return *moment* as an IMF-fixdate (RFC 9110 §5.6.7).

    >>> http_date(datetime(2024, 6, 19, 9, 30, tzinfo=UTC))
    'Wed, 19 Jun 2024 09:30:00 GMT'
    """
    return format_datetime(_utc(moment), usegmt=True)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a date without a zone: {moment!r}")
    return moment.astimezone(UTC)


def _moment(
    day: tuple[int, int, int], clock: tuple[int, int, int, int] = (0, 0, 0, 0), zone: tzinfo | None = None
) -> datetime:
    """The moment in UTC; 24:00 is the next day's beginning, second 60 the next minute's (RFC 3339 §5.7)."""
    hour, minute, second, microsecond = clock
    days, hour = (1, 0) if hour == 24 and minute == second == 0 else (0, hour)
    leap, second = (1, 59) if second == 60 else (0, second)
    local = datetime(*day, hour, minute, second, microsecond, tzinfo=zone or UTC)
    return local.astimezone(UTC) + timedelta(days=days, seconds=leap)


def _iso(text: str, zone: tzinfo | None) -> datetime | None:
    """A date of ISO 8601 in one of its four forms, or seconds since 1970."""
    if match := _ISO.match(text):
        return _calendar_date(match, zone)
    if match := _WEEK.match(text):
        start = datetime.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return _moment((start.year, start.month, start.day), zone=zone)
    if match := _ORDINAL.match(text):
        first = _moment((int(match[1]), 1, 1), zone=zone)
        return first + timedelta(days=int(match[2]) - 1) if 1 <= int(match[2]) <= 366 else None
    if match := _EPOCH.match(text):
        return datetime.fromtimestamp(int(match[1]), UTC)
    return None


def _calendar_date(match: re.Match[str], zone: tzinfo | None) -> datetime:
    year, month, day, month2, day2, hour, minute, second, fraction, offset = match.groups()
    on = (int(year), int(month or month2 or 1), int(day or day2 or 1))
    if offset:
        utc = offset in "Zz"
        zone = UTC if utc else _offset(offset[0], int(offset[1:3]), int(offset[3:].lstrip(":") or 0))
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    return _moment(on, (*_whole(hour, minute, second), microsecond), zone)


def _whole(hour: str | None, minute: str | None, second: str | None) -> tuple[int, int, int]:
    """What stands there of a time of day; 0 for what does not."""
    return int(hour or 0), int(minute or 0), int(second or 0)


def _rfc822(text: str, zone: tzinfo | None) -> datetime | None:
    match = _RFC822.match(text)
    if match is None:
        return None
    day, month_name, year, hour, minute, second, hours, minutes, name = match.groups()
    month = month_named(month_name)
    if month is None:
        return None
    if hours:
        zone = _offset(hours[0], int(hours[1:]), int(minutes))
    elif name:
        if name.lower() in ("am", "pm"):
            return None  # no zones, but halves of a day
        zone = _named_zone(name) or zone
        if zone is None and hour is None:
            return None
    return _moment((_full_year(year), month, int(day)), (*_whole(hour, minute, second), 0), zone)


def _in_words(text: str, zone: tzinfo | None, order: Order | None) -> datetime | None:
    """Any other order of words: take out the day, the clock and the zone one after the other."""
    rest, on = _DASHED.sub(r"\1 \2 \3", text), None  # -2026 is no offset
    if match := _YEAR_FIRST.search(rest):
        on = (int(match[1]), int(match[2]), int(match[3]))
        rest = _without(rest, match)
    clock, half, rest = _clock_in(rest)
    if on is None and (match := _YEAR_LAST.search(rest)):
        on = _day_in_numbers(match, _orders(text), order, american=bool(half))
        if on is None:
            return None
        rest = _without(rest, match)
    zone, rest = _zone_in(rest, zone)
    if on is None:
        on = _day_in_words(rest)
    return None if on is None else _moment(on, clock, zone)


def _clock_in(rest: str) -> tuple[tuple[int, int, int, int], str, str]:
    """The time of day in *rest*, the letter of its am or pm where it has one, and what else there is."""
    match = _CLOCK.search(rest)
    if match and int(match[1]) <= 24 and not _is_day(match, rest):
        (hour, minute, second), half = _whole(match[1], match[2], match[3]), match[4]
    elif match := _HOUR.search(rest):
        (hour, minute, second), half = _whole(match[1], None, None), match[2]
    else:
        hour, minute, second, half = 0, 0, 0, None
    half = (half or "").lower()
    rest = _without(rest, match) if match else rest
    return (_of_24(hour, half, rest), minute, second, 0), half, rest


def _of_24(hour: int, half: str, text: str) -> int:
    """*hour* of the *half* of the day ("a", "p"), or of that which *text* names."""
    half = half or ("p" if _AFTERNOON.search(text) else "a" if _FORENOON.search(text) else "")
    return hour % 12 + 12 * (half == "p") if half and 1 <= hour <= 12 else hour


def _is_day(match: re.Match[str], text: str) -> bool:
    """``19.06. 2024`` and ``12.05.2024`` look like clocks with a dot."""
    return "." in match[0] and bool(re.match(r"\.? ?\d{4}", text[match.end() :]))


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " + text[match.end() :]


def _orders(text: str) -> set[Order]:
    """The orders in which the day that *text* has in numbers is one of the calendar, on the weekday that it names."""
    match = None if _YEAR_FIRST.search(text) else _YEAR_LAST.search(text)
    if match is None:
        return set()
    weekday = _WEEKDAY.search(text)
    found: set[Order] = set()
    for order in get_args(Order):
        try:
            day = date(*_ordered(match, order))
        except ValueError:
            continue
        if weekday is None or _DAYS[day.weekday()] == weekday[1].capitalize():
            found.add(order)
    return found


def _ordered(match: re.Match[str], order: Order) -> tuple[int, int, int]:
    """Year, month and day of a `_YEAR_LAST` read in *order*; the year 0 where it has no place for the year it has."""
    first, second, last = match[1], match[3], match[4]
    if order == "ymd":
        return (_full_year(first), int(second), int(last)) if len(first) == len(last) == 2 else (0, 0, 0)
    day, month = (first, second) if order == "dmy" else (second, first)
    return _full_year(last), int(month), int(day)


def _day_in_numbers(
    match: re.Match[str], possible: set[Order], order: Order | None, *, american: bool
) -> tuple[int, int, int] | None:
    """The day that *match* means: in the only possible order, the document's, or the custom of its signs."""
    if len(possible) == 1:
        return _ordered(match, next(iter(possible)))
    if order in possible:
        return _ordered(match, order)
    if "mdy" not in possible or match[1] == match[3]:
        customary: Order = "dmy"
    elif match[2] == "." and not american:
        customary = "dmy"
    elif match[2] in "./" and american:
        customary = "mdy"
    else:
        return None
    return _ordered(match, customary) if customary in possible else None


def _zone_in(text: str, zone: tzinfo | None) -> tuple[tzinfo | None, str]:
    if match := _OFFSET.search(text):
        return _offset(match[1], int(match[2]), int(match[3] or 0)), _without(text, match)
    if match := _PLACE.search(text):
        place = zone_of(match[0])
        return (zone if place is UTC else place), _without(text, match)
    for match in _WORD.finditer(text):
        # In lower case these letters are words of some language ("est", "met", "west").
        if match[0].isupper() and (len(match[0]) > 1 or match[0] == "Z") and (found := _named_zone(match[0])):
            return found, _without(text, match)
    return zone, text


def _day_in_words(text: str) -> tuple[int, int, int] | None:
    month = _month_in(text)
    numbers = _NUMBER.findall(text)
    years = [number for number in numbers if len(number) == 4]
    days = list(filter(_is_day_of_month, numbers))
    if not years and len(days) == 2:
        years = [days.pop()]
    if month is None or len(years) != 1 or days[1:]:
        return None
    return _full_year(years[0]), month, int(next(iter(days), 1))


def _is_day_of_month(number: str) -> bool:
    return len(number) <= 2 and 1 <= int(number) <= 31


def _month_in(text: str) -> int | None:
    """The first month that *text* names; "mar." is also the Tuesday of French, Italian and Spanish."""
    named = [word for word in _WORD.findall(text) if len(word) > 2 and month_named(word)]
    months = [word for word in named if word.lower() != "mar" or len(named) == 1]
    return month_named(months[0]) if months else None


def _full_year(digits: str) -> int:
    """Two digits are 1950 to 2049, three count from 1900 (RFC 2822 §4.3)."""
    year = int(digits)
    if len(digits) >= 4:
        return year
    return year + (1900 if len(digits) == 3 or year >= 50 else 2000)


def _offset(sign: str, hours: int, minutes: int) -> tzinfo | None:
    if hours > 23 or minutes > 59:
        return None
    total = timedelta(hours=hours, minutes=minutes)
    return timezone(-total if sign in "-−" else total)


def _named_zone(name: str) -> tzinfo | None:
    name = name.lower()
    if name in _ZONES:
        return timezone(timedelta(minutes=_ZONES[name])) if _ZONES[name] else UTC
    if name in _PLACES:
        return zone_of(_PLACES[name])
    # Military letters were specified with the wrong sign, so that they mean nothing (RFC 2822 §4.3).
    return UTC if len(name) == 1 and name.isascii() and name.isalpha() else None


def _bare(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(c))


def _month_prefixes() -> dict[str, int]:
    """Each beginning of three letters or more that one month alone has in its language."""
    prefixes: dict[str, int] = {}
    for line in _TABLES["months"]:
        numbers_of: dict[str, set[int]] = {}
        for number, name in enumerate(map(_bare, line.split()), start=1):
            for end in range(min(3, len(name)), len(name) + 1):
                numbers_of.setdefault(name[:end], set()).add(number)
        for prefix, numbers in numbers_of.items():
            # A full name beats a beginning of a longer one: Ukrainian "лип" apart, "mai" is no "maio" cut short.
            if len(numbers) == 1:
                prefixes.setdefault(prefix, min(numbers))
    return prefixes


_PREFIXES = _month_prefixes()
MONTHS = frozenset(map(_bare, " ".join(_TABLES["months"]).split()))
"""The names of months in many languages, in small letters and without marks."""


@lru_cache(maxsize=1024)
def month_named(word: str) -> int | None:
    """Return 1 to 12 for a month's name or its beginning in any of the languages known here, None for other words."""
    word = _bare(word)
    return _PREFIXES.get(word) or (_PREFIXES.get(word[:4]) if word.startswith("sept") else None)


_WEEKDAYS = frozenset(map(_bare, " ".join(_TABLES["weekdays"]).split()))


@lru_cache(maxsize=1024)
def names_a_day(word: str) -> bool:
    """Whether *word* is the full name of a weekday in any of the languages known here."""
    return _bare(word) in _WEEKDAYS


_NOW = re.compile(
    r"just now|now|moments? ago|gerade eben|jetzt|à l'instant|ahora mismo|adesso|agora|nu|сейчас|刚刚|たった今"
)
_COUNT = re.compile(
    r"(?<!\w)(\d{1,4}|an?|one|eine[rmn]?|une?|una|uno|en|ett|et)\s*"
    rf"({'|'.join(sorted(_SECONDS, key=len)[::-1])})(?!\w)"
)
_AGO = re.compile(
    r"\b(?:ago|vor|il y a|hace|fa|há|atrás|geleden|sedan|siden|temu|назад|updated|posted|published)\b|前", re.IGNORECASE
)
_WITHOUT_COUNTS = re.compile(r"(?:and|und|et|y|e|en|og|och|i|и|[\s,·.•|-])*")
_LISTED_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-3])[:.h]([0-5]\d)(?!\d)(?:\s*([ap])\.?m)?", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_HAS_YEAR = re.compile(r"%[YyGcxsD]")


def listed_date(text: str, now: datetime, zone: tzinfo, form: str = "") -> datetime | None:
    """Return the moment that *text* names, aware UTC; None where it is an ordinary date, or none.

    *form*, of strptime, goes first; one without a year means the last such day before *now*. Relative dates are as
    exact as they say: an hour for "3 hours ago", a day for "yesterday". What has no zone is in *zone*.

    >>> now = datetime(2026, 11, 29, 16, 30, tzinfo=UTC)
    >>> listed_date("vor 2 Stunden", now, UTC).isoformat(), listed_date("Yesterday at 14:05", now, UTC).isoformat()
    ('2026-11-29T14:30:00+00:00', '2026-11-28T14:05:00+00:00')
    >>> listed_date("12.03.", now, UTC, "%d.%m.").isoformat(), listed_date("5 min read", now, UTC)
    ('2026-03-12T00:00:00+00:00', None)
    """
    text = " ".join(text[:200].split())
    if form and (moment := _by_form(text, form, now, zone)):
        return moment
    return None if _YEAR.search(text) else _relative(text.lower(), now, zone)


def _by_form(text: str, form: str, now: datetime, zone: tzinfo) -> datetime | None:
    years = [""] if _HAS_YEAR.search(form) else [f" {now.year}", f" {now.year - 1}"]
    for year in years:
        try:
            moment = datetime.strptime(text + year, form + (" %Y" if year else ""))  # noqa: DTZ007
        except ValueError:
            continue
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        if not year or moment <= now + timedelta(days=1):
            return moment.astimezone(UTC)
    return None


def _relative(text: str, now: datetime, zone: tzinfo) -> datetime | None:
    named = next(
        (days for word, days in _DAYS_AGO.items() if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)), None
    )
    if named is not None:
        day = now.astimezone(zone) - timedelta(days=named)
        hour, minute = _listed_clock(text)
        return day.replace(hour=hour, minute=minute, second=0, microsecond=0).astimezone(UTC)
    if _NOW.fullmatch(text):
        return now
    counts, rest = list(_COUNT.finditer(text)), _COUNT.sub(" ", text)
    if not counts or not (_AGO.search(text) or _WITHOUT_COUNTS.fullmatch(rest)):
        return None
    try:
        return now - sum((_span(found) for found in counts), timedelta())
    except OverflowError:
        return None


def _span(found: re.Match[str]) -> timedelta:
    return timedelta(seconds=_SECONDS[found[2]] * (int(found[1]) if found[1].isdigit() else 1))


def _listed_clock(text: str) -> tuple[int, int]:
    """Hour and minute that *text* names; midnight where it names none."""
    found = _LISTED_CLOCK.search(text)
    if found is None:
        return 0, 0
    hour = int(found[1])
    if found[3] and hour <= 12:
        hour = hour % 12 + 12 * (found[3] == "p")
    return hour, int(found[2])
