"""Stories: joined as articles arrive, ids that stay, merges that redirect, fading."""

import random
from datetime import timedelta
from itertools import count

import numpy as np
import pytest

from feeds.dedupe import Stories, nearest, signature
from feeds.dedupe.grouping import Arriving
from feeds.dedupe.signature import named
from feeds.dedupe.terms import (
    MOST_TERMS,
    Habits,
    TermCounts,
    Terms,
    count_terms,
    hashed,
    pack,
    rows_of,
    shares,
    stemmed,
    unpack_several,
)
from feeds.model import Article
from feeds.text import encoded_words
from tests.dedupe.conftest import BRIDGE, FERRY, NOW, WHEAT, Desk, entry

GROUNDED = (
    ("Night ferry runs aground off Skerry Point", FERRY),
    (
        "Passengers taken off grounded ferry at Skerry Point",
        "All 212 passengers left the stranded night ferry by boat.",
    ),
    (
        "Missing buoy blamed as ferry sits on sandbank",
        "Skerry Point lost its buoy in a storm, says the ferry's captain.",
    ),
)


def terms_of(*stems) -> Terms:
    return count_terms([], [stem.encode() for stem in stems])


def term(word) -> int:
    return hashed([word.encode()])[0]


def weights_of(counts, terms) -> dict[int, float]:
    return dict(zip(terms.hashes.tolist(), counts.telling(terms.hashes, "en").tolist(), strict=True))


def arriving(terms, *, written=NOW, source_id=1, uid="") -> Arriving:
    return Arriving(terms, language="en", written=written, source_id=source_id, uid=uid)


def told(desk: Desk, source_id: int, title: str, text: str = "", **more):
    after = more.pop("after", timedelta(minutes=20))
    (decision,) = desk.poll(source_id, entry(f"{source_id}:{title}", title=title, text=text, **more), after=after)
    return decision


def test_articles_about_one_event_share_a_story_and_others_do_not(desk):
    ferry = [told(desk, n, *one).story_uid for n, one in enumerate(GROUNDED, 1)]
    others = [
        told(desk, 8, "Wheat up for a fifth week", WHEAT).story_uid,
        told(desk, 9, "New bridge voted", BRIDGE).story_uid,
    ]
    assert len(set(ferry)) == 1
    assert len({*ferry, *others}) == 3


def test_titles_alone_make_stories_too(desk):
    one = told(desk, 1, "Night ferry aground off Skerry Point with 212 aboard")
    two = told(desk, 2, "Skerry Point: grounded ferry to wait for spring tide")
    other = told(desk, 3, "Wheat prices climb for fifth week as drought holds")
    assert one.story_uid == two.story_uid != other.story_uid


@pytest.mark.parametrize("title", ["Weather", "Morning briefing", "", "…"])
def test_an_article_that_says_next_to_nothing_belongs_to_no_story(desk, title):
    assert told(desk, 1, title).story_uid is None


def test_notices_instead_of_texts_bring_no_articles_together(desk):
    notice = "Subscribe now to continue reading this article and get access to everything we publish every day"
    first, second = desk.poll(1, entry("a", title="Wheat prices climb again", text=notice),
                              entry("b", title="Ferry aground off Skerry", text=notice))  # fmt: skip
    assert first.story_uid and second.story_uid and first.story_uid != second.story_uid


def test_a_story_fades_when_nobody_writes_about_it(desk):
    first = told(desk, 1, *GROUNDED[0], published=NOW)
    soon = told(desk, 2, *GROUNDED[1], published=NOW + timedelta(hours=20), after=timedelta(hours=20))
    late = told(desk, 3, *GROUNDED[2], published=NOW + timedelta(days=20), after=timedelta(days=20))
    assert soon.story_uid == first.story_uid != late.story_uid


def test_an_archive_falls_into_stories_of_its_own_time(desk):
    year_ago = NOW - timedelta(days=365)
    today = told(desk, 1, *GROUNDED[0], published=NOW)
    old = told(desk, 2, *GROUNDED[1], published=year_ago)
    also_old = told(desk, 3, *GROUNDED[2], published=year_ago + timedelta(hours=2))
    assert today.story_uid != old.story_uid == also_old.story_uid


def test_two_stories_that_an_article_shows_to_be_one_merge_into_the_older():
    stories, numbers = Stories(), iter(range(99))

    def place(title):
        source = arriving(count_terms(encoded_words(title), []), source_id=len(placed))
        found, merged, _ = stories.place([source], now=NOW, uid=lambda: f"s{next(numbers)}")
        placed.append(found[0].uid)
        return found[0].uid, merged

    placed = []
    first, _ = place("Crane collapses at Ellan shipyard")
    second, _ = place("Dockers hurt in harbour accident Friday")
    assert first != second
    assert place("Dockers hurt as Ellan shipyard crane collapses in harbour accident") == (first, {second: first})
    assert len(stories) == 1
    assert place("Shipyard crane accident: dockers still in hospital") == (first, {})


def test_the_number_of_stories_is_bounded():
    stories = Stories(most=20)
    for number in range(60):
        terms = terms_of(*(f"w{number}{letter}" for letter in "abcdef"))
        now = NOW + timedelta(minutes=number)
        stories.place([arriving(terms, source_id=number)], now=now, uid=lambda n=number: f"s{n}")
        stories.forget(now)
    assert len(stories) <= 20
    newest = terms_of(*(f"w59{letter}" for letter in "abcdef"))
    placed = stories.place([arriving(newest)], now=NOW + timedelta(hours=1), uid=lambda: "x")
    assert placed.joined[0].uid == "s59"


def test_rare_words_weigh_more_than_common_ones():
    counts = TermCounts()
    terms = terms_of("the", "government", "skerry")
    weights = weights_of(counts, terms)
    assert weights[term("skerry")] > weights[term("government")] > weights.get(term("the"), 0.0)
    for _ in range(500):
        counts.add(*rows_of(terms_of("skerry").hashes, [1]))
    assert weights_of(counts, terms)[term("skerry")] < weights[term("skerry")]


def test_a_language_without_a_table_has_no_background():
    assert shares("tlh") == {}
    assert shares("en")[stemmed(b"the")] > 0.9


def test_terms_come_back_from_the_store_as_they_were():
    terms = count_terms(encoded_words("Ferry aground"), encoded_words(FERRY * 3))
    (kept,) = TermCounts().strongest([pack(terms)], ["en"])
    back, _ = unpack_several([pack(kept)])
    assert 20 < len(back) == len(kept) <= MOST_TERMS
    assert np.array_equal(back.hashes, kept.hashes) and np.array_equal(back.strengths, kept.strengths)


def test_terms_kept_by_weight_as_the_first_release_did_are_put_in_order():
    terms = count_terms(encoded_words("Ferry aground"), encoded_words(FERRY))
    (kept,) = TermCounts().strongest([pack(terms)], ["en"])
    turned = pack(Terms(kept.hashes[::-1], kept.strengths[::-1]))
    assert unpack_several([turned])[0].hashes.tolist() == kept.hashes.tolist()
    assert unpack_several([turned])[0].strengths.tolist() == kept.strengths.tolist()


def test_an_updated_entry_keeps_the_terms_that_its_story_is_found_by(desk):
    told(desk, 1, *GROUNDED[0])
    (again,) = desk.poll(1, entry(f"1:{GROUNDED[0][0]}", title=GROUNDED[0][0], text=f"{FERRY} {WHEAT}"))
    assert again.kind == "updated"
    assert signature.split(again.signature)[1]


def test_stories_of_weeks_ago_are_forgotten_with_their_articles_and_fresh_ones_are_found():
    stories, numbers = Stories(), iter(range(10_000))

    def place(event, hour):
        now = NOW + timedelta(hours=hour)
        stories.forget(now)
        terms = terms_of(*(f"event{event}{letter}" for letter in "abcdefgh"))
        source = arriving(terms, written=now, source_id=hour)
        placed = stories.place([source], now=now, uid=lambda: f"s{next(numbers)}")
        return placed.joined[0].uid

    for hour in range(1_200):
        first = place(hour // 3, hour)
        assert first == f"s{hour // 3}"
    assert len(stories) < 1_200 // 3 / 2
    assert place(0, 1_200) == "s400"  # what was told of seven weeks ago is a story of its own


def stories_of(batches) -> list[set[str]]:
    """The titles that stand together, of batches of (source id, title, text, hours after NOW)."""
    stories, numbers = Stories(), count(1)
    story_of: dict[str, str] = {}
    for number, batch in enumerate(batches):
        stories.begin()
        sources = []
        for source_id, title, text, hours in batch:
            terms = count_terms(encoded_words(title), encoded_words(text), named(title, text))
            written = NOW + timedelta(hours=hours)
            (kept,) = stories.counts.strongest([pack(terms)], ["en"])
            sources.append(arriving(kept, written=written, source_id=source_id, uid=title))
        placed = stories.place(sources, now=NOW + timedelta(days=9, minutes=number), uid=lambda: f"s{next(numbers)}")
        story_of |= placed.moved
        story_of = {title: placed.merged.get(uid, uid) for title, uid in story_of.items()}
        story_of |= {one.uid: found.uid for one, found in zip(sources, placed.joined, strict=True)}
    together: dict[str, set[str]] = {}
    for title, uid in story_of.items():
        together.setdefault(uid, set()).add(title)
    return sorted((told for told in together.values() if len(told) > 1), key=sorted)


PLACES = "Norholm Estrand Vaskby Tullen Orsvik Hamrak Lidsele Brannes Kjolen Ravnsund Skarven Mosele".split()
MATTERS = (
    "hospital budget|ferry strike|school roofs|herring quota|tram tunnel|youth orchestra|flood barrier|court reform|"
    "wind farm|bread prices|border post|library hours"
).split("|")


@pytest.mark.parametrize(
    "form",
    [
        "Tavria: {place} to vote on {matter}",
        "Notes on {matter} no. {number}",
        "c. 18{number} Queen Anne in {place}",
        "{matter} - March {number}, 2031",
    ],
)
def test_what_a_source_says_in_every_title_brings_no_two_of_its_articles_together(form):
    titles = [
        form.format(place=place, matter=matter, number=number)
        for number, (place, matter) in enumerate(zip(PLACES, MATTERS, strict=True), 20)
    ]
    assert stories_of([[(1, title, "", number) for number, title in enumerate(titles)]]) == []
    assert stories_of([[(1, title, "", 0)] for title in titles])[:1] in ([], [set(titles[:2])])  # before it is known


def test_one_event_in_several_sources_stands_out_of_what_each_of_them_always_says():
    batch = [(1, f"Tavria: {matter} in {place}", "", 0) for place, matter in zip(PLACES, MATTERS, strict=True)]
    batch += [(2, "Norholm hospital: budget cut again", "", 1), (3, "Budget of the hospital in Norholm falls", "", 2)]
    (told,) = stories_of([batch])
    assert told == {"Tavria: hospital budget in Norholm", batch[-2][1], batch[-1][1]}


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_sources_within_a_batch_does_not_matter(seed):
    batch = [(n, *one, n) for n, one in enumerate(GROUNDED)] + [(9, "Wheat up for a fifth week", WHEAT, 5)]
    batch += [(4, "New bridge voted", BRIDGE, 1), (5, "Council votes on bridge at Tollgate Wharf", BRIDGE[:200], 7)]
    mixed = batch[:]
    random.Random(seed).shuffle(mixed)
    assert stories_of([mixed]) == stories_of([batch]) and len(stories_of([batch])) == 2


def test_a_story_goes_where_its_news_goes_and_not_on_for_ever():
    """Each headline is like the one before it: a saga comes in parts."""
    chain = [f"{PLACES[at % 12]} {PLACES[(at + 1) % 12]} {PLACES[(at + 2) % 12]} talks" for at in range(24)]
    told = stories_of([[(at, title + f" {at}", "", 12 * at)] for at, title in enumerate(chain)])
    assert len(told) > 1 and max(map(len, told)) >= 3


def test_stories_whose_newest_articles_disagree_stay_two():
    first = [(n, f"Norholm ferry strike, day {n}", "", n) for n in range(4)]
    second = [(n, f"Estrand hospital budget row {n}", "", n) for n in range(10, 14)]
    bridge = [(20, "Norholm ferry strike and Estrand hospital budget", "", 15)]
    told = stories_of([first, second, bridge])
    assert len(told) == 2


def test_an_event_that_proves_to_be_another_splits_off_and_the_id_stays_with_the_first_article():
    stories, numbers = Stories(), count(1)

    def place(*titles):
        sources = [
            arriving(count_terms(encoded_words(title), []), source_id=n, uid=title) for n, title in enumerate(titles)
        ]
        return stories.place(sources, now=NOW, uid=lambda: f"s{next(numbers)}")

    talks, other = "Norholm talks open in Vaskby", "Estrand talks in Vaskby: hostages"
    placed = place(talks, other)
    assert [one.uid for one in placed.joined] == ["s1", "s1"]  # so little is known that talks in one town are one
    placed = place(
        "Norholm talks open: ministers in Norholm", "Norholm talks open, says minister", "Estrand hostages: talks",
        "Hostages of Estrand free", "Estrand hostages home",
    )  # fmt: skip
    assert placed.moved == {other: "s2"} and not placed.merged
    assert [one.uid for one in placed.joined] == ["s1", "s1", "s2", "s2", "s2"]


def test_names_are_words_with_a_capital_inside_a_sentence():
    assert set(named("Ships collide", "On Monday the Ellan ran into the pier. The pier held.")) == {b"monday", b"ellan"}
    assert named("All In Capitals Here", "") == [] and named("", "in small letters only") == []
    assert set(named("le maire de Évreux reçoit Élise", "")) == {b"evreux", b"elise"}


def test_months_and_years_weigh_less_than_other_words():
    terms = count_terms(encoded_words("Printables March 2031"), [])
    strengths = dict(zip(terms.hashes.tolist(), terms.strengths.tolist(), strict=True))
    assert strengths[term("march")] == strengths[term("2031")] < strengths[term("printables")]


def test_habits_are_of_their_source_and_are_taken_back():
    habits, telling = Habits(), np.array([8.0], np.float32)
    one = np.array([term("tavria")], np.uint32)
    habits.begin()
    for _ in range(30):
        habits.add([1], *rows_of(one, [1]))
    assert habits.novelty([1], one, [1], telling)[0] < 0.3 and habits.novelty([2], one, [1], telling)[0] > 0.9
    habits.undo()
    assert habits.novelty([1], one, [1], telling)[0] > 0.9


def test_explain_names_the_nearest_of_a_story_and_the_words():
    def told(number, title, text):
        at = NOW + timedelta(hours=number)
        return Article(uid=f"u{number}", link=None, title=title, content=text, published=at, updated=at, rank_at=at,
                       source_key=f"s{number}")  # fmt: skip

    ferry, also, wheat = (told(n, *one) for n, one in enumerate((*GROUNDED[:2], ("Wheat up", WHEAT))))
    near, said = nearest(ferry, [wheat, also])
    assert near is also and {"ferry", "skerry"} <= set(said)
