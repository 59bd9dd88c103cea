"""What weighs how much, what stands under which day, that nothing stands twice; what an edit changed, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.configuration import Settings
from feeds.parsed import Image
from feeds.serve.addresses import Addresses
from feeds.serve.store_reader import MOST_OF_A_STORY, Desk, heaviest, weight
from feeds.serve.view_models import AROUND, MOST_RUNS, Day, Headline, Run, Showing, by_weight, changes, days, not_shown
from feeds.serve.wording import wording
from feeds.store.values import Outline, StorySize

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PICTURE = Image(url="https://example.org/1.jpg")


def line(title: str, hours_ago: float = 0, sources: int = 1, pictured: bool = False, **more: object) -> Headline:
    given: dict[str, object] = {
        "title": title, "href": f"/{title}", "page": f"/article/{title}", "teaser": "", "at": "", "when": NOON,
        "source": "", "language": None, "direction": "ltr", "copies": 0, "elsewhere": False,
        "published": NOON - timedelta(hours=hours_ago), "image": PICTURE if pictured else None,
        "size": StorySize(sources, sources, sources),
    }  # fmt: skip
    return Headline(**(given | more))  # type: ignore[arg-type]


def by_day(lines: list[Headline], zone: str = "UTC") -> list[Day]:
    desk = Desk(settings=Settings(timezone=zone))
    showing = Showing(desk=desk, addresses=Addresses.of("https://w.example", ()), words=wording("en"), now=NOON)
    return days(by_weight(lines), showing)


def titles(lines: Sequence[Headline]) -> str:
    return " ".join(one.title for one in lines)


@pytest.mark.parametrize(
    ("lines", "order"),
    [
        ([line("old", 3), line("new", 1)], "new old"),
        ([line("plain"), line("pictured", 1.9, pictured=True)], "pictured plain"),
        ([line("plain"), line("pictured", 2.1, pictured=True)], "plain pictured"),
        ([line("one"), line("two", 5.9, sources=2)], "two one"),
        ([line("one"), line("two", 6.1, sources=2)], "one two"),
        ([line("two", 0, sources=2), line("eight", 11, sources=8)], "eight two"),
        ([line("none", 1, sources=0), line("same", 1)], "none same"),  # equals keep their order
    ],
)
def test_sources_freshness_and_pictures_make_the_order(lines, order):
    assert titles(by_weight(lines)) == order


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 40), st.booleans()), min_size=2, max_size=2))
def test_more_sources_a_picture_or_a_later_hour_never_weigh_less(pair):
    (hours, sources, pictured), (fewer, _, _) = pair
    at = NOON - timedelta(hours=hours)
    assert weight(at, sources + fewer, pictured) >= weight(at, sources, pictured) >= weight(at, sources)
    assert weight(at + timedelta(hours=fewer), sources) >= weight(at, sources)


def test_a_story_is_one_line_whose_head_is_its_heaviest():
    found = by_weight([line("a", story="s"), line("b", 1, pictured=True, story="s"), line("c", 0.5)])
    assert titles(found) == "b c" and titles(list(found[0].others)) == "a"


def test_days_are_those_of_the_zone_the_newest_first_and_weight_orders_within_one():
    lines = [line("late", 11.5), line("big", 20, sources=4), line("today", 1), line("early", 3)]
    today, yesterday = by_day(lines)
    assert (today.stamp, yesterday.stamp) == ("2026-11-23", "2026-11-22")
    assert (titles(today.lines), titles(yesterday.lines)) == ("today early late", "big")
    assert [day.stamp for day in by_day([line("late", 11.5)], "America/New_York")] == ["2026-11-22"]


def test_what_a_page_has_already_is_passed_over_with_its_story_but_a_series_goes_on():
    shown: set[str] = set()
    assert titles(not_shown([line("a", story="s", others=(line("b"),), pictured=True), line("c")], shown, 1)) == "a"
    later = [line("a"), line("b"), line("d", story="s"), line("e", story="s", size=StorySize(2, 1)), line("c")]
    assert titles(not_shown(later, shown, 9)) == "e c"


def test_two_more_take_the_room_of_a_picture_that_is_not_there():
    plain = [line(str(number)) for number in range(9)]
    assert titles(not_shown(plain, set(), 3)) == "0 1 2 3 4"
    assert titles(not_shown([line("x", pictured=True), *plain], set(), 3)) == "x 0 1"


def test_a_front_page_is_chosen_from_stories_of_many_sources_before_what_is_merely_new():
    outlines = [Outline(uid=f"n{number}", story_uid="", published=NOON) for number in range(9)]
    outlines += [Outline(uid=f"s{number}", story_uid="s", published=NOON - timedelta(hours=7)) for number in range(6)]
    chosen = heaviest(outlines, {"s": StorySize(6, 5, 4)}, 5)
    assert chosen == ["s0", "s1", "s2", "n0", "n1"] and MOST_OF_A_STORY == 3
    assert heaviest(outlines, {"s": StorySize(6, 6, 1)}, 2) == ["n0", "n1"]


WORDS = st.lists(st.sampled_from("the tide came in and went out again".split()), max_size=60).map(" ".join)


def in_marks(before: str, after: str) -> str:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]", "gap": "…"}
    return " ".join(marks[run.kind].format(run.words) for run in changes(before, after))


def test_a_correction_is_seen_at_a_glance():
    text = " ".join(f"w{number}" for number in range(40))
    assert in_marks(text, text.replace("w20", "x")) == (
        "… w12 w13 w14 w15 w16 w17 w18 w19 [-w20-] [+x+] w21 w22 w23 w24 w25 w26 w27 w28 …"
    )
    assert in_marks(text, text + " more") == "… w32 w33 w34 w35 w36 w37 w38 w39 [+more+]"
    assert in_marks("a b", "a") == "a [-b-]"


def test_words_between_near_changes_stand_whole():
    text = " ".join(f"w{number}" for number in range(2 * AROUND + 2))
    assert "…" not in in_marks(text, text.replace("w0 ", "x ").replace(f"w{2 * AROUND + 1}", "y"))


def test_the_same_nothing_before_and_a_text_written_anew_tell_nothing():
    assert changes("a  b", "a b") == changes("", "a b") == ()
    assert changes("one " * 30, "two " * 30) == ()
    assert changes("One headline", "Another title") != ()  # of few words all may change


@given(WORDS, WORDS)
def test_every_word_that_came_or_went_is_told_in_its_order(before, after):
    runs = changes(before, after)
    if not runs or len(runs) == MOST_RUNS:
        return
    kept = " ".join(run.words for run in runs if run.kind in ("same", "new")).split()
    assert _in_order(kept, after.split())
    assert _in_order(" ".join(run.words for run in runs if run.kind in ("same", "gone")).split(), before.split())
    gone = sum(len(run.words.split()) for run in runs if run.kind == "gone")
    new = sum(len(run.words.split()) for run in runs if run.kind == "new")
    assert len(after.split()) - len(before.split()) == new - gone
    assert Run("gap") not in runs or len(kept) < len(after.split())


def _in_order(some: list[str], words: list[str]) -> bool:
    rest = iter(words)
    return all(word in rest for word in some)
