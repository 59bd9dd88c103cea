"""Stories: articles about one event, found as they arrive, with ids that stay. Pure; held in memory.

An article joins the story whose centre is nearest, or starts one. Two stories that an article shows to be one are
merged: the older id survives and the other's redirects to it; articles never move otherwise. A story that nobody
writes about fades within days. Works on titles alone; then less likeness is asked, since two headlines of one event
share few words, and more comes out in several pieces that later headlines join.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from feeds.dedupe.terms import TermCounts, Terms
from feeds.model import Evidence

JOIN = 0.21
"""Cosine to the story's centre that an article with a text needs."""
JOIN_TITLE_ONLY = 0.15
FULL_WORDS = 60
"""Texts with fewer words lie between the two."""
MERGE = 0.25
"""Cosine of the centres of two stories that an article fits both of."""
FRESH = timedelta(hours=24)
FADE = timedelta(hours=72)
"""A story loses likeness by a factor e in this time, once nobody has written for FRESH."""
GONE = timedelta(days=10)
MOST_STORIES = 50_000
STORY_TERMS = 160
SEARCHED = 16
"""Terms of an article by which stories are looked up, the most telling ones."""
PER_TERM = 64
COMPARED = 12


@dataclass(slots=True)
class Story:
    """A story: the sum of its articles' terms, *square* its squared length, when it was written about.

    *touched* is when its newest article arrived, which for an archive is long after *latest*; *made* counts stories.
    """

    uid: str
    terms: dict[int, float]
    square: float
    articles: int
    begun: datetime
    latest: datetime
    touched: datetime
    made: int
    indexed: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Joined:
    """The story that an article is in now; *merged* are the ids of stories that became part of it."""

    uid: str
    evidence: Evidence
    merged: tuple[str, ...] = ()


class Stories:
    """The stories of the last days."""

    def __init__(self, *, most: int = MOST_STORIES) -> None:
        self._most = most
        self._swept: datetime | None = None
        self._made = 0
        self.counts = TermCounts()
        self._stories: dict[str, Story] = {}
        self._by_term: defaultdict[int, list[str]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._stories)

    def place(
        self,
        terms: Terms,
        *,
        word_count: int,
        language: str,
        written: datetime,
        now: datetime,
        uid: Callable[[], str],
    ) -> tuple[Joined, Terms]:
        """Find or begin the story of an article; also give its weights, whose terms are worth keeping.

        *terms* are what `count_terms` gives, hashed; *word_count* is that of the text. What counts for fading is when
        articles were written, so that an archive falls into the stories of its time.
        """
        self.counts.add(terms)
        weights = self.counts.weigh(terms, language)
        asked = JOIN_TITLE_ONLY + (JOIN - JOIN_TITLE_ONLY) * min(1.0, word_count / FULL_WORDS)
        near = [(likeness, story) for likeness, story in self._near(weights, written) if likeness >= asked]
        if not near:
            evidence = Evidence(kind="story", detail="begins one", threshold=round(asked, 3))
            return Joined(self.join(uid(), weights, written=written, now=now), evidence), weights
        likeness, story = near[0]
        self._include(story, weights, written, now)
        merged = []
        for _, other in near[1:4]:
            alike = _dot(story.terms, other.terms) / math.sqrt(story.square * other.square)
            if alike >= MERGE:
                older, younger = sorted((story, other), key=lambda one: one.made)
                self._merge(older, younger)
                merged.append(younger.uid)
                story = older
        evidence = Evidence(
            kind="story",
            detail=f"with {story.articles - 1} more",
            score=round(likeness, 3),
            threshold=round(asked, 3),
        )
        return Joined(story.uid, evidence, tuple(merged)), weights

    def join(self, uid: str, weights: Terms, *, written: datetime, now: datetime) -> str:
        """Put an article into the story *uid* as decided before (at a restart, in order of arrival)."""
        story = self._stories.get(uid)
        if story is None:
            self._made += 1
            story = self._stories[uid] = Story(uid, {}, 0.0, 0, written, written, now, self._made)
        self._include(story, weights, written, now)
        return uid

    def discard(self, uids: Collection[str]) -> None:
        """Take back stories begun in a batch that could not be saved."""
        for uid in uids:
            if uid in self._stories:
                self._drop(self._stories[uid])

    def forget(self, now: datetime) -> None:
        """Let go stories that nothing has arrived for in days, and the least fresh beyond the cap; at most hourly."""
        if self._swept is not None and now - self._swept < timedelta(hours=1) and len(self._stories) <= self._most:
            return
        self._swept = now
        gone = [story for story in self._stories.values() if now - story.touched > GONE]
        if len(self._stories) - len(gone) > self._most:
            by_age = sorted(self._stories.values(), key=lambda story: story.touched)
            gone = by_age[: len(by_age) - self._most * 9 // 10]
        for story in gone:
            self._drop(story)

    def _near(self, weights: Terms, written: datetime) -> list[tuple[float, Story]]:
        told = sorted(weights, key=lambda term: (-weights[term], term))[:SEARCHED]
        partial: defaultdict[str, float] = defaultdict(float)
        for term in told:
            weight = weights[term]
            for uid in self._by_term.get(term, ())[-PER_TERM:]:
                story = self._stories[uid]
                partial[uid] += weight * story.terms.get(term, 0.0) / math.sqrt(story.square)
        candidates = sorted(partial, key=lambda uid: (-partial[uid], uid))[:COMPARED]
        found = []
        for uid in candidates:
            story = self._stories[uid]
            likeness = _dot(weights, story.terms) / math.sqrt(story.square)
            quiet = max(written - story.latest, story.begun - written) - FRESH
            if quiet > timedelta(0):
                likeness *= math.exp(-quiet / FADE)
            found.append((likeness, story))
        found.sort(key=lambda item: (-item[0], item[1].begun, item[1].uid))
        return found

    def _include(self, story: Story, weights: Terms, written: datetime, now: datetime) -> None:
        story.square += 2.0 * _dot(weights, story.terms) + sum(weight * weight for weight in weights.values())
        for term, weight in weights.items():
            story.terms[term] = story.terms.get(term, 0.0) + weight
        story.articles += 1
        story.begun = min(story.begun, written)
        story.latest = max(story.latest, written)
        story.touched = max(story.touched, now)
        self._trim(story)
        self._index(story, sorted(weights, key=lambda term: (-weights[term], term))[:SEARCHED])

    def _trim(self, story: Story) -> None:
        if len(story.terms) > 2 * STORY_TERMS:
            kept = sorted(story.terms.items(), key=lambda item: (-item[1], item[0]))[:STORY_TERMS]
            story.terms = dict(kept)

    def _index(self, story: Story, terms: Collection[int]) -> None:
        for term in terms:
            if term not in story.indexed and term in story.terms:
                story.indexed.add(term)
                holders = self._by_term[term]
                holders.append(story.uid)
                if len(holders) > 4 * PER_TERM:
                    for uid in holders[: -2 * PER_TERM]:
                        self._stories[uid].indexed.discard(term)
                    del holders[: -2 * PER_TERM]

    def _merge(self, older: Story, younger: Story) -> None:
        older.square += 2.0 * _dot(older.terms, younger.terms) + younger.square
        for term, weight in younger.terms.items():
            older.terms[term] = older.terms.get(term, 0.0) + weight
        older.articles += younger.articles
        older.begun = min(older.begun, younger.begun)
        older.latest = max(older.latest, younger.latest)
        older.touched = max(older.touched, younger.touched)
        indexed = list(younger.indexed)
        self._drop(younger)
        self._trim(older)
        self._index(older, indexed)

    def _drop(self, story: Story) -> None:
        del self._stories[story.uid]
        for term in story.indexed:
            holders = self._by_term[term]
            holders.remove(story.uid)
            if not holders:
                del self._by_term[term]


def _dot(one: Terms, other: Terms) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum([one[term] * other[term] for term in filter(other.__contains__, one)])
