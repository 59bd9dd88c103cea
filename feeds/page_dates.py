"""Dates as lists on pages have them: "3 hours ago", "yesterday, 14:05", "12 Mar" without a year, any form of one's own.

Ground floor of `parse`. Pure. What `feeds.dates` reads, it reads.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

_UNITS = """
1 s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos secondo secondi секунд секунды 秒前
60 m min mins minute minutes minuten minuto minutos minuti minuut minuter minutter minut minuty минут минуты минуту
60 分前 分钟前 分鐘前
3600 h hr hrs hour hours std stunde stunden heure heures hora horas ora ore uur timme timmar time timer godzin godziny
3600 godzinę час часа часов 小时前 小時前 時間前
86400 d day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dagar dage dni dzień день дня дней
86400 天前 日前
604800 w wk week weeks woche wochen semaine semaines semana semanas settimana settimane weken vecka veckor uge uger
604800 неделю недели недель 周前 週間前
2592000 mo month months monat monate monaten mois mes meses mês mese mesi maand maanden månad månader måned måneder
2592000 месяц месяца месяцев 个月前 か月前
31536000 y yr year years jahr jahre jahren an ans année années año años ano anos anno anni jaar år год года лет 年前
"""
"""Seconds, and the words for as many in a dozen languages."""
_SECONDS = {word: int(line.split()[0]) for line in _UNITS.strip().splitlines() for word in line.split()[1:]}
_DAYS = {
    0: "today heute aujourd'hui hoy oggi hoje vandaag idag i dag dziś dzisiaj сегодня 今天 今日",
    1: "yesterday gestern hier ayer ieri ontem gisteren igår går wczoraj вчера 昨天 昨日",
}
_DAYS_AGO = {word: days for days, words in _DAYS.items() for word in words.split() if len(word) > 1}
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
_CLOCK = re.compile(r"(?<!\d)([01]?\d|2[0-3])[:.h]([0-5]\d)(?!\d)(?:\s*([ap])\.?m)?", re.IGNORECASE)
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
        hour, minute = _clock(text)
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


def _clock(text: str) -> tuple[int, int]:
    """Hour and minute that *text* names; midnight where it names none."""
    found = _CLOCK.search(text)
    if found is None:
        return 0, 0
    hour = int(found[1])
    if found[3] and hour <= 12:
        hour = hour % 12 + 12 * (found[3] == "p")
    return hour, int(found[2])
