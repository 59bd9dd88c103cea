"""What a parse worker says crosses its pipe as it was, and nothing else that comes through the pipe can run."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from feeds.errors import DeskError, ParseError, ParseUnfinished
from feeds.ingest.reading import Reading, reading_from_bytes, reading_to_bytes
from feeds.model import Beside, Entry
from feeds.parsed import Enclosure, Hints, Place
from feeds.text import Shown

WHEN = datetime(2026, 11, 23, 12, 0, 59, 999_999, tzinfo=UTC)
ENTRY = Entry(
    key="id:1",
    title="Tide 🌊",
    published=WHEN,
    updated=WHEN + timedelta(microseconds=1),
    text_hash=2**64 - 1,
    enclosures=(Enclosure(url="https://a.example/1.mp3", length_bytes=2**62 - 1, duration_s=60.0),),
    place=Place(shape="box", points=((-1.5, 2.0), (3.0, 4.25))),
)
READING = Reading(
    entries=(ENTRY,),
    beside=Beside(window=9, addresses=frozenset({"a.example/1"}), left_out=frozenset({(1, 2**32 - 1)})),
    hints=Hints(ttl_s=60.0, skip_hours=(1, 2)),
    embargo=WHEN,
    item_hashes=(0, 2**64 - 1),
    item_marks=b"\x00\xff{",
    shown=(Shown(1, (2**64 - 1,)),),
)


@pytest.mark.parametrize("title", ["Harbour", "Harbour \ud800 \udcff"])
def test_a_reading_comes_back_as_it_was_with_half_surrogate_pairs_too(title: str) -> None:
    reading = Reading(entries=READING.entries, embargo=WHEN, title=title, item_marks=READING.item_marks)
    assert repr(reading_from_bytes(reading_to_bytes(reading))) == repr(reading)


def test_sets_and_large_numbers_come_back_too() -> None:
    assert reading_from_bytes(reading_to_bytes(READING)) == READING


@pytest.mark.parametrize("kind", [DeskError, ParseError, ParseUnfinished])
@pytest.mark.parametrize("cause", ["no feed", "no feed: \udcff"])
def test_an_error_comes_back_with_its_kind_cause_and_remedy(kind: type[DeskError], cause: str) -> None:
    error = reading_from_bytes(reading_to_bytes(Reading(error=kind(cause, remedy="mend it")))).error
    assert error is not None
    assert (type(error), error.cause, error.remedy) == (kind, cause, "mend it")


class Trap:
    """What a worker would send that its parser has been made to obey."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


def test_what_is_no_reading_is_refused_and_not_run(tmp_path: Path) -> None:
    trap = pickle.dumps(Trap(tmp_path / "run"))
    for blob in (trap, b"{" + trap, b"", b"{}{", reading_to_bytes(READING)[:-1], b"\x81\xa5title\x01"):
        with pytest.raises(ValueError):
            reading_from_bytes(blob)
    assert not (tmp_path / "run").exists()
