"""Signatures taken apart: one, and the triples of many at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dedupe import signature
from tests.dedupe.conftest import BRIDGE, FERRY, WHEAT

WORDS = [f"w{number}" for number in range(400)]


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=100), max_size=4))
def test_the_triples_of_many_are_those_of_each(texts):
    made = [signature.make("Ferry aground", " ".join(text)) for text in texts]
    triples = signature.triples_of([(one, signature.header(one)) for one in made])
    for number, one in enumerate(made):
        sketch = signature.read(one)
        mine = triples.owners == number
        for part, in_body in ((sketch.head, False), (sketch.body, True)):
            here = mine & (triples.in_body == in_body)
            assert np.array_equal(triples.hashes[here], part)
            assert np.array_equal(triples.places[here], np.arange(len(part)))


def test_a_signature_that_is_cut_short_is_refused():
    made = [signature.make("Ferry aground", text) for text in (FERRY, BRIDGE, WHEAT)]
    headed = [(one, signature.header(one)) for one in made]
    headed[1] = made[1][:-8], headed[1][1]
    with pytest.raises(ValueError, match="cut short"):
        signature.triples_of(headed)
