"""Stories: articles about one event, found as they arrive, with ids that stay. Pure; held in memory.

An article joins the story whose centre is nearest, or starts one. Two stories that an article shows to be one are
merged: the older id survives and the other's redirects to it; articles never move otherwise. A story that nobody
writes about fades within days. Works on titles alone; then less likeness is asked, since two headlines of one event
share few words, and more comes out in several pieces that later headlines join.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from feeds.dedupe.columns import Ints, first_of_each, spans, starts_of
from feeds.dedupe.postings import Postings
from feeds.dedupe.signature import distinct
from feeds.dedupe.terms import TermCounts, Terms, Weighed
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
PER_TERM = 24
"""So many of the newest articles with a term are looked at in one array of the index."""
LARGEST_SEGMENT = 1_000_000
COMPARED = 8
MOST_UNSETTLED = 8_000
"""So many articles that were read back may wait for being summed up; each holds about 700 bytes until then."""


@dataclass(slots=True, eq=False)
class Story:
    """A story: the sum of its articles' terms, *square* its squared length, when it was written about.

    *touched* is when its newest article arrived, which for an archive is long after *latest*; *made* counts stories,
    *newest* articles. *unsettled* are terms of articles that were read back and are still to be summed up. Arrays, for
    fifty thousand of these stay in memory.
    """

    uid: str
    hashes: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    square: float
    articles: int
    begun: datetime
    latest: datetime
    touched: datetime
    made: int
    newest: int = 0
    unsettled: list[tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]] | None = None


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
        self._by_made: dict[int, Story] = {}
        self._postings = Postings(per_hash=PER_TERM, largest=LARGEST_SEGMENT)
        self._story_of = np.zeros(1024, np.int64)  # by article, from the oldest on
        self._next = 0  # the number of the next article; numbers never come again
        self._oldest = 0
        self._unsettled = 0
        self._before: dict[str, Story | None] = {}  # stories as they were when the batch began, None for new ones
        self._begun = 0, 0
        self._story_of_before: npt.NDArray[np.int64] | None = None  # where stories merged since

    def begin(self) -> None:
        """Begin a batch: from here on `undo` takes back; what was placed before stays."""
        self._before.clear()
        self._begun = self._made, self._next
        self._story_of_before = None
        self.counts.begin()
        self._postings.begin()

    def undo(self) -> None:
        """Be what this was when the batch began: for one that could not be saved."""
        for uid, story in self._before.items():
            if story is not None:
                self._stories[uid] = self._by_made[story.made] = story
            elif uid in self._stories:
                self._drop(self._stories[uid])
        self._made, self._next = self._begun
        if self._story_of_before is not None:
            self._story_of = self._story_of_before
        self.counts.undo()
        self._postings.undo(self._next)
        self.begin()

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
    ) -> tuple[Joined, Weighed]:
        """Find or begin the story of an article; also give its terms, weighed, as far as they are worth keeping.

        *terms* are what `count_terms` gives; *word_count* is that of the text. What counts for fading is when
        articles were written, so that an archive falls into the stories of its time.
        """
        self.counts.add(terms)
        weighed = self.counts.weigh(terms, language)
        asked = JOIN_TITLE_ONLY + (JOIN - JOIN_TITLE_ONLY) * min(1.0, word_count / FULL_WORDS)
        told = _told(weighed)
        near = [(likeness, story) for likeness, story in self._near(weighed, told, written) if likeness >= asked]
        if not near:
            evidence = Evidence(kind="story", detail="begins one", threshold=round(asked, 3))
            return Joined(self.join(uid(), weighed, written=written, now=now), evidence), weighed
        likeness, story = near[0]
        self._before.setdefault(story.uid, replace(story))
        self._include(story, weighed, told, written, now)
        merged = []
        for _, other in near[1:4]:
            alike = _cosine(story, other)
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
        return Joined(story.uid, evidence, tuple(merged)), weighed

    def join(self, uid: str, weighed: Weighed, *, written: datetime, now: datetime) -> str:
        """Put an article into the story *uid* as decided before (at a restart, in order of arrival)."""
        self._include(self._story(uid, written, now), weighed, _told(weighed), written, now)
        return uid

    def join_many(
        self,
        uids: Sequence[str],
        terms: Terms,
        sizes: Ints,
        times: Sequence[tuple[datetime, datetime]],
        language: str,
    ) -> None:
        """Count, weigh, and `join` several articles in turn.

        *terms* are those of all, *sizes* how many each has, *times* when each was written and when it came.
        """
        ends = np.cumsum(sizes)
        if not self.counts.may_weigh(sizes):
            for uid, start, end, (written, now) in zip(uids, ends - sizes, ends, times, strict=True):
                self.forget(now)
                its = Terms(terms.hashes[start:end], terms.strengths[start:end])
                self.counts.add(its)
                self.join(uid, self.counts.weigh(its, language), written=written, now=now)
            return
        weighed, sizes = self.counts.weigh_many(terms, sizes, language)
        weights = weighed.weights.astype(np.float32)
        owners, told = _told_many(weights, sizes)
        postings = owners + self._next, weighed.hashes[told]
        told_ends = np.cumsum(np.minimum(sizes, SEARCHED))
        ends = np.cumsum(sizes).tolist()
        added = 0
        for at, (uid, start, end, (written, now)) in enumerate(zip(uids, [0, *ends], ends, times, strict=False)):
            if self._is_time_to_forget(now):
                upto = told_ends[at - 1] if at else 0
                self._postings.add_many(postings[0][added:upto], postings[1][added:upto])
                added = upto
                self.forget(now)
            story = self._story(uid, written, now)
            story.unsettled = story.unsettled or []
            story.unsettled.append((weighed.hashes[start:end], weights[start:end]))
            self._note(story, written, now)
        self._postings.add_many(postings[0][added:], postings[1][added:])
        self._unsettled += len(uids)
        if self._unsettled > MOST_UNSETTLED:
            self._settle_all()

    def restored(self) -> None:
        """Make what is not kept in a snapshot."""
        self._by_made = {story.made: story for story in self._stories.values()}

    def settle(self) -> None:
        """Sum up what was read back and is still to be, and do what was put off until the first `place`."""
        self._settle_all()
        self._postings.settle()

    def _settle_all(self) -> None:
        self._unsettled = 0
        for story in self._stories.values():
            self._settle(story)

    def forget(self, now: datetime) -> None:
        """Let go stories that nothing has arrived for in days, and the least fresh beyond the cap; at most hourly."""
        if not self._is_time_to_forget(now):
            return
        self._swept = now
        gone = [story for story in self._stories.values() if now - story.touched > GONE]
        if len(self._stories) - len(gone) > self._most:
            by_age = sorted(self._stories.values(), key=lambda story: story.touched)
            gone = by_age[: len(by_age) - self._most * 9 // 10]
        for story in gone:
            self._drop(story)
        self._let_go()

    def _is_time_to_forget(self, now: datetime) -> bool:
        return self._swept is None or now - self._swept >= timedelta(hours=1) or len(self._stories) > self._most

    def _near(self, weighed: Weighed, told: Sequence[int], written: datetime) -> list[tuple[float, Story]]:
        """The stories that an article may belong to, the most like first."""
        candidates = self._sharing(weighed, told)
        if not candidates:
            return []
        found = []
        for story, likeness in zip(candidates, _likenesses(weighed, candidates), strict=True):
            quiet = max(written - story.latest, story.begun - written) - FRESH
            if quiet > timedelta(0):
                likeness *= math.exp(-quiet / FADE)
            found.append((likeness, story))
        found.sort(key=lambda item: (-item[0], item[1].begun, item[1].uid))
        return found

    def _sharing(self, weighed: Weighed, told: Sequence[int]) -> list[Story]:
        """The COMPARED stories whose articles share most of the *told* terms, by what these weigh."""
        at, articles = self._postings.lookup(weighed.hashes[told])
        if articles.size and articles.min() < self._oldest:
            known = articles >= self._oldest
            at, articles = at[known], articles[known]
        if not articles.size:
            return []
        # Each term counts once for a story, however many of its articles hold it.
        pairs = distinct(self._story_of[articles - self._oldest] * SEARCHED + at)
        stories = pairs // SEARCHED
        first = np.flatnonzero(first_of_each(stories))
        shared = np.add.reduceat(weighed.weights[told][pairs % SEARCHED], first)
        best = stories[first[(-shared).argsort(kind="stable")[: 2 * COMPARED]]].tolist()
        found = [self._by_made[made] for made in best if made in self._by_made][:COMPARED]
        for story in found:
            self._settle(story)
        return found

    def _story(self, uid: str, written: datetime, now: datetime) -> Story:
        """The story *uid*, begun now where there is none."""
        story = self._stories.get(uid)
        if story is None:
            self._made += 1
            story = Story(uid, _NO_HASHES, _NO_WEIGHTS, 0.0, 0, written, written, now, self._made)
            self._stories[uid] = self._by_made[self._made] = story
            self._before.setdefault(uid, None)
        elif uid not in self._before:
            self._before[uid] = replace(story)
        return story

    def _include(self, story: Story, weighed: Weighed, told: Sequence[int], written: datetime, now: datetime) -> None:
        self._settle(story)
        self._add_up(story, weighed.hashes, weighed.weights.astype(np.float32))
        self._postings.add(self._next, weighed.hashes[told].tolist())
        self._note(story, written, now)

    def _note(self, story: Story, written: datetime, now: datetime) -> None:
        """Give the next number to an article of *story*."""
        story.articles += 1
        story.begun = min(story.begun, written)
        story.latest = max(story.latest, written)
        story.touched = max(story.touched, now)
        at = self._next - self._oldest
        if at == len(self._story_of):
            self._story_of = np.concatenate((self._story_of, np.zeros_like(self._story_of)))
        self._story_of[at] = story.made
        story.newest = self._next
        self._next += 1

    def _settle(self, story: Story) -> None:
        """Sum up what was read back of *story*: only now, for most stories are never asked for again."""
        unsettled, story.unsettled = story.unsettled, None
        for hashes, weights in unsettled or ():
            self._add_up(story, hashes.copy(), weights.copy())  # the arrays of a whole batch would stay otherwise

    def _add_up(self, story: Story, hashes: npt.NDArray[np.uint32], weights: npt.NDArray[np.float32]) -> None:
        """Add terms to a story's own; of very many only the heaviest stay."""
        if not story.hashes.size:
            story.hashes, story.weights = hashes, weights
            story.square = float(weights @ weights)
            return
        every = np.concatenate((story.hashes, hashes))
        order = every.argsort(kind="stable")
        every = every[order]
        first = np.flatnonzero(first_of_each(every))
        sums = np.add.reduceat(np.concatenate((story.weights, weights))[order], first)
        every = every[first]
        story.square = float(sums @ sums)
        if len(every) > 2 * STORY_TERMS:
            kept = np.sort(np.argsort(-sums, kind="stable")[:STORY_TERMS])
            every, sums = every[kept], sums[kept]
        story.hashes, story.weights = every, sums

    def _merge(self, older: Story, younger: Story) -> None:
        if self._story_of_before is None:
            self._story_of_before = self._story_of.copy()
        for story in (older, younger):
            self._before.setdefault(story.uid, replace(story))
        self._add_up(older, younger.hashes, younger.weights)
        older.articles += younger.articles
        older.begun = min(older.begun, younger.begun)
        older.latest = max(older.latest, younger.latest)
        older.touched = max(older.touched, younger.touched)
        older.newest = max(older.newest, younger.newest)
        self._drop(younger)
        self._story_of[self._story_of == younger.made] = older.made

    def _drop(self, story: Story) -> None:
        del self._stories[story.uid], self._by_made[story.made]

    def _let_go(self) -> None:
        """Forget the articles before the first that is the newest of a story: nothing is found by them alone."""
        oldest = min((story.newest for story in self._stories.values()), default=self._next)
        if oldest - self._oldest < len(self._story_of) // 4:
            return
        self._story_of[: self._next - oldest] = self._story_of[oldest - self._oldest : self._next - self._oldest]
        self._oldest = oldest
        self._postings.forget(oldest)


def _told(weighed: Weighed) -> list[int]:
    """Where in *weighed* the terms stand that an article is looked up by, the most telling first."""
    found: list[int] = (-weighed.weights).argsort(kind="stable")[:SEARCHED].tolist()
    return found


def _told_many(weights: npt.NDArray[np.float32], sizes: Ints) -> tuple[Ints, Ints]:
    """What `_told` gives of each of several articles: its number, in order, and where in *weights* a term stands."""
    starts = starts_of(sizes)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    # Bits of floats above zero are in the order of the floats: owner, then falling weight, then place.
    falling = _LARGEST - weights.view(np.uint32).astype(np.int64)
    order = np.sort((owners << 40) | (falling << 8) | (np.arange(len(owners)) - starts[owners]))
    order = order[spans(starts, np.minimum(sizes, SEARCHED))]
    owners = order >> 40
    return owners, starts[owners] + (order & 0xFF)


def _likenesses(weighed: Weighed, stories: Sequence[Story]) -> list[float]:
    """The cosine of an article with each story's centre."""
    sizes = [len(story.hashes) for story in stories]
    hashes = np.concatenate([story.hashes for story in stories])
    # One table for all: most terms of a story are not the article's, and need no search.
    maybe = np.zeros(_TABLE, np.bool_)
    maybe[weighed.hashes & _TABLE_MASK] = True
    shared = np.flatnonzero(maybe[hashes & _TABLE_MASK])
    at = np.minimum(np.searchsorted(weighed.hashes, hashes[shared]), len(weighed) - 1)
    products = np.concatenate([story.weights for story in stories])[shared] * weighed.weights[at]
    products[weighed.hashes[at] != hashes[shared]] = 0.0
    owners = np.repeat(np.arange(len(stories)), sizes)[shared]
    sums = np.bincount(owners, products, len(stories)).tolist()
    return [likeness / math.sqrt(story.square) for likeness, story in zip(sums, stories, strict=True)]


def _cosine(one: Story, other: Story) -> float:
    shared = np.searchsorted(one.hashes, other.hashes)
    shared = np.minimum(shared, len(one.hashes) - 1)
    products = one.weights[shared] * other.weights
    return float(products[one.hashes[shared] == other.hashes].sum()) / math.sqrt(one.square * other.square)


_NO_HASHES = np.empty(0, np.uint32)
_NO_WEIGHTS = np.empty(0, np.float32)
_TABLE = 1 << 14
_LARGEST = 0x7F800000
_TABLE_MASK = np.uint32(_TABLE - 1)
