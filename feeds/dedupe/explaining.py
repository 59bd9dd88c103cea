"""Why two entries are or are not one article, and one story: each sign with its score and threshold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from feeds.dedupe import near, signature
from feeds.dedupe.grouping import Arriving, Stories
from feeds.dedupe.identity import title_likeness
from feeds.dedupe.near import Speaking
from feeds.dedupe.signature import sketch
from feeds.dedupe.terms import GramCounts, hashed, primary, unpack
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
    signs = _certain(one, other, same_source=same_source)
    stories = Stories() if stories is None else stories
    near_signs, is_near = _near(one, other, window, stories, language, same_source=same_source)
    title = Evidence(kind="title", detail="characters in order", score=_round(title_likeness(one.title, other.title)))
    is_one = is_near or any(sign.score == 1.0 for sign in signs)
    article = Evidence(kind="article", detail="one article" if is_one else "two articles")
    story = _story(one, other, stories, language, same_source=same_source)
    one_story = is_one or (story.score or 0) >= (story.threshold or 1)
    verdict = Evidence(kind="verdict", detail="one story" if one_story else "two stories")
    return (*signs, *near_signs, title, story, article, verdict)


def _certain(one: Entry, other: Entry, *, same_source: bool) -> list[Evidence]:
    """The signs that are sure by themselves: id, address, the very words."""
    found = [_same("entry-id", one.entry_id, other.entry_id)] if same_source else []
    found += [_same("url", one.comparable, other.comparable), _same_text(one, other)]
    return [sign for sign in found if sign is not None]


def _near(
    one: Entry, other: Entry, window: Window | None, stories: Stories, language: str, *, same_source: bool
) -> tuple[list[Evidence], bool]:
    """How near the texts are, and what one is to the other; whether they are near copies."""
    counts = window.counts if window is not None else GramCounts()
    mine, its = (near.weigh(_sketch(entry), counts) for entry in (one, other))
    speaks = Speaking(one.title, one.text, stories.counts, primary(one.language or language))
    likeness = near.judge(mine, its, same_source=same_source, speaks=speaks)
    signs = [near.evidence(likeness)]
    if not likeness.near:
        place = near.place(mine, its, likeness.body, same_source=same_source, speaks=speaks)
        signs += [Evidence(kind="contains", detail=_CONTAINS[place])] if place is not None else []
    return signs, likeness.near


def _sketch(entry: Entry) -> signature.Sketch:
    found = signature.read(signature.make(entry.title, entry.text))
    assert found is not None
    return found


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
    _, at, in_common = max(found)
    return others[-at], tuple(in_common)


def _entry(article: Article) -> Entry:
    text = plain(article.content or article.summary)
    return Entry(key="", title=article.title, text=text, language=article.language, published=article.published)


def _arriving(entry: Entry, stories: Stories, language: str, written: datetime, *, source_id: int) -> Arriving:
    spoken = primary(entry.language or language)
    return Arriving(
        terms=stories.counts.strongest(unpack(sketch(entry).terms), spoken),
        language=spoken,
        written=entry.published or written,
        source_id=source_id,
        uid="",
    )


def _in_common(one: Entry, other: Entry, shared: Mapping[int, float]) -> str:
    found = ", ".join(_words_in_common(one, other, shared))
    return f"in common: {found}" if found else "no telling word in common"


def _words_in_common(one: Entry, other: Entry, shared: Mapping[int, float]) -> list[str]:
    """The words that make two articles alike, those that weigh most first."""
    held = set(words(f"{other.title} {other.text}"))
    word_of = {hashed(word): word for word in words(f"{one.title} {one.text}")[::-1] if word in held}
    best = sorted((term for term in shared if term in word_of and shared[term] > 0.0), key=lambda term: -shared[term])
    return [word_of[term] for term in best[:COMMON_WORDS]]


def _round(value: float) -> float:
    return round(value, 3)
