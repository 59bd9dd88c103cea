"""The addresses by which an entry is known: its own, and that of its id."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from feeds.comparable import addresses_of, comparable_url


@pytest.mark.parametrize(
    ("comparable", "entry_id", "found"),
    [
        ("a.example/b", "https://www.a.example/b/", ("a.example/b",)),
        ("a.example/b", "http://a.example/b?utm_source=x", ("a.example/b",)),
        ("a.example/b", "https://a.example/?p=7", ("a.example/b", "a.example/?p=7")),
        (None, "https://a.example/b", ("a.example/b",)),
        ("a.example/b", "tag:a.example,2026:7", ("a.example/b",)),
        ("a.example/b", "http://", ("a.example/b",)),
        (None, None, ()),
    ],
)
def test_an_id_that_is_an_address_is_one_more_where_it_is_another(comparable, entry_id, found):
    assert addresses_of(comparable, entry_id) == found


@given(
    some.sampled_from(["https://", "http://www.", "https://m."]),
    some.text(alphabet="ab/-.", max_size=12),
    some.sampled_from(["", "?p=1", "?b=2&a=1", "#top"]),
)
def test_the_look_says_what_comparing_says(head, path, tail):
    address = f"{head}example.org/{path}{tail}"
    comparable = comparable_url(address)
    assert addresses_of(comparable, address) == (comparable,)
    assert addresses_of("other.example/x", address) == ("other.example/x", comparable)
