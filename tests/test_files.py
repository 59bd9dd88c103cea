"""Tables that are kept between starts: made once, made anew when what they are made of changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from feeds import files
from feeds.dedupe.terms import TermCounts, count_terms
from feeds.normalise import languages

PARTS = {"first": b"abc", "second": bytes(range(200)), "none": b""}


class Maker:
    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> dict[str, bytes]:
        self.made += 1
        return PARTS


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    files.use_cache(tmp_path / "cache")
    yield tmp_path / "cache"
    files.use_cache(None)


def plain(parts: files.Parts) -> dict[str, bytes]:
    return {name: bytes(part) for name, part in parts.items()}


def test_a_table_is_made_once_and_then_read(folder: Path) -> None:
    make = Maker()
    found = [plain(files.cached("words", [__file__], make)) for _ in range(3)]
    assert found == [PARTS] * 3 and make.made == 1
    assert [path.name.partition(".")[0] for path in folder.iterdir()] == ["words"]


def test_it_is_made_anew_when_what_it_is_made_of_changed_and_the_old_one_goes(folder: Path, tmp_path: Path) -> None:
    source, make = tmp_path / "list", Maker()
    source.write_text("a b c")
    files.cached("words", [str(source)], make)
    source.write_text("a b c d")
    files.cached("words", [str(source)], make)
    assert make.made == 2 and len(list(folder.iterdir())) == 1


def test_what_a_killed_process_left_is_taken_away_and_what_is_being_written_is_not(folder: Path) -> None:
    folder.mkdir()
    left, written = folder / "words.0.new-7", folder / "words.0.new-8"
    for path in (left, written):
        path.write_bytes(b"x")
    os.utime(left, (0, 0))
    files.cached("words", [__file__], Maker())
    assert not left.exists() and written.exists()


@pytest.mark.parametrize("size", [0, 10, 4096, 4200])
def test_a_file_cut_short_is_made_anew(folder: Path, size: int) -> None:
    make = Maker()
    files.cached("words", [__file__], make)
    (path,) = folder.iterdir()
    os.truncate(path, size)
    assert plain(files.cached("words", [__file__], make)) == PARTS and make.made == 2
    assert plain(files.cached("words", [__file__], make)) == PARTS and make.made == 2


def test_without_a_folder_or_the_right_to_write_there_it_is_made_each_time(folder: Path, tmp_path: Path) -> None:
    make = Maker()
    files.use_cache(None)
    assert plain(files.cached("words", [__file__], make)) == PARTS
    (tmp_path / "file").write_text("no folder")
    files.use_cache(tmp_path / "file" / "cache")
    assert plain(files.cached("words", [__file__], make)) == PARTS
    assert plain(files.cached("words", [str(tmp_path / "missing")], make)) == PARTS
    assert make.made == 3 and not folder.exists()


def test_languages_and_common_words_are_the_same_from_kept_tables(folder: Path) -> None:
    texts = [
        "Reaktor Kraftwerk Abschaltung Stromnetz Betreiber Leistung Megawatt Netzagentur Prüfung",
        "Xhoxha merr pjesë në takimin e ministrave të jashtëm, thuhet në njoftimin e zyrës së shtypit",
    ]
    words = b"the council said on tuesday that the footbridge is to be replaced".split()
    terms = count_terms(words[:3], words)
    found = []
    for at in (None, folder, folder):
        files.use_cache(at)
        languages._model.cache_clear()
        told = [languages._model().classify(text) for text in texts]
        found.append((told, TermCounts().telling(terms.hashes, "en").tolist()))
    languages._model.cache_clear()
    assert found[0] == found[1] == found[2]
    assert {path.name.partition(".")[0] for path in folder.iterdir()} == {"languages", "words-en"}
    assert np.ptp(found[0][1]) > 0
