"""The interface's words in the language of a page: catalogues, plurals, dates, sizes. I/O: reads each catalogue once.

English stands in the code and the templates; `locale/LANGUAGE/LC_MESSAGES/pages.po` has the others, compiled beside it
(`bin/translate`). Of a language without a catalogue the words are English.
"""

from __future__ import annotations

import gettext
from datetime import date, datetime, tzinfo
from functools import cache
from importlib import resources

from flask import Flask, g
from msgspec import Struct

LANGUAGES = ("en", "ar", "de", "es", "fr", "hi", "it", "nl", "pl", "pt")
REDRAWN_MIN = 5
"""How long a page with relative times stands, in minutes; they are rounded to as much."""
_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "ha-arab", "he", "iw", "khw", "ks", "ku-arab", "nqo", "pa-arab", "ps", "sd", "syr",
     "ug", "ur", "yi")
)  # fmt: skip


def noted(message: str) -> str:
    """Return *message*, which catalogues have to have: it is said where no words can be chosen."""
    return message


SAID_ELSEWHERE = (
    # why an entry is a copy: feeds.store.relations
    noted("the same entry id"),
    noted("the same address"),
    noted("the same text, word for word"),
    noted("nearly the same text"),
    noted("the same headline"),
    # what HTTP calls errors
    noted("Bad Request"),
    noted("Unauthorized"),
    noted("Not Found"),
    noted("Method Not Allowed"),
    noted("Gone"),
    noted("Internal Server Error"),
    noted("Service Unavailable"),
)


class Wording(Struct, frozen=True):
    """How a page speaks; *language* is that of its words, one of `LANGUAGES`."""

    language: str
    catalogue: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        """Return *message* in the language."""
        return self.catalogue.gettext(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        """Return the form of a message that goes with *number*, with the number put in as ``%(num)s``."""
        return self.catalogue.ngettext(one, many, number) % {"num": self.number(number)}

    def number(self, number: int) -> str:
        """Return a whole number with its thousands set apart.

        >>> wording("en").number(12345), wording("de").number(12345)
        ('12,345', '12.345')
        """
        # Translators: what stands between thousands
        return f"{number:,}".replace(",", self.catalogue.pgettext("thousands", ","))

    def day(self, day: date) -> str:
        """Return a day for people.

        >>> wording("en").day(date(2026, 11, 3)), wording("de").day(date(2026, 11, 3))
        ('3 November 2026', '3. November 2026')
        """
        # Translators: twelve months as they stand behind the number of a day, with a stroke between them
        months = self.gettext(
            "January|February|March|April|May|June|July|August|September|October|November|December"
        ).split("|")
        # Translators: a day, such as 3 November 2026
        return self.gettext("{day} {month} {year}").format(day=day.day, month=months[day.month - 1], year=day.year)

    def moment(self, moment: datetime, zone: tzinfo) -> str:
        """Return *moment* for people, in *zone*; absolute, so that a page stays true however long a cache keeps it.

        >>> from datetime import UTC
        >>> wording("en").moment(datetime(2026, 11, 3, 20, 5, tzinfo=UTC), UTC)
        '3 Nov 2026, 20:05'
        """
        local = moment.astimezone(zone)
        # Translators: twelve short months
        months = self.gettext("Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec").split("|")
        # Translators: a time, such as 3 Nov 2026, 20:05
        pattern = self.gettext("{day} {month} {year}, {time}")
        return pattern.format(day=local.day, month=months[local.month - 1], year=local.year, time=f"{local:%H:%M}")

    def since(self, moment: datetime, now: datetime) -> str:
        """Return how long before *now* that was, in steps as coarse as pages are redrawn; "" for what is past a day.

        >>> from datetime import UTC, timedelta
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> [wording("en").since(noon - timedelta(minutes=minutes), noon) for minutes in (-5, 4, 14, 59, 61, 1500)]
        ['', 'just in', '10 min ago', '55 min ago', '1 h ago', '']
        """
        minutes = int((now - moment).total_seconds() // 60)
        if not 0 <= minutes < 24 * 60:
            return ""
        if minutes >= 60:
            return self.ngettext("%(num)s h ago", "%(num)s h ago", minutes // 60)
        step = minutes // REDRAWN_MIN * REDRAWN_MIN
        return self.ngettext("%(num)s min ago", "%(num)s min ago", step) if step else self.gettext("just in")

    def duration(self, seconds: float | None) -> str:
        """Return a duration for people.

        >>> [wording("en").duration(seconds) for seconds in (1812, 5400, 40, None)]
        ['30 min', '1 h 30 min', '40 s', '']
        """
        if not seconds:
            return ""
        if seconds < 60:
            return self.ngettext("%(num)s s", "%(num)s s", max(1, round(seconds)))
        hours, minutes = divmod(round(seconds / 60), 60)
        parts = [self.ngettext("%(num)s h", "%(num)s h", hours)] * (hours > 0)
        return " ".join(parts + [self.ngettext("%(num)s min", "%(num)s min", minutes)] * (minutes > 0))

    def size(self, size_bytes: int | None) -> str:
        """Return a size for people.

        >>> [wording("en").size(size) for size in (62_447_386, 900, None)]
        ['62.4 MB', '1 kB', '']
        """
        if not size_bytes:
            return ""
        for unit, scale in (("GB", 1e9), ("MB", 1e6)):
            if size_bytes >= scale:
                # Translators: what stands before the tenths
                point = self.catalogue.pgettext("decimal", ".")
                return f"{size_bytes / scale:.1f}".replace(".", point) + f" {unit}"
        return f"{max(1, round(size_bytes / 1000))} kB"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    place = resources.files("feeds.serve") / "locale" / language / "LC_MESSAGES" / "pages.mo"
    with place.open("rb") as file:
        return gettext.GNUTranslations(file)


def wording(tag: str | None) -> Wording:
    """Return the words for the language *tag* (BCP 47), English where there are none.

    >>> [wording(tag).language for tag in ("de-AT", "PT_br", "sv", None)]
    ['de', 'pt', 'en', 'en']
    """
    language = (tag or "").lower().replace("_", "-").partition("-")[0]
    known = language if language in LANGUAGES else "en"
    return Wording(known, _catalogue(known))


def direction(tag: str | None) -> str:
    """Return how a language (BCP 47) is written: "rtl" or "ltr".

    >>> direction("ar-EG"), direction("pa-Arab-PK"), direction("en"), direction(None)
    ('rtl', 'rtl', 'ltr', 'ltr')
    """
    parts = (tag or "").lower().replace("_", "-").split("-")
    return "rtl" if parts[0] in _RIGHT_TO_LEFT or "-".join(parts[:2]) in _RIGHT_TO_LEFT else "ltr"


def install(app: Flask) -> None:
    """Teach the templates of *app* ``_``, ``ngettext`` and what else they say in the words of ``g.showing``."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: g.showing.words.gettext(message),
        lambda one, many, number: g.showing.words.catalogue.ngettext(one, many, number),
        newstyle=True,
    )
    app.jinja_env.globals.update(
        words_language=lambda: g.showing.words.language,
        words_direction=lambda: direction(g.showing.words.language),
        direction_of=direction,
    )
    app.jinja_env.filters.update(
        number=lambda number: g.showing.words.number(number),
        moment=lambda moment: g.showing.words.moment(moment, g.showing.zone),
    )
