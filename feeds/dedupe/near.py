"""Near copies: reprints with another headline, a cut tail, added paragraphs, boilerplate around. Pure.

`judge` compares two signatures. What counts is not how many word triples two texts share but how many *telling* ones:
triples that many articles of the window hold ("all rights reserved", "shr 12 cts vs") weigh next to nothing, which
is what keeps template briefs apart and boilerplate out, in any language and without a list of phrases.

Whether a title speaks of a text (`Speaking`) tells a cut copy from the first part of a digest. A digest has a headline
of its own, "Morning briefing", of which none of its parts says a word; a longer version of an article has one whose
telling words stand in the shorter version too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from operator import and_
from string import ascii_lowercase
from typing import Literal

import numpy as np
from msgspec import Struct

from feeds.dedupe import signature
from feeds.dedupe.signature import LOW_BITS, Sketch, taken_apart
from feeds.dedupe.terms import GramCounts, Hashes, TermCounts, Weights, stemmed
from feeds.model import Evidence
from feeds.text import encoded_words

Title = Literal["one", "like", "another"]
_THRESHOLDS: dict[Title, tuple[float, str]] = {
    "one": (0.4, "both have one title"),
    "like": (0.65, "their titles are alike"),
    "another": (0.72, "they have different titles"),
}
"""The part of the shorter text's telling triples that the longer must hold too, and why so much."""
PART = 0.75
"""A text less than so much as long as another may be a part of it: then it is no copy under another title, unless"""
EXCERPT = 0.6
"""... it is the other's beginning, holds the other's or is so long, and the other's title speaks of it."""
ASTRAY_WORDS = 300
LEAST_REACH = 2
"""A digest under the headline of a part speaks of that through some words, and of something else through many."""
HALF = 0.6
"""Of two that begin alike, where less than this of the shorter one stands in the other, both titles must."""
BEGINNING_WORDS = 60
ALIKE_NUMBERED = 0.95
"""What is asked where titles differ in a number: all that is left when what is common is weighed away."""
BRIEF_WORDS = 122
SAME_LENGTH = 0.8
ALIKE_SAME_LENGTH = 0.72
"""Of two texts of one length none is an excerpt of the other: all must agree, and not the beginning alone."""
ALIKE_SAME_SOURCE = 0.8
"""A source that writes nearly the same under another address twice (tables, columns) mostly means two articles."""
OTHER_FIGURES = 0.9
"""What is asked where the figures differ: more than forms filled in twice have in common."""
NEVER = 1.01
TITLE_WORDS = 3
"""Titles with fewer words than this say nothing."""
LONE_TITLE_WORDS = 5
"""A title that must do alone, without texts, has at least so many."""
LEAST_IN_COMMON = 0.08
STANDS_IN = 0.6
"""What of a text, or of its beginning, stands in a whole that it is a part of."""
SHORTER = 0.9
BEGINNING_GROWS = 8
"""A text so many times as long as another is no part of it by its beginning alone."""
FEWEST_MET = 2.5
"""Telling triples of a beginning that must be met in the whole itself, whatever the sample makes of them."""
FEW_WORDS = 8
"""A text with fewer words is none."""
NOTICE_WORDS = 25
"""Two texts that are both shorter may be a notice ("Subscribe to continue"): then the titles must be alike."""
FIGURES_AGREE = 4
"""Where more than one in so many words has other numbers before it, the figures differ."""
SUPPORT = 0.3
ENOUGH = 6.0
"""With so many telling triples in both samples, SUPPORT of them must agree before a like beginning counts."""
MIN_WEIGHT = 4.0
"""Fewer telling triples than this never suffice, however well they agree."""
LEAST_SHARED = 0.4 * MIN_WEIGHT
"""Where neither beginnings nor samples share so much, no threshold is reached."""

_BODY = LOW_BITS + np.uint32(1)
_END = np.array([0xFFFFFFFF], np.uint32)
SPEAKS = 0.12
"""What the title's words that stand in the text must weigh, of what all weigh."""
TELLING = 4.5
"""Words that weigh less stand in any text: they speak of nothing."""
STRANGE = 8.0
"""What a word of the title weighs that the text has not: the common ones every text has."""
FILLED_IN = 0.8
"""What of the triples that two texts do not share must hold a name of the title, where they are one form filled in."""
FROM_WORDS = 8
"""So many words at the beginning of a text may say whom it is from, and make no form of it."""
LEAST_WORDS = 60
MOST_WORDS = 200


class Likeness(Struct, frozen=True):
    """How near two texts are: *score* against *threshold*, and the parts it was made of."""

    score: float
    threshold: float
    body: float
    head: float
    by_title: bool = False
    asked: str = ""  # why the threshold is what it is
    one_title: bool = False

    @property
    def near(self) -> bool:
        return self.score >= self.threshold


def evidence(likeness: Likeness) -> Evidence:
    """What was found and what was asked, in one sentence."""
    score, threshold = round(likeness.score, 3), round(likeness.threshold, 3)
    if likeness.by_title:
        same = "the same title" if likeness.near else "not the same title"
        return Evidence(kind="near", detail=f"{same}, and too little text to compare", score=score, threshold=threshold)
    beginning = likeness.head > likeness.body and score == round(likeness.head, 3)
    shorter = "the shorter text's beginning" if beginning else "the shorter text"
    found = f"{likeness.score:.0%} of what tells in {shorter} stands in the other"
    asked = "and no share would do" if threshold > 1.0 else f"where {threshold:.0%} is asked"
    return Evidence(kind="near", detail=f"{found}, {asked}, for {likeness.asked}", score=score, threshold=threshold)


class Weighed(Struct, frozen=True, eq=False, dict=True):
    """A sketch with the weights of its triples, as they are now."""

    sketch: Sketch
    body: Weights
    head: Weights

    @cached_property
    def by_key(self) -> tuple[Hashes, Weights]:
        """The LOW_BITS of all triples, above them whether they are of the body, in order; and their weights.

        Last comes what no triple has.
        """
        keys = np.concatenate(((self.sketch.body & LOW_BITS) | _BODY, self.sketch.head & LOW_BITS, _END))
        order = keys.argsort()
        return keys[order], np.concatenate((self.body, self.head, [0.0]))[order]

    @cached_property
    def by_triple(self) -> tuple[dict[int, float], dict[int, float]]:
        """The weights by triple (its LOW_BITS in the head): made where a text comes near, which most never do."""
        pairs = (self.sketch.body, self.body), (self.sketch.head & LOW_BITS, self.head)
        body, head = (dict(zip(grams.tolist(), weights.tolist(), strict=True)) for grams, weights in pairs)
        return body, head

    @cached_property
    def low_bits(self) -> tuple[set[int], set[int]]:
        """The LOW_BITS of the triples of head and body."""
        head, body = self.sketch.head & LOW_BITS, self.sketch.body & LOW_BITS
        return set(head.tolist()), set(body.tolist())

    def total(self, limit: int) -> float:
        """What the triples of the body weigh together whose hashes reach up to *limit*."""
        within = self.sketch.body.searchsorted(np.uint32(limit), "right")
        return float(np.add.reduce(self.body[:within]))


def weigh(sketch: Sketch, counts: GramCounts) -> Weighed:
    weights = counts.weights(np.concatenate((sketch.body, sketch.head)))
    return Weighed(sketch, weights[: len(sketch.body)], weights[len(sketch.body) :])


def candidates(one: Weighed, others: Sequence[bytes | bytearray]) -> list[tuple[int, Sketch]]:
    """Those of *others* (signatures) that `judge` may find near, with their places among them.

    A quick look at all of them at once, for most of what an index gives shares hardly anything.
    """
    headed = [
        (place, other, header) for place, other in enumerate(others) if (header := signature.header(other)) is not None
    ]
    sizes = [size for _, _, header in headed for size in (header.heads, header.bodies)]
    parts = np.arange(len(sizes), dtype=np.uint32).repeat(sizes)
    triples = np.frombuffer(b"".join([other[header.end : header.behind] for _, other, header in headed]), np.uint32)
    keys = (triples & LOW_BITS) | (parts & 1) * _BODY
    mine, weights = one.by_key
    at = mine.searchsorted(keys)
    shared = np.bincount(parts, weights[at] * (mine[at] == keys), len(sizes)).reshape(-1, 2).max(axis=1)
    return [
        (place, taken_apart(other, header))
        for (place, other, header), weight in zip(headed, shared.tolist(), strict=True)
        if weight >= LEAST_SHARED or header.title_hash == one.sketch.title_hash
    ]


def judge(one: Weighed, other: Weighed, *, same_source: bool = False, speaks: Speaking | None = None) -> Likeness:
    """Compare two articles; symmetrical, but for *part*, which is told of *one*.

    *speaks* is asked whether the longer one's title speaks of the shorter text; without it, it does.
    """
    mine, its = one.sketch, other.sketch
    if not same_source and _said_alike(mine, its):
        return Likeness(1.0, 1.0, 1.0, 1.0, by_title=mine.word_count < NOTICE_WORDS, one_title=True)
    if min(mine.word_count, its.word_count) < FEW_WORDS:
        return _by_title(mine, its, same_source=same_source)
    small, large = sorted((one, other), key=lambda each: each.sketch.gram_count)
    body, head = _agreement(one, other)
    title = _titles(mine, its)
    score, threshold, asked = _asked(small.sketch, large.sketch, title, body, head)
    if same_source:
        threshold = NEVER if title == "another" else max(threshold, ALIKE_SAME_SOURCE)
        asked += ", and one source brought both"
    if title != "one" and score >= threshold:
        against = _against(one, other, speaks, alike=title == "like", body=body, is_beginning=head >= threshold)
        threshold, asked = (NEVER, against) if against else (threshold, asked)
    return Likeness(score, threshold, body, head, asked=asked, one_title=title == "one")


def _against(
    one: Weighed, other: Weighed, speaks: Speaking | None, *, alike: bool, body: float, is_beginning: bool
) -> str:
    """Why two texts that have so much in common are no copies all the same; empty where nothing speaks against it.

    *alike* are their titles, *body* is what the texts share, *is_beginning*: as much as is asked for of their
    beginnings.
    """
    small, large = sorted((one, other), key=lambda each: each.sketch.gram_count)
    ratio = small.sketch.gram_count / large.sketch.gram_count
    of_one_length = ratio >= SAME_LENGTH
    why = speaks.of_template(one.sketch, other.sketch, alike=alike) if speaks is not None and of_one_length else ""
    if why or (ratio >= PART and body >= HALF):
        return why
    at_beginning = is_beginning or ratio >= EXCERPT
    return _no_cut(small, large, speaks, alike=alike, at_beginning=at_beginning, both=body < HALF)


def _by_title(one: Sketch, other: Sketch, *, same_source: bool) -> Likeness:
    """Without texts only the same long title of another source tells."""
    same = one.title_hash == other.title_hash and one.title_length >= LONE_TITLE_WORDS and not same_source
    return Likeness(float(same), 1.0, 0.0, 0.0, by_title=True)


def _titles(one: Sketch, other: Sketch) -> Title:
    """What two titles are to each other, by the words that stand in both; tiny ones say nothing."""
    if min(one.title_length, other.title_length) < TITLE_WORDS:
        return "another"
    shorter, longer = sorted((len(one.title), len(other.title)))
    shared = set(one.title.tolist()).intersection(other.title.tolist())
    if len(shared) == shorter >= 0.6 * longer:
        return "one"
    return "like" if 2 * len(shared) >= shorter and not shared <= one.numbers else "another"


def _asked(shorter: Sketch, longer: Sketch, title: Title, body: float, head: float) -> tuple[float, float, str]:
    """What counts of what two texts have in common, how much is asked of that, and why so much."""
    threshold, asked = _THRESHOLDS[title]
    score = max(body, head)
    same_length = shorter.gram_count >= SAME_LENGTH * longer.gram_count
    if longer.word_count <= BRIEF_WORDS:  # long texts agree that far by no accident
        if same_length:
            score, threshold = body, max(threshold, ALIKE_SAME_LENGTH)
            asked += ", and they are short and of one length"
        if _other_figures(shorter, longer):
            score, threshold, asked = body, OTHER_FIGURES, "they are short and differ in their figures"
    if longer.word_count < NOTICE_WORDS and title == "another":
        threshold, asked = NEVER, "they have different titles and are too short to tell"
    if numbered_apart(shorter, longer):
        score, threshold = body, ALIKE_NUMBERED if same_length else NEVER
        asked = "their titles differ in a number or date"
    return score, threshold, asked


def _no_cut(
    small: Weighed, large: Weighed, speaks: Speaking | None, *, alike: bool, at_beginning: bool, both: bool
) -> str:
    """Why *small* is not the other text cut, but may be a part of a digest; empty where it is.

    *alike* are the titles. A cut text stands where the other begins (*at_beginning*), or its own beginning stands in
    the other. *both* titles must speak of what the two have in common where that is little.
    """
    shorter, longer = small.sketch, large.sketch
    placed = at_beginning or _beginning_in(large, small) >= STANDS_IN
    if _goes_astray(longer, shorter.word_count):
        return "the longer one goes on about something else than its title says"
    named = alike or _in_title(shorter, longer)
    spoken = named or placed
    if speaks is not None:
        spoken = (named and speaks.of_one(shorter, longer)) or (placed and _speak(shorter, longer, speaks, both=both))
    return "" if spoken else "it may be a part of the other, which has a title of its own"


def _goes_astray(sketch: Sketch, word_count: int) -> bool:
    """Whether a text says much more than *word_count* words of what its title speaks of: then that was but a part."""
    return LEAST_REACH <= sketch.reach <= word_count <= sketch.word_count - ASTRAY_WORDS


def _in_title(one: Sketch, other: Sketch) -> bool:
    """Whether the words of a title all stand in the other, though they be two: then both speak of one thing."""
    words = set(one.title.tolist())
    return len(words) > 1 and words.issubset(other.title.tolist())


def unlike(one: Weighed, other: Weighed) -> bool:
    """Whether two texts have nothing in common that tells."""
    return max(_agreement(one, other)) < SUPPORT


def another(one: Weighed, other: Weighed) -> bool:
    """Whether both have a text, and neither texts nor titles have anything in common: two articles at one address."""
    mine, its = one.sketch, other.sketch
    if min(mine.word_count, its.word_count) < FEW_WORDS or not unlike(one, other):
        return False
    if set(mine.title.tolist()).isdisjoint(its.title.tolist()) or numbered_apart(mine, its):
        return True
    return min(mine.title_length, its.title_length) >= TITLE_WORDS and _titles(mine, its) == "another"


def _speak(shorter: Sketch, longer: Sketch, speaks: Speaking, *, both: bool) -> bool:
    """Whether the title of the longer text, or *both*, speak of what the two have in common."""
    if speaks.untitled(shorter):
        return True
    return speaks(longer, shorter.word_count) and (not both or speaks(shorter, BEGINNING_WORDS))


def _agreement(one: Weighed, other: Weighed) -> tuple[float, float]:
    """How much of the lighter text the other holds, and of the lighter beginning the other's."""
    limit = min(one.sketch.limit, other.sketch.limit)
    body_weights, head_weights = one.by_triple
    sampled = min(one.total(limit), other.total(limit))
    body = _contained(_shared(body_weights, other.sketch.body), sampled)
    smaller = min(float(np.add.reduce(one.head)), float(np.add.reduce(other.head)))
    head = _contained(_shared(head_weights, other.sketch.head & LOW_BITS), smaller)
    if sampled >= ENOUGH and body < SUPPORT:
        head = 0.0  # two texts that begin alike and go on differently
    return body, head


def numbered_apart(one: Sketch, other: Sketch) -> bool:
    """Whether two titles say much the same with other numbers: releases, episodes, weeks, parts of a series."""
    if not (first := one.numbers) or not (second := other.numbers):
        return False
    if first <= second or second <= first:
        return False
    words, others = set(one.title.tolist()) - first, set(other.title.tolist()) - second
    return 2 * len(words & others) >= min(len(words), len(others))


Place = Literal["part", "whole"]


def place(
    one: Weighed, other: Weighed, body: float, *, same_source: bool = False, speaks: Speaking | None = None
) -> Place | None:
    """What *one* is to *other*, which is no copy of it: a part of it, the whole that it is a part of, or neither.

    *body* is what `judge` says the shorter text has in common with the longer.

    A part stands in the whole for the most part, or its beginning does. Of two that begin alike the one is the whole
    whose title speaks of something else.
    """
    asked = ALIKE_SAME_SOURCE if same_source else STANDS_IN
    if same_source and numbered_apart(one.sketch, other.sketch):
        return None
    if body < LEAST_IN_COMMON or min(one.sketch.word_count, other.sketch.word_count) < NOTICE_WORDS:
        return None
    lengths = one.sketch.gram_count, other.sketch.gram_count
    if body >= asked and min(lengths) < SHORTER * max(lengths):
        return "part" if lengths[0] < lengths[1] else "whole"
    return _by_beginnings(one, other, asked, speaks)


def _by_beginnings(one: Weighed, other: Weighed, asked: float, speaks: Speaking | None) -> Place | None:
    """What `place` gives for two texts of which neither stands in the other for the most part."""
    mine, its = _beginning_in(one, other), _beginning_in(other, one)
    if speaks is not None and min(mine, its) >= asked:
        spoken, others = (speaks(each.sketch, BEGINNING_WORDS) for each in (one, other))
        return None if spoken == others else "part" if spoken else "whole"
    if mine >= asked > 2 * its:
        return "part"
    return "whole" if its >= asked > 2 * mine else None


def holds(whole: Weighed, part: Weighed) -> bool:
    """Whether what was a part of another text is so still: less than is asked of one that comes, for it was found."""
    return max(_agreement(whole, part)[0], _beginning_in(part, whole)) >= SUPPORT


def _beginning_in(part: Weighed, whole: Weighed) -> float:
    """How much of *part*'s beginning stands anywhere in *whole*, estimated from its sample."""
    if part.sketch.word_count > whole.sketch.word_count * BEGINNING_GROWS:
        return 0.0
    head, body = whole.low_bits
    at_once = part.low_bits[0] & head
    later = (part.low_bits[0] & body) - at_once
    if len(at_once) + len(later) < FEWEST_MET:
        return 0.0
    weights = part.by_triple[1]
    first, sampled = (sum(map(weights.__getitem__, met)) for met in (at_once, later))
    if first + sampled < FEWEST_MET:
        return 0.0
    every = float(np.add.reduce(part.head))
    return (first + min(every - first, sampled * 2.0**32 / (whole.sketch.limit + 1))) / max(every, MIN_WEIGHT)


def _said_alike(one: Sketch, other: Sketch) -> bool:
    """Title and text word for word, however short both are: what two sources write alike by chance is shorter still."""
    return (
        one.title.size > 0
        and one.title_hash == other.title_hash
        and one.word_count == other.word_count >= FEW_WORDS
        and one.gram_count == other.gram_count
        and np.array_equal(one.head & LOW_BITS, other.head & LOW_BITS)
        and np.array_equal(one.body, other.body)
    )


def _other_figures(one: Sketch, other: Sketch) -> bool:
    """Whether other numbers stand before the same word, as in a form filled in twice."""
    first, second = _numbers_by_word(one), _numbers_by_word(other)
    compared = [first[word].isdisjoint(second[word]) for word in first.keys() & second.keys()]
    return sum(compared) * FIGURES_AGREE > len(compared)


def _numbers_by_word(sketch: Sketch) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    parts = iter(sketch.figures.tolist())
    for word, number in zip(parts, parts, strict=True):
        found.setdefault(word, set()).add(number)
    return found


def _shared(weights: dict[int, float], grams: Hashes) -> float:
    """What those of *grams* weigh that stand in *weights*."""
    return sum(map(weights.__getitem__, filter(weights.__contains__, grams.tolist())))


def _contained(shared: float, smaller: float) -> float:
    """How much of the lighter text the other holds."""
    return shared / max(smaller + 1.0, MIN_WEIGHT) if shared else 0.0


def _is_spelt_alike(word: bytes, others: set[int]) -> bool:
    """Whether one of *others* (hashes of words) is *word* but for a letter: Zelenskyy, Zelensky; harbour, harbor."""
    text = word.decode()
    if len(text) < signature.TELLING_LETTERS:
        return False
    cuts = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    other_spellings = chain(
        (head + tail[1:] for head, tail in cuts),
        (head + letter + tail[drop:] for head, tail in cuts for letter in ascii_lowercase for drop in (0, 1)),
    )
    return any(signature.title_hash(each.encode()) in others for each in other_spellings)


class Speaking:
    """Asked with a sketch and a number of words: does its title speak of the beginning of *text*, so long?"""

    def __init__(self, title: str, text: str, counts: TermCounts, language: str) -> None:
        self._title = title
        self._text = text
        self._counts = counts
        self._language = language

    def __call__(self, sketch: Sketch, word_count: int) -> bool:
        within = max(word_count, LEAST_WORDS)
        title = sketch.title.tolist()
        shared = [held[1] for each in title if (held := self._places.get(each)) is not None and held[0] < within]
        weights = self._counts.words_tell(shared, self._language)
        spoken = float(weights[weights >= TELLING].sum())
        return spoken / (spoken + STRANGE * (len(title) - len(shared)) or 1.0) >= SPEAKS

    def of_template(self, own: Sketch, other: Sketch, *, alike: bool) -> str:
        """Why what two short texts of one length have in common is of neither of them; empty where it is not so.

        *alike* are the titles, *own* is of this title and text.
        """
        if max(own.word_count, other.word_count) > BRIEF_WORDS:
            return ""
        if not alike and self.of_notice(own, other):
            return "neither title speaks of the text, which may be a notice"
        return "they differ in what their titles name and in nothing else" if self._filled_in(own, other) else ""

    def _filled_in(self, own: Sketch, other: Sketch) -> bool:
        """Whether both titles have words of their own, and this one's stand wherever its text is not the other's."""
        named = self._named_apart(other)
        if not named or set(other.title.tolist()) <= set(own.title.tolist()):
            return False
        held = set((other.head & LOW_BITS).tolist()) | set((other.body & LOW_BITS).tolist())
        grams = signature.grams(self._words)
        known = [gram in held for gram in (grams & LOW_BITS).tolist()]
        names = [not named.isdisjoint(self._words[at : at + signature.GRAM_WORDS]) for at in range(len(known))]
        strange = [at for at, gram in enumerate(grams.tolist()) if not known[at] and gram <= other.limit]
        filled = [at for at in strange if names[at] or any(map(bytes.isdigit, self._words[at : at + 3]))]
        return any(names[FROM_WORDS:]) and not any(map(and_, known, names)) and len(filled) >= FILLED_IN * len(strange)

    def _named_apart(self, other: Sketch) -> set[bytes]:
        """The telling words of the title that *other*'s has not, nor spells otherwise."""
        its = set(other.title.tolist())
        words = [word for word in encoded_words(self._title) if signature.title_hash(word) not in its]
        tell = self._counts.words_tell(words, self._language) >= TELLING
        return {word for word, tells in zip(words, tell, strict=True) if tells and not _is_spelt_alike(word, its)}

    def of_notice(self, *sketches: Sketch) -> bool:
        """Whether the text may be what publishers show in the place of many articles ("Subscribe to continue"):
        *sketches* are short, and none has a title that speaks of it.
        """
        return all(
            one.title.size and one.word_count <= BRIEF_WORDS and not self(one, one.word_count) for one in sketches
        )

    def of_one(self, one: Sketch, other: Sketch) -> bool:
        """Whether two titles, one of them of this article, share a telling word."""
        both = set(one.title.tolist()).intersection(other.title.tolist())
        shared = [word for word in encoded_words(self._title) if signature.title_hash(word) in both]
        return bool((self._counts.words_tell(shared, self._language) >= TELLING).any())

    def untitled(self, sketch: Sketch) -> bool:
        """Whether the title is the beginning of its own text, which begins as this one: then it is no headline."""
        first = self._words[:LEAST_WORDS]
        title = set(sketch.title.tolist())
        named = [signature.title_hash(word) in title for word in first]
        grams = (signature.grams(first) & LOW_BITS).tolist()
        own = set((sketch.head & LOW_BITS).tolist())
        held = {gram for at, gram in enumerate(grams) if all(named[at : at + signature.GRAM_WORDS])} & own
        return len(title) > signature.GRAM_WORDS and 3 * len(held) >= 2 * (len(title) - signature.GRAM_WORDS + 1)

    @cached_property
    def _places(self) -> dict[int, tuple[int, bytes]]:
        """By the hashes of its forms where a word stands for the first time, and the word."""
        found: dict[int, tuple[int, bytes]] = {}
        for at, word in enumerate(self._words):
            for form in (word, word + b"s", stemmed(word)):
                found.setdefault(signature.title_hash(form), (at, word))
        return found

    @cached_property
    def _words(self) -> list[bytes]:
        return signature.text_words(self._text)[:MOST_WORDS]
