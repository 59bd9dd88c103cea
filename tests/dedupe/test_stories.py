"""Stories: joined as articles arrive, ids that stay, merges that redirect, fading."""

from datetime import timedelta

import numpy as np
import pytest

from feeds.dedupe import Stories, signature
from feeds.dedupe.background import shares, stemmed
from feeds.dedupe.stories import Arriving
from feeds.dedupe.terms import MOST_TERMS, TermCounts, Terms, count_terms, hashed, pack, unpack
from feeds.text import words
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
    return count_terms([], stems)


def weights_of(counts, terms) -> dict[int, float]:
    return dict(zip(terms.hashes.tolist(), counts.telling(terms.hashes, "en").tolist(), strict=True))


def arriving(terms, *, word_count=0, written=NOW, source_id=1) -> Arriving:
    return Arriving(terms, word_count=word_count, language="en", written=written, source_id=source_id)


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
        source = arriving(count_terms(words(title), []), source_id=len(placed))
        (found,), merged = stories.place([source], now=NOW, uid=lambda: f"s{next(numbers)}")
        placed.append(found.uid)
        return found.uid, merged

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
    (found,), _ = stories.place([arriving(newest)], now=NOW + timedelta(hours=1), uid=lambda: "x")
    assert found.uid == "s59"


def test_rare_words_weigh_more_than_common_ones():
    counts = TermCounts()
    terms = terms_of("the", "government", "skerry")
    weights = weights_of(counts, terms)
    assert weights[hashed("skerry")] > weights[hashed("government")] > weights.get(hashed("the"), 0.0)
    for _ in range(500):
        counts.add(terms_of("skerry"))
    assert weights_of(counts, terms)[hashed("skerry")] < weights[hashed("skerry")]


def test_a_language_without_a_table_has_no_background():
    assert shares("tlh") == {}
    assert shares("en")[stemmed("the")] > 0.9


def test_terms_come_back_from_the_store_as_they_were():
    terms = count_terms(words("Ferry aground"), words(FERRY * 3))
    kept = TermCounts().strongest(terms, "en")
    back = unpack(pack(kept))
    assert 20 < len(back) == len(kept) <= MOST_TERMS
    assert np.array_equal(back.hashes, kept.hashes) and np.array_equal(back.strengths, kept.strengths)


def test_terms_kept_by_weight_as_the_first_release_did_are_put_in_order():
    kept = TermCounts().strongest(count_terms(words("Ferry aground"), words(FERRY)), "en")
    turned = pack(Terms(kept.hashes[::-1], kept.strengths[::-1]))
    assert unpack(turned).hashes.tolist() == kept.hashes.tolist()
    assert unpack(turned).strengths.tolist() == kept.strengths.tolist()


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
        source = arriving(terms, word_count=99, written=now, source_id=hour)
        (found,), _ = stories.place([source], now=now, uid=lambda: f"s{next(numbers)}")
        return found.uid

    for hour in range(1_200):
        first = place(hour // 3, hour)
        assert first == f"s{hour // 3}"
    assert len(stories) < 1_200 // 3 / 2
    assert place(0, 1_200) == "s400"  # what was told of seven weeks ago is a story of its own
