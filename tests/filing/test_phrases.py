"""Words and phrases found at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from feeds.filing.rules import Phrases

PIECES = some.lists(
    some.sampled_from(["tide", "Äpfel", "d'été", "東京", "storm", "7", "Łódź", "of"]), min_size=1, max_size=3
)


@given(some.lists(PIECES, min_size=1, max_size=6), PIECES, PIECES)
def test_a_phrase_that_stands_between_others_is_found(
    phrases: list[list[str]], before: list[str], after: list[str]
) -> None:
    index = Phrases((" ".join(phrase), number) for number, phrase in enumerate(phrases))
    for number, phrase in enumerate(phrases):
        assert number in index.found("", " ".join([*before, *phrase, *after]))
        assert number in index.found(" - ".join(phrase).upper(), " ".join(after))


def test_nothing_to_find_finds_nothing() -> None:
    assert not Phrases([])
    assert Phrases([]).found("anything") == set()
    assert Phrases([("...", 1)]).found("...") == set()


def test_one_pass_finds_each_of_very_many() -> None:
    index = Phrases((f"word{number} of{number % 7}", number) for number in range(5000))
    assert index.found("a word17 of3", "word18 of3, word4999 of1") == {17, 4999}
