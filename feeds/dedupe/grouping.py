"""Stories: articles about one event, found as they arrive, with ids that stay. Pure; held in memory.

The articles of a batch are put together with those of the stories that they are like, and grouped anew (`linking`): an
article joins a story, stories that turn out to be one merge, and what proves to be another event splits off. So which
source answered first matters little. A story of which all articles are still compared is taken apart for that; of a
larger one the newest stand for the whole, which is never taken apart. The id stays with a story's first article; of
stories that merge the oldest keeps its own, and the others redirect to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from feeds.dedupe import signature
from feeds.dedupe.linking import JOIN, LINKED, RECENT, Group, Likeness, Member, Weights, gather, nearness
from feeds.dedupe.postings import Postings
from feeds.dedupe.terms import (
    Floats,
    Habits,
    Hashes,
    TermCounts,
    Terms,
    distinct,
    first_of_each,
    rows_of,
    unpack_several,
)
from feeds.model import Evidence, StoredSignature

GONE = timedelta(days=10)
MOST_STORIES = 50_000
SEARCHED = 16
"""Terms of an article by which stories are looked up, the most telling ones."""
PER_TERM = 24
"""So many of the newest articles with a term are looked at in one array of the index, and in a batch."""
LARGEST_SEGMENT = 1_000_000
COMPARED = 8
"""So many stories, and as many articles of its batch, are compared with an article: those that share most with it."""
AT_ONCE = 64
"""Articles that are compared together: what is done for them at once takes a few hundred kB for each."""


class Arriving(Struct, frozen=True):
    """An article to be placed. *terms* are those that are kept; *uid* is its id."""

    terms: Terms
    language: str
    written: datetime
    source_id: int
    uid: str


class Story(Struct, eq=False):
    """A story: its RECENT newest articles and the number of all; *touched* is when the last one arrived.

    *first* and *newest* are the numbers of its first and its last article.
    """

    uid: str
    members: tuple[Member, ...]
    articles: int
    touched: datetime
    first: int
    newest: int

    @property
    def is_whole(self) -> bool:
        """Whether all of its articles are still compared."""
        return self.articles == len(self.members)


class Joined(NamedTuple):
    """The story that an article is in now, and why."""

    uid: str
    evidence: Evidence


class Placed(NamedTuple):
    """The stories of the articles of a batch; which stories became part of which (gone → kept), after articles that
    came before moved to another one (article → story).
    """

    joined: list[Joined]
    merged: dict[str, str]
    moved: dict[str, str]


class Compared(NamedTuple):
    """Likeness of two articles, what is asked, and the terms that make it, with the part that each has of it."""

    likeness: float
    asked: float
    shared: dict[int, float]


class Stories:
    """The stories of the last days."""

    def __init__(self, *, most: int = MOST_STORIES) -> None:
        self._most = most
        self.crowded = False
        """Whether stories had to go for newer ones when it was last looked."""
        self._swept: datetime | None = None
        self.counts = TermCounts()
        self.habits = Habits()
        self._stories: dict[str, Story] = {}
        self._by_first: dict[int, Story] = {}
        self._postings = Postings(per_hash=PER_TERM, largest=LARGEST_SEGMENT)
        self._story_of = np.zeros(1024, np.int64)  # the first of its story, by article, from the oldest on
        self._next = 0  # the number of the next article; numbers never come again
        self._oldest = 0
        self._batch = 0
        self._arrived: datetime | None = None
        self._begun: tuple[int, int, datetime | None] = 0, 0, None
        self._before: dict[str, Story | None] = {}  # stories as they were when the batch began, None for new ones
        self._story_of_before: npt.NDArray[np.int64] | None = None  # where articles changed their story since

    def __len__(self) -> int:
        return len(self._stories)

    def begin(self) -> None:
        """Begin a batch: from here on `undo` takes back; what was placed before stays."""
        self._before.clear()
        self._begun = self._next, self._batch, self._arrived
        self._story_of_before = None
        self.counts.begin()
        self.habits.begin()
        self._postings.begin()

    def undo(self) -> None:
        """Be what this was when the batch began: for one that could not be saved."""
        for uid in self._before:
            if uid in self._stories:
                self._drop(self._stories[uid])
        for uid, story in self._before.items():
            if story is not None:
                self._stories[uid] = self._by_first[story.first] = story
        self._next, self._batch, self._arrived = self._begun
        if self._story_of_before is not None:
            self._story_of = self._story_of_before
        self.counts.undo()
        self.habits.undo()
        self._postings.undo(self._next)
        self.begin()

    def place(self, arriving: Sequence[Arriving], *, now: datetime, uid: Callable[[], str]) -> Placed:
        """Find or begin the stories of the articles of a batch; *uid* gives the ids of new ones.

        What counts for fading is when articles were written, so that an archive falls into the stories of its time.
        """
        if not arriving:
            return Placed([], {}, {})
        terms, sizes = np.concatenate([one.terms.hashes for one in arriving]), [len(one.terms) for one in arriving]
        self._count([one.source_id for one in arriving], terms, sizes)
        self._batch += 1
        self._arrived = now
        members = [self._member(one, self._next + at) for at, one in enumerate(arriving)]
        circles = self._circles(members, [one.language for one in arriving])
        self._index(terms, sizes)
        for _ in arriving:
            self._number(self._next)
        placed, joined = Placed([], {}, {}), dict[int, Joined]()
        for circle in circles:
            self._settle(circle, placed, joined, now, uid)
        placed.joined.extend(joined[member.number] for member in members)
        return placed

    def join(self, entries: Iterable[StoredSignature]) -> None:
        """Put the articles of *entries* into their stories, as decided before; in the order in which they came.

        An entry that is a copy, or without a story or terms, is passed over.
        """
        joining, packed = _with_terms(entries)
        terms, sizes = unpack_several(packed)
        self._count([entry.source_id for entry in joining], terms.hashes, sizes)
        self._index(terms.hashes, sizes)
        hashes, strengths = terms.hashes.tobytes(), terms.strengths.tobytes()
        start = 0
        for entry, size in zip(joining, sizes, strict=True):
            end, now = start + size, entry.first_seen
            if now != self._arrived or len(self._stories) > self._most:
                self.forget(now)
            if now != self._arrived:  # what came at another time came in another batch
                self._batch += 1
                self._arrived = now
            written_s = (entry.published or now).timestamp()
            held = hashes[4 * start : 4 * end], strengths[start:end]
            member = Member(self._batch, written_s, self._next, entry.article_uid, entry.source_id, *held)
            self._include(entry.story_uid or "", member, now)
            start = end

    def _count(self, source_ids: Sequence[int], terms: Hashes, sizes: Sequence[int]) -> None:
        """Count the *terms* of articles, one behind the other."""
        table, held = rows_of(terms, sizes)
        self.counts.add(table, held)
        self.habits.add(source_ids, table, held)

    def _index(self, terms: Hashes, sizes: Sequence[int]) -> None:
        """Have the next articles found by their *terms*, one behind the other."""
        self._postings.add(np.arange(self._next, self._next + len(sizes)).repeat(sizes), terms)

    def compare(self, one: Arriving, other: Arriving) -> Compared:
        """How like *one* would be to a story of *other* alone."""
        likeness = Likeness(self.counts, self.habits)
        first, second = self._member(one, 0), self._member(other, 1)
        alike = likeness.between([first], [second], one.language)
        return Compared(float(alike[0, 0]), JOIN, likeness.shared(first, second, one.language))

    def forget(self, now: datetime) -> None:
        """Let go stories that nothing has arrived for in days, and the least fresh beyond the cap; at most hourly."""
        if not self._is_time_to_forget(now):
            return
        self._swept = now
        gone = [story for story in self._stories.values() if now - story.touched > GONE]
        self.crowded = len(self._stories) - len(gone) > self._most
        if self.crowded:
            by_age = sorted(self._stories.values(), key=lambda story: story.touched)
            gone = by_age[: len(by_age) - self._most * 9 // 10]
        for story in gone:
            self._drop(story)
        self._let_go()

    def _likely(self, looked_up: Sequence[tuple[Hashes, Floats]]) -> list[list[Story]]:
        """For each of some articles the stories whose articles share most of its terms, the likeliest first.

        At most AT_ONCE articles: 10 bits for the article, 32 for the story and 16 for the term make a key.
        """
        owners = np.arange(len(looked_up)).repeat([len(terms) for terms, _ in looked_up])
        weights = np.concatenate([each for _, each in looked_up])
        at, articles = self._postings.lookup(np.concatenate([terms for terms, _ in looked_up]))
        known = articles >= self._oldest
        at, stories = at[known], self._story_of[articles[known] - self._oldest]
        # Each term counts once for a story, however many of its articles hold it.
        keys = distinct(owners[at] << 48 | stories << 16 | at)
        at = keys & 0xFFFF
        first = first_of_each(keys >> 16).nonzero()[0]
        found: list[list[int]] = [[] for _ in looked_up]
        if first.size:
            shared = np.add.reduceat(weights[at], first)
            owner = owners[at[first]]
            best = np.lexsort((-shared, owner))
            for one, key in zip(owner[best].tolist(), keys[first[best]].tolist(), strict=True):
                found[one].append(key >> 16 & 0xFFFFFFFF)
        by_first = self._by_first
        return [[by_first[number] for number in each[:COMPARED] if number in by_first] for each in found]

    def _member(self, one: Arriving, number: int) -> Member:
        hashes, strengths = one.terms.hashes.tobytes(), one.terms.strengths.tobytes()
        return Member(self._batch, one.written.timestamp(), number, one.uid, one.source_id, hashes, strengths)

    def _circles(self, members: Sequence[Member], languages: Sequence[str]) -> list[Circle]:
        """The articles of a batch with those, and with the stories, that they may stand together with."""
        likeness = Likeness(self.counts, self.habits)
        tied: dict[Member | Story, list[Member | Story]] = {}  # with each all that it hangs together with
        holding: defaultdict[int, list[Member]] = defaultdict(list)
        # In an order that does not depend on which source came first.
        order = sorted(range(len(members)), key=lambda at: (members[at].written_s, members[at].hashes))
        for start in range(0, len(order), AT_ONCE):
            places = order[start : start + AT_ONCE]
            some, spoken = [members[at] for at in places], [languages[at] for at in places]
            looked_up = _telling(likeness.weigh(some, spoken))
            others = [
                _to_compare(holding, one, its, near)
                for one, its, near in zip(some, looked_up, self._likely(looked_up), strict=True)
            ]
            compared = likeness.of_each(some, [[member for member, _ in its] for its in others], spoken)
            for one, its, alike in zip(some, others, compared, strict=True):
                tied.setdefault(one, [one])
                for place in (alike >= LINKED * JOIN).nonzero()[0].tolist():
                    _tie(tied, one, its[place][1])
        language_of = {members[at].number: languages[at] for at in order}
        circles = {id(circle): circle for circle in tied.values()}
        return [_circle(likeness, circle, language_of) for circle in circles.values()]

    def _settle(
        self, circle: Circle, placed: Placed, joined: dict[int, Joined], now: datetime, uid: Callable[[], str]
    ) -> None:
        """Let the groups of *circle* be its stories: some stay, some merge, some split, some are new."""
        story_of = {member.number: story for story in circle.stories for member in story.members}
        for story in circle.stories:
            self._before.setdefault(story.uid, replace(story))
            self._drop(story)
        final: dict[int, str] = {}
        for group in circle.groups:
            members = [circle.members[at] for at in group]
            kept, others = self._regroup(members, story_of, now, uid)
            placed.merged.update(dict.fromkeys(others, kept))
            articles = self._stories[kept].articles
            for one in members:
                final[one.number] = kept
                if one.number not in story_of:
                    joined[one.number] = Joined(kept, circle.evidence(one, group, articles))
        for story in circle.stories:
            stays = placed.merged.get(story.uid, story.uid)
            now_in = {one.uid: final[one.number] for one in story.members}
            placed.moved.update((article, kept) for article, kept in now_in.items() if kept != stays)

    def _regroup(
        self, members: Sequence[Member], story_of: Mapping[int, Story], now: datetime, uid: Callable[[], str]
    ) -> tuple[str, list[str]]:
        """Make *members* one story; its id, and those of the stories that became part of it."""
        numbers = {one.number for one in members}
        were = {story_of[number] for number in numbers & story_of.keys()}
        # The id stays with the first article; of a story that is not whole, all of it is here.
        own = [story for story in were if not story.is_whole or story.first in numbers]
        own.sort(key=lambda story: story.first)
        kept = own[0].uid if own else uid()
        touched = max(story.touched for story in were) if numbers <= story_of.keys() else now
        self._put(kept, members, [story for story in own if not story.is_whole], touched)
        return kept, [story.uid for story in own[1:]]

    def _put(self, uid: str, members: Sequence[Member], larger: Sequence[Story], touched: datetime) -> None:
        """Make *members* and what else the stories *larger* hold the story *uid*."""
        numbers = [one.number for one in members]
        story = _story_of(uid, members, larger, touched)
        self._before.setdefault(uid, None)
        self._stories[uid] = self._by_first[story.first] = story
        places = np.array([number - self._oldest for number in numbers if number >= self._oldest], np.int64)
        if min(numbers) < self._begun[0] and self._story_of_before is None:
            self._story_of_before = self._story_of.copy()
        self._story_of[places] = story.first
        for other in larger:
            if other.first != story.first:
                self._story_of[self._story_of == other.first] = story.first

    def _include(self, uid: str, member: Member, now: datetime) -> None:
        """Put one more article into the story *uid*, which it begins where there is none."""
        story = self._stories.get(uid)
        if story is None:
            story = Story(uid, (member,), 1, now, first=member.number, newest=member.number)
            self._stories[uid] = self._by_first[story.first] = story
        else:
            story.members = tuple(sorted((*story.members, member))[-RECENT:])
            story.newest = member.number
            story.articles += 1
            story.touched = max(story.touched, now)
        self._number(story.first)

    def _number(self, first: int) -> None:
        """Count one more article, of the story that begins with the number *first*."""
        at = self._next - self._oldest
        if at == len(self._story_of):
            self._story_of = np.concatenate((self._story_of, np.zeros_like(self._story_of)))
        self._story_of[at] = first
        self._next += 1

    def _is_time_to_forget(self, now: datetime) -> bool:
        return self._swept is None or now - self._swept >= timedelta(hours=1) or len(self._stories) > self._most

    def _drop(self, story: Story) -> None:
        del self._stories[story.uid], self._by_first[story.first]

    def _let_go(self) -> None:
        """Forget the articles before the first that is the newest of a story: nothing is found by them alone."""
        oldest = min((story.newest for story in self._stories.values()), default=self._next)
        if oldest - self._oldest < len(self._story_of) // 4:
            return
        self._story_of[: self._next - oldest] = self._story_of[oldest - self._oldest : self._next - self._oldest]
        self._oldest = oldest
        self._postings.forget(oldest)


def _with_terms(entries: Iterable[StoredSignature]) -> tuple[list[StoredSignature], list[bytes]]:
    """Those of *entries* that made their article and have a story, with their terms as they are packed."""
    made = [entry for entry in entries if entry.story_uid and not entry.copy]
    both = [(entry, packed) for entry in made if (packed := signature.split(entry.signature)[1])]
    return [entry for entry, _ in both], [packed for _, packed in both]


def _story_of(uid: str, members: Sequence[Member], larger: Sequence[Story], touched: datetime) -> Story:
    """The story *uid* of *members* and what else the stories *larger* hold."""
    held = {one.number for story in larger for one in story.members}
    numbers = [one.number for one in members]
    return Story(
        uid,
        tuple(members[-RECENT:]),
        articles=sum(story.articles for story in larger) + len(set(numbers) - held),
        touched=touched,
        first=min([*numbers, *(story.first for story in larger)]),
        newest=max([*numbers, *(story.newest for story in larger)]),
    )


def _tie(tied: dict[Member | Story, list[Member | Story]], one: Member, other: Member | Story) -> None:
    """Let all that hangs together with *other* hang together with *one*."""
    circle, more = tied[one], tied.setdefault(other, [other])
    if more is not circle:
        circle += more
        tied.update(dict.fromkeys(more, circle))


class Circle(Struct, frozen=True):
    """Articles in the order in which they came, how like each two are, and the groups in which they stand together.

    *stories* are those that they were in before; of one that is larger than what is compared, all stay together.
    """

    members: list[Member]
    stories: list[Story]
    alike: Floats
    groups: list[Group]

    def evidence(self, one: Member, group: Group, articles: int) -> Evidence:
        """Why *one* is in *group*, a story of so many *articles*."""
        at = self.members.index(one)
        others = [other for other in group[-RECENT:] if other != at] or [i for i in range(len(self.members)) if i != at]
        score = nearness(self.alike[np.ix_([at], others)]) if others else 0.0
        return Evidence(
            kind="story",
            detail=f"with {articles - 1} more" if articles > 1 else "begins one",
            score=round(score, 3) or None,
            threshold=JOIN,
        )


def _circle(likeness: Likeness, circle: Sequence[Member | Story], language_of: Mapping[int, str]) -> Circle:
    """The *circle* of new articles and stories, with the groups that it makes."""
    stories = [one for one in circle if isinstance(one, Story)]
    new = [one for one in circle if isinstance(one, Member)]
    members = sorted([*new, *(member for story in stories for member in story.members)])
    if len(members) == 1:
        return Circle(members, [], np.zeros((1, 1), np.float32), [[0]])
    alike = likeness.between(members, members, language_of[min(one.number for one in new)])
    return Circle(members, stories, alike, gather(_bound(members, stories), alike))


def _bound(members: Sequence[Member], stories: Sequence[Story]) -> list[Group]:
    """The *members* by what must stay together: those of a story that is larger than what is compared of it."""
    larger = {one.number: story.first for story in stories if not story.is_whole for one in story.members}
    groups: defaultdict[tuple[bool, int], Group] = defaultdict(list)
    for at, member in enumerate(members):
        groups[member.number in larger, larger.get(member.number, member.number)].append(at)
    return list(groups.values())


def _telling(of: Weights) -> list[tuple[Hashes, Floats]]:
    """The terms that each article is looked up by, the most telling first, and what each weighs."""
    order, found, start = np.lexsort((-of.weights, of.owners)), [], 0
    for size in of.sizes:
        best = order[start : start + min(size, SEARCHED)]
        found.append((of.hashes[best], of.weights[best]))
        start += size
    return found


def _to_compare(
    holding: dict[int, list[Member]], one: Member, looked_up: tuple[Hashes, Floats], near: Sequence[Story]
) -> list[tuple[Member, Member | Story]]:
    """Each article to compare *one* with, and what stands for it: itself, or its story.

    Later articles of the batch find *one* in *holding*, by its terms.
    """
    terms, weights = looked_up
    found: list[tuple[Member, Member | Story]] = [(each, each) for each in _sharing(holding, terms, weights)]
    found += [(member, story) for story in near for member in story.members]
    for term in terms.tolist():
        holding[term].append(one)
    return found


def _sharing(holding: Mapping[int, Sequence[Member]], terms: npt.NDArray[np.uint32], weights: Floats) -> list[Member]:
    """The articles of the batch, *holding* by term, that share most of *terms*."""
    shared: dict[Member, float] = {}
    for term, weight in zip(terms.tolist(), weights.tolist(), strict=True):
        for one in holding.get(term, ())[-PER_TERM:]:
            shared[one] = shared.get(one, 0.0) + weight
    return sorted(shared, key=lambda one: (-shared[one], one))[:COMPARED]
