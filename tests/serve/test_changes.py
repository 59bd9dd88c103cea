"""What an edit changed is told in words, briefly, and all of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feeds.serve.article_models import AROUND, MOST_RUNS, Run, changes

WORDS = st.lists(st.sampled_from("the tide came in and went out again".split()), max_size=60).map(" ".join)


def told(before: str, after: str) -> str:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]", "gap": "…"}
    return " ".join(marks[run.kind].format(run.words) for run in changes(before, after))


def test_a_correction_is_seen_at_a_glance():
    text = " ".join(f"w{number}" for number in range(40))
    assert told(text, text.replace("w20", "x")) == (
        "… w12 w13 w14 w15 w16 w17 w18 w19 [-w20-] [+x+] w21 w22 w23 w24 w25 w26 w27 w28 …"
    )
    assert told(text, text + " more") == "… w32 w33 w34 w35 w36 w37 w38 w39 [+more+]"
    assert told("a b", "a") == "a [-b-]"


def test_words_between_near_changes_stand_whole():
    text = " ".join(f"w{number}" for number in range(2 * AROUND + 2))
    assert "…" not in told(text, text.replace("w0 ", "x ").replace(f"w{2 * AROUND + 1}", "y"))


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
