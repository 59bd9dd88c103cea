"""The table of words that comes with the desk."""

from __future__ import annotations

import zipfile

import pytest

from feeds.text import fold
from feeds.wordlist import PLACE, frequencies


def languages() -> list[str]:
    with zipfile.ZipFile(PLACE) as tables:
        return tables.namelist()


@pytest.mark.parametrize("language", languages())
def test_each_table_has_folded_words_with_their_part_of_all_words(language: str) -> None:
    table = frequencies(language)
    assert len(table) > 5000
    assert all(1e-6 < part < 0.2 for part in table.values())
    assert 0.4 < sum(table.values()) < 1.2
    some = list(table)[::500]
    assert [fold(word) for word in some] == some


def test_common_words_are_common() -> None:
    english = frequencies("en")
    assert english["the"] > english["house"] > english["harbour"] > english.get("zeppelin", 0)
    assert frequencies("de")["strasse"] > 1e-5


@pytest.mark.parametrize("language", ["", "tlh", "../en", "EN"])
def test_a_language_without_a_table_has_no_words(language: str) -> None:
    assert frequencies(language) == {}
