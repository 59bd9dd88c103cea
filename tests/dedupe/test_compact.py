"""Signatures as the window keeps them: nothing that comparing asks for is lost, one by one and many at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dedupe import signature
from feeds.dedupe.compact import LOW_BITS, compact, compact_many, expand, glance, grams_of, take_apart
from tests.dedupe.conftest import BRIDGE, FERRY, WHEAT

WORDS = [f"w{number}" for number in range(400)]


def kept(made):
    return compact(made, signature.read(made))


@given(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=400))
def test_a_signature_comes_back_but_for_the_upper_bits_of_the_beginning(title, text):
    made = signature.make(title, " ".join(text))
    whole, back = signature.read(made), expand(kept(made))
    assert np.array_equal(back.body, whole.body) and np.array_equal(back.head, whole.head & LOW_BITS)
    for name in ("title_hash", "title_length", "word_count", "gram_count", "limit"):
        assert getattr(back, name) == getattr(whole, name)
    assert np.array_equal(back.title, whole.title) and np.array_equal(back.figures, whole.figures)


@pytest.mark.parametrize("size", [0, 1, 2, 30, 37, 38, 39, 66, 67, 300, 5000])
def test_many_at_once_are_kept_as_one_by_one(size):
    dice = np.random.default_rng(size)
    texts = [" ".join(dice.choice(WORDS, size)) for _ in range(5)]
    made = [signature.make(text[:40], text) for text in [*texts, "", BRIDGE, "Rain.", WHEAT]]
    found = take_apart([one + b"terms" for one in made])
    chosen = [0, 2, 3, *range(5, len(made))]
    assert compact_many(found, chosen) == [kept(made[at]) for at in chosen]
    assert compact_many(found, []) == []


def test_a_text_of_usual_length_takes_a_fifth_less():
    made = signature.make("Night ferry runs aground", f"{FERRY} {BRIDGE} {WHEAT}")
    assert len(kept(made)) < 0.83 * len(made)


def test_a_glance_gives_the_title_and_every_triple():
    texts = [("Ferry aground", FERRY), ("", ""), ("Wheat", WHEAT)]
    made = [signature.make(title, text) for title, text in texts]
    looks = [glance(kept(one)) for one in made]
    sketches = [signature.read(one) for one in made]
    assert [look.title_hash for look in looks] == [sketch.title_hash for sketch in sketches]
    every = np.concatenate([part for sketch in sketches for part in (sketch.head, sketch.body)])
    assert np.array_equal(grams_of(looks), every & LOW_BITS)
