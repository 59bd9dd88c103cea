"""Signatures as the window keeps them: nothing that comparing asks for is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from feeds.dedupe import signature
from feeds.dedupe.signature import LOW_BITS, compact, expand, glance, grams_of
from tests.dedupe.conftest import BRIDGE, FERRY, WHEAT

WORDS = [f"w{number}" for number in range(400)]


def kept(made):
    header = signature.header(made)
    assert header is not None
    return compact(made, header)


@given(st.text(max_size=60), st.lists(st.sampled_from(WORDS), max_size=400))
def test_a_signature_comes_back_but_for_the_upper_bits_of_the_beginning(title, text):
    made = signature.make(title, " ".join(text))
    whole, back = signature.read(made), expand(kept(made))
    assert np.array_equal(back.body, whole.body) and np.array_equal(back.head, whole.head & LOW_BITS)
    for name in ("title_hash", "title_length", "word_count", "gram_count", "limit"):
        assert getattr(back, name) == getattr(whole, name)
    assert np.array_equal(back.title, whole.title) and np.array_equal(back.figures, whole.figures)


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
