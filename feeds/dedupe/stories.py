"""Stories: articles about one event, found as they arrive, with ids that stay. Pure; held in memory.

An article is compared with the last articles of a story, never with all that it ever held: a story goes where its news
goes and does not grow until everything fits. It joins the story of which the nearest are near enough, or begins one.
What a source says in many of its articles brings no two of them together (`habits`); likeness fades with the days
between. Two stories that an article ties together merge where the newest articles of each agree: the older id survives
and the other's redirects to it. The articles of a batch are decided together, by when they were written, so that it
matters little which source answered first.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feeds.dedupe.columns import Ints, first_of_each
from feeds.dedupe.habits import Habits
from feeds.dedupe.postings import Postings
from feeds.dedupe.signature import distinct
from feeds.dedupe.terms import TermCounts, Terms, apart
from feeds.model import Evidence

JOIN = 0.15
"""How like the nearest of a story an article with a text must be: the cosine of their terms, faded."""
JOIN_HEADLINE = 0.2
"""The same for an article without a text: few words are easily alike."""
FULL_WORDS = 120
"""Texts with fewer words lie between the two."""
NEAREST = 3
"""Likeness to a story is that to so many of its articles, on average: one alone may be a bridge to another story."""
RECENT = 8
"""So many of a story's newest articles are compared."""
MERGE = 0.14
"""How alike the AGREEING newest articles of two stories must be on average to be one."""
MERGE_ALONE = 0.05
"""The same without the article that ties them, which may be a roundup; asked unless each has one article alone."""
AGREEING = 3
TIED = 3
"""So many further stories that an article is like are looked at for that."""
FADE = timedelta(hours=60)
"""Likeness falls by a factor e in this time between two articles."""
OLD = timedelta(days=3)
OLDER = 0.1
"""By so much more is asked for each day that a story is older than OLD: a saga comes in parts."""
LARGE = 20
LARGER = 0.1
"""By so much more for each factor e by which a story is larger than LARGE."""
GONE = timedelta(days=10)
MOST_STORIES = 50_000
SEARCHED = 16
"""Terms of an article by which stories are looked up, the most telling ones."""
PER_TERM = 24
"""So many of the newest articles with a term are looked at in one array of the index, and in a batch."""
LARGEST_SEGMENT = 1_000_000
COMPARED = 8
"""So many stories are compared with an article, those first that share most telling terms with it."""


@dataclass(frozen=True, slots=True)
class Arriving:
    """An article to be placed. *terms* are those that are kept; *word_count* is that of its text."""

    terms: Terms
    word_count: int
    language: str
    written: datetime
    source_id: int


class Member(NamedTuple):
    """An article of a story as far as it is compared; those of one *batch* in the order of writing."""

    batch: int
    written_s: float
    number: int
    source_id: int
    hashes: bytes
    strengths: bytes


@dataclass(slots=True, eq=False)
class Story:
    """A story: its RECENT newest articles and the number of all; *touched* is when the last one arrived.

    *made* counts stories: of two the one with the smaller number is older. *newest* is the number of its last article.
    *begun_s* is when its oldest was written.
    """

    uid: str
    members: tuple[Member, ...]
    articles: int
    touched: datetime
    made: int
    begun_s: float
    newest: int = 0


@dataclass(frozen=True, slots=True)
class Joined:
    """The story that an article is in now, and why."""

    uid: str
    evidence: Evidence


class Compared(NamedTuple):
    """Likeness of two articles, what is asked, and the terms that make it, with the part that each has of it."""

    likeness: float
    asked: float
    shared: dict[int, float]


class Stories:
    """The stories of the last days."""

    def __init__(self, *, most: int = MOST_STORIES) -> None:
        self._most = most
        self._swept: datetime | None = None
        self._made = 0
        self.counts = TermCounts()
        self.habits = Habits()
        self._stories: dict[str, Story] = {}
        self._by_made: dict[int, Story] = {}
        self._postings = Postings(per_hash=PER_TERM, largest=LARGEST_SEGMENT)
        self._story_of = np.zeros(1024, np.int64)  # by article, from the oldest on
        self._next = 0  # the number of the next article; numbers never come again
        self._oldest = 0
        self._before: dict[str, Story | None] = {}  # stories as they were when the batch began, None for new ones
        self._batch = 0
        self._arrived: datetime | None = None
        self._begun: tuple[int, int, int, datetime | None] = 0, 0, 0, None
        self._story_of_before: npt.NDArray[np.int64] | None = None  # where stories merged since

    def __len__(self) -> int:
        return len(self._stories)

    @property
    def reaches(self) -> int:
        """The number of the next article."""
        return self._next

    def begin(self) -> None:
        """Begin a batch: from here on `undo` takes back; what was placed before stays."""
        self._before.clear()
        self._begun = self._made, self._next, self._batch, self._arrived
        self._story_of_before = None
        self.counts.begin()
        self.habits.begin()
        self._postings.begin()

    def undo(self) -> None:
        """Be what this was when the batch began: for one that could not be saved."""
        for uid, story in self._before.items():
            if story is not None:
                self._stories[uid] = self._by_made[story.made] = story
            elif uid in self._stories:
                self._drop(self._stories[uid])
        self._made, self._next, self._batch, self._arrived = self._begun
        if self._story_of_before is not None:
            self._story_of = self._story_of_before
        self.counts.undo()
        self.habits.undo()
        self._postings.undo(self._next)
        self.begin()

    def place(
        self, arriving: Sequence[Arriving], *, now: datetime, uid: Callable[[], str]
    ) -> tuple[list[Joined], dict[str, str]]:
        """Find or begin the stories of the articles of a batch; also tell which stories merged (gone → kept).

        What counts for fading is when articles were written, so that an archive falls into the stories of its time.
        """
        for one in arriving:
            self.counts.add(one.terms)
            self.habits.add(one.source_id, one.terms.hashes)
        self._batch += 1
        self._arrived = now
        batch = _Batch(self, self._batch, alone=len(arriving) == 1)
        placed = {}
        # In an order that does not depend on which source came first.
        for at in sorted(
            range(len(arriving)), key=lambda at: (arriving[at].written, arriving[at].terms.hashes.tobytes())
        ):
            placed[at] = batch.place(arriving[at])
        if len(arriving) > 1:
            for at, (group, _) in placed.items():
                if group.final().articles == 1:
                    placed[at] = batch.place_again(arriving[at], group) or placed[at]
        merged = {}
        joined = []
        for at, one in enumerate(arriving):
            group, evidence = placed[at]
            group = group.final()
            if group.story is not None:
                for younger in group.gone:
                    self._merge(group.story, younger)
                    merged[younger.uid] = group.story.uid
                group.gone.clear()
            group.uid = group.uid or uid()
            self.join(group.uid, one.terms, source_id=one.source_id, written=one.written, now=now)
            joined.append(Joined(group.uid, evidence))
        return joined, merged

    def join(self, uid: str, terms: Terms, *, source_id: int, written: datetime, now: datetime) -> None:
        """Put an article, which is counted, into the story *uid* as decided; in order of arrival."""
        self._arrive(now)
        self._postings.add(self._next, terms.hashes.tolist())
        self._include(self._story(uid, now), _packed(self._batch, self._next, source_id, written, terms), now)

    def join_many(
        self,
        uids: Sequence[str],
        terms: Terms,
        sizes: Ints,
        times: Sequence[tuple[datetime, datetime]],
        source_ids: Sequence[int],
    ) -> None:
        """Count several articles, and `join` them in turn.

        *terms* are those of all, *sizes* how many each has, *times* when each was written and when it came.
        """
        self.counts.add_many(terms, sizes)
        self.habits.add_many(np.array(source_ids, np.uint64), terms.hashes, sizes)
        owners = np.repeat(np.arange(self._next, self._next + len(sizes)), sizes)
        ends = np.cumsum(sizes)
        members = zip(uids, times, source_ids, *apart(terms, sizes.tolist()), strict=True)
        added = 0
        for at, (uid, (written, now), source_id, its_hashes, its_strengths) in enumerate(members):
            self._arrive(now)
            if self._is_time_to_forget(now):
                upto = ends[at - 1] if at else 0
                self._postings.add_many(owners[added:upto], terms.hashes[added:upto])
                added = upto
                self.forget(now)
            member = Member(self._batch, written.timestamp(), self._next, source_id, its_hashes, its_strengths)
            self._include(self._story(uid, now), member, now)
        self._postings.add_many(owners[added:], terms.hashes[added:])

    def compare(self, one: Arriving, other: Arriving) -> Compared:
        """How like *one* would be to a story of *other* alone."""
        seen, told = _Seen(self, _member(one), one.language), _member(other)
        (likeness,) = seen.likenesses([[told]])
        return Compared(likeness, asked(one.word_count), seen.shared(told))

    def restored(self) -> None:
        """Make what is not kept in a snapshot."""
        self._by_made = {story.made: story for story in self._stories.values()}

    def settle(self) -> None:
        """Do what was put off until the first `place`."""
        self._postings.settle()

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

    def _arrive(self, now: datetime) -> None:
        """What came at another time came in another batch."""
        if now != self._arrived:
            self._batch += 1
            self._arrived = now

    def sharing(self, told: npt.NDArray[np.uint32], weights: npt.NDArray[np.float32]) -> dict[Story, float]:
        """The stories whose articles share most of the terms *told*, and what these weigh together."""
        at, articles = self._postings.lookup(told)
        if articles.size and articles.min() < self._oldest:
            known = articles >= self._oldest
            at, articles = at[known], articles[known]
        if not articles.size:
            return {}
        # Each term counts once for a story, however many of its articles hold it.
        pairs = distinct(self._story_of[articles - self._oldest] * SEARCHED + at)
        stories = pairs // SEARCHED
        first = np.flatnonzero(first_of_each(stories))
        shared = np.add.reduceat(weights[pairs % SEARCHED], first)
        best = (-shared).argsort(kind="stable")[: 2 * COMPARED]
        found = zip(stories[first[best]].tolist(), shared[best].tolist(), strict=True)
        return {self._by_made[made]: weight for made, weight in found if made in self._by_made}

    def _is_time_to_forget(self, now: datetime) -> bool:
        return self._swept is None or now - self._swept >= timedelta(hours=1) or len(self._stories) > self._most

    def _story(self, uid: str, now: datetime) -> Story:
        """The story *uid*, begun now where there is none."""
        story = self._stories.get(uid)
        if story is None:
            self._made += 1
            story = Story(uid, (), 0, now, self._made, math.inf)
            self._stories[uid] = self._by_made[self._made] = story
            self._before.setdefault(uid, None)
        elif uid not in self._before:
            self._before[uid] = replace(story)
        return story

    def _include(self, story: Story, member: Member, now: datetime) -> None:
        story.members = _newest(story.members, (member,))
        story.newest = self._next
        story.articles += 1
        story.begun_s = min(story.begun_s, member.written_s)
        story.touched = max(story.touched, now)
        at = self._next - self._oldest
        if at == len(self._story_of):
            self._story_of = np.concatenate((self._story_of, np.zeros_like(self._story_of)))
        self._story_of[at] = story.made
        self._next += 1

    def _merge(self, older: Story, younger: Story) -> None:
        if self._story_of_before is None:
            self._story_of_before = self._story_of.copy()
        for story in (older, younger):
            self._before.setdefault(story.uid, replace(story))
        older.members = _newest(older.members, younger.members)
        older.newest = max(older.newest, younger.newest)
        older.articles += younger.articles
        older.begun_s = min(older.begun_s, younger.begun_s)
        older.touched = max(older.touched, younger.touched)
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


@dataclass(slots=True, eq=False)
class _Group:
    """A story while a batch is decided, as it was before or begun in it. *gone* are stories that become part of it."""

    story: Story | None
    uid: str | None
    members: tuple[Member, ...]
    articles: int
    begun_s: float
    gone: list[Story] = field(default_factory=list)
    into: _Group | None = None

    def final(self) -> _Group:
        group = self
        while group.into is not None:
            group = group.into
        return group

    def add(self, member: Member) -> None:
        self.members = _newest(self.members, (member,))
        self.articles += 1
        self.begun_s = min(self.begun_s, member.written_s)

    def more(self, written_s: float) -> float:
        """How many times as like as a young and small story's an article must be."""
        days = (written_s - self.begun_s - OLD.total_seconds()) / 86_400
        return (1 + OLDER * max(0.0, days)) * (1 + LARGER * max(0.0, math.log(self.articles / LARGE)))

    def merge(self, other: _Group) -> _Group:
        """Let this and *other* be one: that which the older story is in."""
        ours, theirs = self.story, other.story
        if theirs is not None and (ours is None or theirs.made < ours.made):
            return other.merge(self)
        self.gone += [*other.gone, *([theirs] if theirs is not None else [])]
        self.members = _newest(self.members, other.members)
        self.articles += other.articles
        self.begun_s = min(self.begun_s, other.begun_s)
        other.into = self
        return self


class _Batch:
    """Decides where the articles of a batch belong; what it finds is not in *stories* yet."""

    def __init__(self, stories: Stories, number: int, *, alone: bool) -> None:
        self._stories = stories
        self._number = number
        self._alone = alone
        self._group_of: dict[Story, _Group] = {}
        self._holding: defaultdict[int, list[_Group]] = defaultdict(list)
        self._placed = stories.reaches

    def place(self, one: Arriving) -> tuple[_Group, Evidence]:
        """The story of an article, and why."""
        self._placed += 1
        member = _member(one, self._number, self._placed)
        fitting, evidence = self._fitting(one, member)
        group = fitting[0] if fitting else _Group(None, None, (), 0, math.inf)
        before = group.members
        group.add(member)
        if not self._alone:
            for term in one.terms.hashes.tolist():
                self._holding[term].append(group)
        return self._tie(group, before, fitting[1:], one.language), evidence

    def place_again(self, one: Arriving, alone: _Group) -> tuple[_Group, Evidence] | None:
        """The same for an article that was *alone* when it came, now that all have come; None where it still is."""
        fitting, evidence = self._fitting(one, alone.members[0], alone)
        if not fitting:
            return None
        before = fitting[0].members
        return self._tie(fitting[0].merge(alone), before, fitting[1:], one.language), evidence

    def _fitting(self, one: Arriving, member: Member, but: _Group | None = None) -> tuple[list[_Group], Evidence]:
        """The stories that the article is like, the most like first, and what is told of that."""
        seen = _Seen(self._stories, member, one.language)
        groups = [group for group in self._candidates(seen) if group is not but]
        likenesses = [
            likeness / group.more(member.written_s)
            for likeness, group in zip(seen.likenesses([group.members for group in groups]), groups, strict=True)
        ]
        near = sorted(range(len(groups)), key=lambda at: -likenesses[at])
        needed = asked(one.word_count)
        fitting = [groups[at] for at in near if likenesses[at] >= needed]
        evidence = Evidence(
            kind="story",
            detail=f"with {fitting[0].articles} more" if fitting else "begins one",
            score=round(likenesses[near[0]], 3) if near else None,
            threshold=round(needed, 3),
        )
        return fitting, evidence

    def _tie(self, group: _Group, before: tuple[Member, ...], others: Sequence[_Group], language: str) -> _Group:
        """Merge with *group* those of the stories that an article of it is like that are one with it.

        *before* are the members of *group* without that article, which may stand between two stories.
        """
        for other in others[:TIED]:
            agree = self._alike(group.members, other.members, language) >= MERGE
            several = len(before) > 1 or len(other.members) > 1
            if agree and (not several or self._alike(before, other.members, language) >= MERGE_ALONE):
                before = _newest(before, other.members)
                group = group.merge(other)
        return group

    def _candidates(self, seen: _Seen) -> list[_Group]:
        told, weights = seen.told()
        shared: dict[_Group, float] = {}
        for story, weight in self._stories.sharing(told, weights).items():
            group = self._group_of.get(story)
            if group is None:
                group = self._group_of[story] = _Group(story, story.uid, story.members, story.articles, story.begun_s)
            group = group.final()
            shared[group] = max(weight, shared.get(group, 0.0))
        if self._holding:
            for term, weight in zip(told.tolist(), weights.tolist(), strict=True):
                for group in {held.final() for held in self._holding.get(term, ())[-PER_TERM:]}:
                    shared[group] = shared.get(group, 0.0) + weight
        best = sorted(shared, key=lambda group: (-shared[group], group.members[0]))
        return best[:COMPARED]

    def _alike(self, one: tuple[Member, ...], other: tuple[Member, ...], language: str) -> float:
        """How alike the newest articles of two stories are."""
        theirs = [[member] for member in other[-AGREEING:]]
        alike = [
            likeness
            for member in one[-AGREEING:]
            for likeness in _Seen(self._stories, member, language).likenesses(theirs)
        ]
        return sum(alike) / len(alike)


class _Seen:
    """An article to compare others with. Its terms weigh what they tell by now, and together 1."""

    def __init__(self, stories: Stories, member: Member, language: str) -> None:
        self._stories = stories
        self._counts = stories.counts
        self._language = language
        self._member = member
        self._hashes = np.frombuffer(member.hashes, np.uint32)
        self._strengths = np.frombuffer(member.strengths, np.uint8)
        telling = self._counts.telling(self._hashes, language)
        weights = self._strengths * telling
        self._weights = weights / (math.sqrt(float(weights @ weights)) or 1.0)
        self._telling = telling

    def _novelty(self) -> npt.NDArray[np.float32]:
        """What part each product of weights keeps within the article's source: both weigh what they tell there."""
        return self._stories.habits.novelty(self._member.source_id, self._hashes, self._telling) ** 2

    def told(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.float32]]:
        """The terms that it is looked up by, the most telling first, and what each weighs."""
        told = (-self._weights).argsort(kind="stable")[:SEARCHED]
        return self._hashes[told], self._weights[told]

    def shared(self, other: Member) -> dict[int, float]:
        """The terms in common with *other*, each with its part of the likeness."""
        theirs = _Seen(self._stories, other, self._language)
        _, mine, at = np.intersect1d(self._hashes, theirs._hashes, assume_unique=True, return_indices=True)
        own = self._novelty()[mine] if other.source_id == self._member.source_id else np.float32(1.0)
        products = self._weights[mine] * theirs._weights[at] * own
        return dict(zip(self._hashes[mine].tolist(), products.tolist(), strict=True))

    def likenesses(self, groups: Sequence[Sequence[Member]]) -> list[float]:
        """How like the nearest of each group's members it is."""
        members = [member for group in groups for member in group]
        if not members:
            return []
        alike = self._alike(members)
        found, start = [], 0
        for group in groups:
            nearest = sorted(alike[start : start + len(group)], reverse=True)[:NEAREST]
            found.append(sum(nearest) / len(nearest))
            start += len(group)
        return found

    def _alike(self, members: Sequence[Member]) -> list[float]:
        hashes = np.frombuffer(b"".join([member.hashes for member in members]), np.uint32)
        strengths = np.frombuffer(b"".join([member.strengths for member in members]), np.uint8)
        owners = np.repeat(np.arange(len(members)), [len(member.strengths) for member in members])
        weights = strengths * self._counts.telling(hashes, self._language)
        lengths = np.sqrt(np.bincount(owners, weights * weights, len(members)))
        # One table for all: most terms of the others are not the article's, and need no search.
        maybe = np.zeros(_TABLE, np.bool_)
        maybe[self._hashes & _TABLE_MASK] = True
        shared = np.flatnonzero(maybe[hashes & _TABLE_MASK])
        at = np.minimum(self._hashes.searchsorted(hashes[shared]), len(self._hashes) - 1)
        hit = self._hashes[at] == hashes[shared]
        shared, at = shared[hit], at[hit]
        products = weights[shared] * self._weights[at]
        own = np.array([member.source_id == self._member.source_id for member in members])
        if own.any():
            products *= np.where(own[owners[shared]], self._novelty()[at], np.float32(1.0))
        sums = np.bincount(owners[shared], products, len(members)) / np.maximum(lengths, 1e-9)
        apart = np.array([member.written_s for member in members]) - self._member.written_s
        found: list[float] = (sums * np.exp(-np.abs(apart) / FADE.total_seconds())).tolist()
        return found


def _newest(*members: tuple[Member, ...]) -> tuple[Member, ...]:
    """The RECENT that came last, of one batch those written last."""
    return tuple(sorted(chain(*members))[-RECENT:])


def asked(word_count: int) -> float:
    """How like a story an article with so long a text must be."""
    return JOIN_HEADLINE + (JOIN - JOIN_HEADLINE) * min(1.0, word_count / FULL_WORDS)


def _member(one: Arriving, batch: int = 0, number: int = 0) -> Member:
    return _packed(batch, number, one.source_id, one.written, one.terms)


def _packed(batch: int, number: int, source_id: int, written: datetime, terms: Terms) -> Member:
    return Member(batch, written.timestamp(), number, source_id, terms.hashes.tobytes(), terms.strengths.tobytes())


_TABLE = 1 << 14
_TABLE_MASK = np.uint32(_TABLE - 1)
