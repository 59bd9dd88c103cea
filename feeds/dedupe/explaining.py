"""Why two entries are or are not one article, and one story: each sign with its score and threshold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from feeds.dedupe import near, signature
from feeds.dedupe.counts import GramCounts, TermCounts
from feeds.dedupe.grouping import Arriving, Stories
from feeds.dedupe.identity import title_likeness
from feeds.dedupe.near import Speaking
from feeds.dedupe.signature import sketch
from feeds.dedupe.terms import hashed, unpack
from feeds.dedupe.window import Window
from feeds.model import Article, Entry, Evidence
from feeds.text import plain, words

_CONTAINS: dict[near.Place, str] = {
    "whole": "the first contains the second: each is an article of its own",
    "part": "the second contains the first: each is an article of its own",
}
COMMON_WORDS = 6
"""So many of the words that make two articles alike are named."""


def compare(
    one: Entry,
    other: Entry,
    *,
    same_source: bool = False,
    window: Window | None = None,
    stories: Stories | None = None,
    language: str = "en",
) -> tuple[Evidence, ...]:
    """Every sign that dedupe looks at, those for one article first; the last but one and the last are the verdicts.

    *window* and *stories* tell what is common on this desk; without them every word is as telling as in the language
    at large.
    """
    counts = window.counts if window is not None else GramCounts()
    signs = [_same("entry-id", one.entry_id, other.entry_id) if same_source else None]
    signs += [_same("url", one.comparable, other.comparable), _same_text(one, other)]
    first, second = (signature.read(signature.make(entry.title, entry.text)) for entry in (one, other))
    assert first is not None and second is not None
    spoken = (one.language or language).partition("-")[0].lower()
    terms = stories.counts if stories is not None else TermCounts()
    speaks = Speaking(one.title, one.text, terms, spoken)
    mine, its = near.weigh(first, counts), near.weigh(second, counts)
    likeness = near.judge(mine, its, same_source=same_source, speaks=speaks)
    signs.append(near.evidence(likeness))
    place = None if likeness.near else near.place(mine, its, likeness.body, same_source=same_source, speaks=speaks)
    if place is not None:
        signs.append(Evidence(kind="contains", detail=_CONTAINS[place]))
    signs.append(
        Evidence(kind="title", detail="characters in order", score=_round(title_likeness(one.title, other.title)))
    )
    certain = any(sign is not None and sign.score == 1.0 and sign.kind in ("entry-id", "url", "text") for sign in signs)
    article = Evidence(kind="article", detail="one article" if certain or likeness.near else "two articles")
    story = _story(one, other, Stories() if stories is None else stories, language, same_source=same_source)
    told = "one story" if certain or likeness.near or (story.score or 0) >= (story.threshold or 1) else "two stories"
    return (*(sign for sign in signs if sign is not None), story, article, Evidence(kind="verdict", detail=told))


def _same(kind: str, one: str | None, other: str | None) -> Evidence | None:
    if not one or not other:
        return None
    return Evidence(
        kind=kind, detail=one if one == other else f"{one} | {other}", score=float(one == other), threshold=1.0
    )


def _same_text(one: Entry, other: Entry) -> Evidence | None:
    if not one.text_hash or not other.text_hash:
        return None
    same = one.text_hash == other.text_hash
    return Evidence(kind="text", detail="the same words" if same else "other words", score=float(same), threshold=1.0)


def _story(one: Entry, other: Entry, stories: Stories, language: str, *, same_source: bool) -> Evidence:
    """The likeness that the second would have to a story of the first alone."""
    written = one.published or other.published or datetime.now(UTC)
    first, second = (
        _arriving(entry, stories, language, written, source_id=0 if same_source else at)
        for at, entry in enumerate((one, other))
    )
    compared = stories.compare(second, first)
    detail = _in_common(one, other, compared.shared)
    days = abs(first.written - second.written).days
    if days:
        detail += f"; {days} days apart, which makes less of it"
    return Evidence(kind="story", detail=detail, score=_round(compared.likeness), threshold=_round(compared.asked))


def nearest(article: Article, others: Sequence[Article]) -> tuple[Article, tuple[str, ...]]:
    """That of *others* which is most like *article*, as stories are told apart, and the words that make it so."""
    stories = Stories()
    one = _entry(article)
    found = []
    for at, other in enumerate(others):
        its = _entry(other)
        own = other.source_key == article.source_key
        first, second = (
            _arriving(entry, stories, article.language or "en", article.published, source_id=source_id)
            for entry, source_id in ((one, 0), (its, 0 if own else 1))
        )
        compared = stories.compare(first, second)
        found.append((compared.likeness, -at, _words_in_common(one, its, compared.shared)))
    _, at, told = max(found)
    return others[-at], tuple(told)


def _entry(article: Article) -> Entry:
    text = plain(article.content or article.summary)
    return Entry(key="", title=article.title, text=text, language=article.language, published=article.published)


def _arriving(entry: Entry, stories: Stories, language: str, written: datetime, *, source_id: int) -> Arriving:
    spoken = (entry.language or language).partition("-")[0].lower()
    return Arriving(
        terms=stories.counts.strongest(unpack(sketch(entry).terms), spoken),
        language=spoken,
        written=entry.published or written,
        source_id=source_id,
        uid="",
    )


def _in_common(one: Entry, other: Entry, shared: Mapping[int, float]) -> str:
    told = ", ".join(_words_in_common(one, other, shared))
    return f"in common: {told}" if told else "no telling word in common"


def _words_in_common(one: Entry, other: Entry, shared: Mapping[int, float]) -> list[str]:
    """The words that make two articles alike, those that weigh most first."""
    held = set(words(f"{other.title} {other.text}"))
    word_of = {hashed(word): word for word in words(f"{one.title} {one.text}")[::-1] if word in held}
    best = sorted((term for term in shared if term in word_of and shared[term] > 0.0), key=lambda term: -shared[term])
    return [word_of[term] for term in best[:COMMON_WORDS]]


def _round(value: float) -> float:
    return round(value, 3)
