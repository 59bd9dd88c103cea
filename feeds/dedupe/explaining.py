"""Why two entries are or are not one article, and one story: each sign with its score and threshold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from feeds.dedupe import near, signature
from feeds.dedupe.grouping import Arriving, Compared, Stories
from feeds.dedupe.identity import title_likeness
from feeds.dedupe.signature import sketch
from feeds.dedupe.terms import hashed, primary
from feeds.dedupe.window import Window
from feeds.model import Article, Entry, Evidence
from feeds.text import encoded_words, plain

_CONTAINS: dict[near.Place, str] = {
    "whole": "the first contains the second: each is an article of its own",
    "part": "the second contains the first: each is an article of its own",
}
COMMON_WORDS = 6
"""So many of the words that make two articles alike are named."""
UNSTATED = "en"


def compare(
    one: Entry, other: Entry, *, same_source: bool = False, window: Window, stories: Stories
) -> tuple[Evidence, ...]:
    """Every sign that dedupe looks at, those for one article first; the last but one and the last are the verdicts.

    *window* and *stories* tell what is common on this desk; while they are empty every word is as telling as in the
    language at large.
    """
    signs = _certain(one, other, same_source=same_source)
    mine, its = (near.weigh(_sketch(entry), window.counts) for entry in (one, other))
    speaks = near.Speaking(one.title, one.text, stories.counts, primary(one.language or UNSTATED))
    likeness = near.judge(mine, its, same_source=same_source, speaks=speaks)
    is_one = likeness.near or any(sign.score == 1.0 for sign in signs)
    signs.append(near.evidence(likeness))
    place = None if likeness.near else near.place(mine, its, likeness.body, same_source=same_source, speaks=speaks)
    if place is not None:
        signs.append(Evidence(kind="contains", detail=_CONTAINS[place]))
    alike = round(title_likeness(one.title, other.title), 3)
    signs.append(Evidence(kind="title", detail="characters in order", score=alike))
    story = _story(one, other, stories, same_source=same_source)
    one_story = is_one or _reached(story)
    return (
        *signs,
        story,
        Evidence(kind="article", detail="one article" if is_one else "two articles"),
        Evidence(kind="verdict", detail="one story" if one_story else "two stories"),
    )


def _reached(sign: Evidence) -> bool:
    return (sign.score or 0) >= (sign.threshold or 1)


def _certain(one: Entry, other: Entry, *, same_source: bool) -> list[Evidence]:
    """The signs that are sure by themselves: id, address, the very words."""
    found = [_same("entry-id", one.entry_id, other.entry_id)] if same_source else []
    found += [_same("url", one.comparable, other.comparable), _same_text(one, other)]
    return [sign for sign in found if sign is not None]


def _sketch(entry: Entry) -> signature.Sketch:
    found = signature.read(signature.make(entry.title, entry.text))
    assert found is not None
    return found


def _same(kind: str, one: str | None, other: str | None) -> Evidence | None:
    if not one or not other:
        return None
    detail = one if one == other else f"{one} | {other}"
    return Evidence(kind=kind, detail=detail, score=float(one == other), threshold=1.0)


def _same_text(one: Entry, other: Entry) -> Evidence | None:
    if not one.text_hash or not other.text_hash:
        return None
    same = one.text_hash == other.text_hash
    return Evidence(kind="text", detail="the same words" if same else "other words", score=float(same), threshold=1.0)


def _story(one: Entry, other: Entry, stories: Stories, *, same_source: bool) -> Evidence:
    """The likeness that the second would have to a story of the first alone."""
    compared, days = _compared(stories, other, one, UNSTATED, same_source=same_source)
    found = ", ".join(_words_in_common(one, other, compared.shared))
    detail = f"in common: {found}" if found else "no telling word in common"
    if days:
        detail += f"; {days} days apart, which makes less of it"
    return Evidence(kind="story", detail=detail, score=round(compared.likeness, 3), threshold=round(compared.asked, 3))


def nearest(article: Article, others: Sequence[Article]) -> tuple[Article, tuple[str, ...]]:
    """That of *others* which is most like *article*, as stories are told apart, and the words that make it so."""
    stories = Stories()
    one = _entry(article)
    found = []
    for at, other in enumerate(others):
        same_source = other.source_key == article.source_key
        compared, _ = _compared(stories, one, _entry(other), article.language or UNSTATED, same_source=same_source)
        found.append((compared.likeness, -at, _words_in_common(one, _entry(other), compared.shared)))
    _, at, in_common = max(found)
    return others[-at], tuple(in_common)


def _entry(article: Article) -> Entry:
    text = plain(article.content or article.summary)
    return Entry(key="", title=article.title, text=text, language=article.language, published=article.published)


def _compared(stories: Stories, one: Entry, other: Entry, language: str, *, same_source: bool) -> tuple[Compared, int]:
    """How like *one* would be to a story of *other* alone, and how many days lie between them.

    *language* is that of an entry that does not say.
    """
    written = other.published or one.published or datetime.now(UTC)
    languages = [primary(entry.language or language) for entry in (one, other)]
    strongest = stories.counts.strongest([sketch(entry).terms for entry in (one, other)], languages)
    first, second = (
        Arriving(
            terms=strongest[number],
            language=languages[number],
            written=entry.published or written,
            source_id=0 if same_source else number,
            uid="",
        )
        for number, entry in enumerate((one, other))
    )
    return stories.compare(first, second), abs(first.written - second.written).days


def _words_in_common(one: Entry, other: Entry, shared: Mapping[int, float]) -> list[str]:
    """The words that make two articles alike, those that weigh most first."""
    held = set(encoded_words(f"{other.title} {other.text}"))
    both = [word for word in encoded_words(f"{one.title} {one.text}")[::-1] if word in held]
    word_of = dict(zip(hashed(both), both, strict=True))
    best = sorted((term for term in shared if term in word_of and shared[term] > 0.0), key=lambda term: -shared[term])
    return [word_of[term].decode() for term in best[:COMMON_WORDS]]
