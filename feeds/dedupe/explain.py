"""Why two entries are or are not one article, and one story: each sign with its score and threshold. Pure."""

from __future__ import annotations

import math

from feeds.dedupe import near, signature
from feeds.dedupe.identity import title_likeness
from feeds.dedupe.sketching import sketch
from feeds.dedupe.stories import FADE, FRESH, FULL_WORDS, JOIN, JOIN_TITLE_ONLY, Stories
from feeds.dedupe.terms import TermCounts, hashed, unpack
from feeds.dedupe.window import Window
from feeds.model import Entry, Evidence
from feeds.text import words

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
    counts = window.counts if window is not None else near.GramCounts()
    signs = [_same("entry-id", one.entry_id, other.entry_id) if same_source else None]
    signs += [_same("url", one.comparable, other.comparable), _same_text(one, other)]
    first, second = (signature.read(signature.make(entry.title, entry.text)) for entry in (one, other))
    assert first is not None and second is not None
    likeness = near.judge(near.weigh(first, counts), near.weigh(second, counts), same_source=same_source)
    signs.append(near.evidence(likeness))
    signs.append(
        Evidence(kind="title", detail="characters in order", score=_round(title_likeness(one.title, other.title)))
    )
    certain = any(sign is not None and sign.score == 1.0 and sign.kind in ("entry-id", "url", "text") for sign in signs)
    article = Evidence(kind="article", detail="one article" if certain or likeness.near else "two articles")
    story = _story(one, other, stories.counts if stories is not None else TermCounts(), language)
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


def _story(one: Entry, other: Entry, counts: TermCounts, language: str) -> Evidence:
    """The likeness that the second would have to a story of the first alone."""
    weights = []
    for entry in (one, other):
        spoken = (entry.language or language).partition("-")[0].lower()
        sketched = sketch(entry)
        weighed = counts.weigh(unpack(sketched.terms), spoken)
        weights.append(dict(zip(weighed.hashes.tolist(), weighed.weights.tolist(), strict=True)))
    likeness = sum(weight * weights[1].get(term, 0.0) for term, weight in weights[0].items())
    detail = _in_common(one, other, weights)
    if one.published is not None and other.published is not None:
        quiet = abs(one.published - other.published) - FRESH
        if quiet.total_seconds() > 0:
            likeness *= math.exp(-quiet / FADE)
            detail += f"; faded over {quiet.days + 1} days apart"
    read = signature.read(sketched.signature)
    asked = JOIN_TITLE_ONLY + (JOIN - JOIN_TITLE_ONLY) * min(1.0, (read.word_count if read else 0) / FULL_WORDS)
    return Evidence(kind="story", detail=detail, score=_round(likeness), threshold=_round(asked))


def _in_common(one: Entry, other: Entry, weights: list[dict[int, float]]) -> str:
    """The words that make two articles alike, those that weigh most first."""
    held = set(words(f"{other.title} {other.text}"))
    shared = {
        hashed(word): word for word in words(f"{one.title} {one.text}") if word in held and hashed(word) in weights[0]
    }
    weight = {term: weights[0][term] * weights[1].get(term, 0.0) for term in shared}
    best = sorted((term for term in shared if weight[term]), key=lambda term: -weight[term])[:COMMON_WORDS]
    return f"in common: {', '.join(shared[term] for term in best)}" if best else "no telling word in common"


def _round(value: float) -> float:
    return round(value, 3)
