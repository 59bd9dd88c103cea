"""What contains others is an article of its own, and so are its parts: digests, newsletters, live pages, reviews."""

import itertools

import pytest

from feeds.dedupe.signature import numbers
from feeds.text import words
from tests.dedupe.conftest import BRIDGE, FERRY, WHEAT, entry

LIGHT = (
    "The lamp of Gannet Rock lighthouse went dark for the first time in ninety years on Sunday, after lightning struck "
    "the mast that feeds it. A keeper who retired in 1998 rowed out with a paraffin lantern and kept it lit until the "
    "electricians came at noon. The pilots' guild thanked him with a barrel of stout."
)
SCHOOL = (
    "Pupils of the mountain school in Upper Dravan have not had a lesson since the avalanche buried the only road. "
    "Their teacher now reads to them over the radio every morning, and parents send exercises up by the cable of the "
    "old quarry. The district promises a helicopter for the examinations in June."
)
CHOIR = (
    "A choir of beekeepers from Lower Sallow won the national singing prize with a cantata about swarming. The jury "
    "praised the altos, who hum through their noses. Conductor Ilse Brandvik wrote the piece during a winter in which "
    "she lost all but one of her hives, and she will give half of the prize to a breeder of hardy queens."
)
ARTICLES = {
    "Old footbridge at Tollgate Wharf to be replaced": BRIDGE,
    "Night ferry aground off Skerry Point": FERRY,
    "Wheat dearer for a fifth week": WHEAT,
    "Lighthouse dark after lightning": LIGHT,
    "Lessons by radio for snowed-in school": SCHOOL,
    "Beekeepers win singing prize": CHOIR,
}
INTRO = "Good evening. Here is what the coast talked about, and what to look out for tomorrow."


def beginning(text):
    return " ".join(text.split()[:35]) + " …"


def digest(count, *, whole, headed=False, intro=False):
    parts = [
        (f"{title}\n\n" if headed else "") + (text if whole else beginning(text))
        for title, text in list(ARTICLES.items())[:count]
    ]
    return "\n\n".join(([INTRO] if intro else []) + parts)


def run(desk, count, text, place, title="Morning briefing", source_of=lambda at: at + 2):
    """What becomes of *count* articles and a digest of them; (their uids, the digest's, pairs of whole and part)."""
    arriving = [
        (source_of(at), entry(f"a{at}", title=each, text=ARTICLES[each], link=f"a.example/{at}"))
        for at, each in enumerate(list(ARTICLES)[:count])
    ]
    arriving.insert(
        {"before": 0, "between": count // 2, "after": count}[place], (1, entry("d", title=title, text=text))
    )
    uids, related = {}, set()
    for source_id, one in arriving:
        (decision,) = desk.poll(source_id, one)
        uids[one.key] = decision.article_uid
        related |= {(decision.article_uid, part) for part in decision.parts}
        related |= {(whole, decision.article_uid) for whole in decision.wholes}
    whole = uids.pop("d")
    return list(uids.values()), whole, related


@pytest.mark.parametrize("place", ["before", "between", "after"])
@pytest.mark.parametrize("count", [3, 6])
@pytest.mark.parametrize(("headed", "intro"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("full", [True, False], ids=["in full", "beginnings"])
def test_a_digest_and_its_parts_are_articles_of_their_own(desk, count, place, headed, intro, full):
    parts, whole, related = run(desk, count, digest(count, whole=full, headed=headed, intro=intro), place)
    assert len({*parts, whole}) == count + 1
    assert related <= {(whole, part) for part in parts}
    assert len(related) >= (count if full else count - 2)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_digest_of_the_same_source_is_no_other_thing(desk, place):
    parts, whole, related = run(desk, 3, digest(3, whole=True), place, source_of=lambda at: 1)
    assert len({*parts, whole}) == 4
    assert related == {(whole, part) for part in parts}


def test_a_review_that_quotes_an_article_whole_is_no_copy(desk):
    (news,) = desk.poll(1, entry("n", title="Old footbridge at Tollgate Wharf to be replaced", text=BRIDGE))
    review = (
        "There is a tone in which councils announce that something beloved is to be torn down, and it deserves to be "
        "read aloud. What follows is the whole of the report as it was printed, and then what I think of it. "
        f"{BRIDGE} Note how nobody in all of this asked the people who walk across it every day, twice, with a dog. I "
        "did, this morning, and of eleven whom I met nine would rather have the cracks. The tenth was a surveyor, and "
        "the eleventh was on her way to the herring fair and had no time. Iron rusts, but it does so in company. A "
        "span of concrete has no rivets to count, and my father counted them with me, all four hundred and six of them."
    )
    (decision,) = desk.poll(2, entry("r", title="The footbridge and those who were not asked", text=review))
    assert decision.kind == "new"
    assert decision.parts == (news.article_uid,)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_digest_under_the_headline_of_its_first_part_does_not_swallow_it(desk, place):
    """Without a word of greeting: many newsletters are made so."""
    text = digest(6, whole=True)
    uids, of_digest, related = run(desk, 6, text, place, title="Old footbridge at Tollgate Wharf: our letter for today")
    assert len({*uids, of_digest}) == 7
    assert (of_digest, uids[0]) in related


def test_a_cut_copy_with_a_lead_of_its_own_is_a_copy(desk):
    """It begins otherwise, but holds the beginning of the whole: no part of a digest does."""
    report = f"{BRIDGE} {' '.join(BRIDGE.replace('.', ' again.').split()[::-1])}"
    (original,) = desk.poll(1, entry("n", title="Old footbridge at Tollgate Wharf to be replaced", text=report))
    lead = "Who walks to the fair will have to take the long way round, as readers of this page have feared. "
    (decision,) = desk.poll(2, entry("c", title="The long way round", text=lead + " ".join(BRIDGE.split()[:60])))
    assert (decision.kind, decision.article_uid) == ("copy", original.article_uid)


@pytest.mark.parametrize(("title", "kind"), [("Footbridge replaced", "copy"), ("Pilots protest", "new")])
def test_two_words_that_stand_in_the_other_title_tell_of_one_thing(desk, title, kind):
    """From the middle of the text: the place says nothing."""
    desk.poll(1, entry("n", title="Old footbridge at Tollgate Wharf to be replaced", text=BRIDGE))
    (decision,) = desk.poll(2, entry("c", title=title, text=" ".join(BRIDGE.split()[40:80])))
    assert decision.kind == kind


def test_cut_copies_stay_copies_under_the_same_a_like_and_another_title(desk):
    (original,) = desk.poll(1, entry("n", title="Old footbridge at Tollgate Wharf to be replaced", text=BRIDGE))
    for number, title in enumerate(
        (
            "Old footbridge at Tollgate Wharf to be replaced",
            "Tollgate Wharf: old footbridge to be replaced by winter",
            "Harbour council votes for new bridge",
        )
    ):
        (decision,) = desk.poll(number + 2, entry(f"c{number}", title=title, text=beginning(BRIDGE)))
        assert (decision.kind, decision.article_uid) == ("copy", original.article_uid)


def test_two_live_entries_of_one_document_are_two_articles_whatever_a_third_is_to_them(desk):
    """Both are cut from a long report of another source, under its title: still the source means two."""
    report = f"{BRIDGE} {FERRY} {WHEAT}"
    (whole,) = desk.poll(1, entry("w", title="The coast this week in one long report", text=report))
    first, second = desk.poll(
        2,
        entry("x", title="The coast this week in one long report", text=BRIDGE, link="b.example/1"),
        entry("y", title="The coast this week in one long report, too", text=WHEAT, link="b.example/2"),
    )
    assert first.article_uid == whole.article_uid
    assert second.article_uid != whole.article_uid


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Development update: 9.0-rc1 tagged", "Development update: 9.0-rc2 tagged"),
        ("Harbour podcast, episode 41", "Harbour podcast, episode 42"),
        ("Tide tables for week 12", "Tide tables for week 13"),
        ("History of the wharf, part II", "History of the wharf, part III"),
        ("Fish auction results, 3 March", "Fish auction results, 4 April"),
        ("Résultats de la criée de janvier", "Résultats de la criée de février"),
    ],
)
@pytest.mark.parametrize("sources", [(1, 1), (1, 2)], ids=["one source", "two sources"])
def test_releases_episodes_and_weeks_stay_apart(desk, one, other, sources):
    own = beginning(SCHOOL), beginning(CHOIR)
    found = set()
    for at, (source_id, title) in enumerate(zip(sources, (one, other), strict=True)):
        text = f"{BRIDGE} {WHEAT} {LIGHT} {own[at]}"
        (decision,) = desk.poll(source_id, entry(f"e{at}", title=title, text=text, link=f"s{source_id}.example/{at}"))
        found.add(decision.article_uid)
    assert len(found) == 2


def test_a_numbered_title_does_not_keep_a_copy_apart_that_says_the_same(desk):
    (first,) = desk.poll(1, entry("a", title="At least 12 rescued from ferry aground off Skerry Point", text=FERRY))
    text = f"Coast Wire. {FERRY}"
    (second,) = desk.poll(2, entry("b", title="At least 14 rescued from ferry aground off Skerry Point", text=text))
    assert second.article_uid == first.article_uid


def test_a_word_numbers_a_title_by_its_form():
    found = [word for word in words("Part IV of week 12: v2.1 of März, mixed I did") if numbers(word)]
    assert found == ["iv", "12", "v2", "1", "marz"]
