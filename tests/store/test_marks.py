"""Keys that columns and indexes can hold."""

from hypothesis import given
from hypothesis import strategies as st

from feeds.store.columns import LONGEST, article_mark, chunks, entry_mark, indexable, storable, text_mark, url_mark


@given(st.text(st.characters()))
def test_stored_text_has_nothing_that_a_database_refuses(text):
    stored = storable(text)
    assert "\0" not in stored
    stored.encode()
    assert storable(stored) == stored


@given(st.text(max_size=2000) | st.text(min_size=LONGEST, max_size=2000).map(lambda text: text * 3))
def test_an_indexed_key_is_short_and_cutting_twice_is_as_once(text):
    assert len(indexable(text)) <= LONGEST
    assert indexable(indexable(text)) == indexable(text)


def test_long_keys_with_the_same_beginning_stay_apart():
    assert indexable("a" * 5000 + "x") != indexable("a" * 5000 + "y")


def test_marks_of_different_things_differ():
    marks = {entry_mark(1, "x"), entry_mark(2, "x"), url_mark("x"), text_mark(1), article_mark("x")}
    assert len(marks) == 5
    assert all(-(2**63) <= mark < 2**63 for mark in marks)


def test_chunks_leave_nothing_out():
    assert [list(some) for some in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(chunks([])) == []
