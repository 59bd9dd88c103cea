"""Every document of the development data: entries or a clear ParseError, in parts as in the whole."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from bench import agree
from feeds.errors import ParseError
from feeds.parse import parse
from feeds.parsed import ParsedFeed
from tests.development import SHARED_DATA, feed_documents

pytestmark = pytest.mark.shared_data

URL = "http://feeds.example.org/a/index.xml"
LONGEST_S = 10


@contextmanager
def alarm(name: str) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError(f"{name} takes longer than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_every_document_is_read_whole_in_parts_and_again_or_refused_with_what_to_do() -> None:
    outcomes, read_again = Counter[str](), []
    for name, body in feed_documents():
        with alarm(name):
            try:
                feed = parse(body, url=URL)
            except ParseError as error:
                assert error.cause and error.remedy, name
                continue
            assert [entry.position for entry in feed.entries] == list(range(len(feed.entries))), name
            outcomes["read"] += 1
            hashes = tuple(dict.fromkeys(feed.item_hashes))
            for new in {0, len(hashes) // 2, len(hashes) - 1} if len(hashes) > 1 else ():
                outcomes[compared(name, body, feed, frozenset(hashes) - {hashes[new]})] += 1
            if name.startswith(("realworld", "miniflux", "fastfeedparser")) and not is_known(name, body, feed):
                read_again.append(name)
    assert outcomes["read"] > 2500
    assert outcomes["in parts"] > 200
    assert outcomes["whole"] <= 0.02 * (outcomes["whole"] + outcomes["in parts"])
    assert read_again == ["fastfeedparser/tests/integration/osm-pl.xml"]  # it breaks off in the middle of an item


def compared(name: str, body: bytes, whole: ParsedFeed, known: frozenset[int]) -> str:
    part = parse(body, url=URL, known_items=known)
    assert part.item_hashes == whole.item_hashes, name
    if not part.skipped:
        assert part.entries == whole.entries, name
        return "whole"
    expected = [entry for entry, one in zip(whole.entries, whole.item_hashes, strict=True) if one not in known]
    assert list(part.entries) == expected, name
    assert part.skipped == len(whole.entries) - len(expected), name
    assert replace(part, entries=(), skipped=0) == replace(whole, entries=()), name
    return "in parts"


def is_known(name: str, body: bytes, feed: ParsedFeed) -> bool:
    """Whether nothing is read again of a feed whose items are all known."""
    again = parse(body, url=URL, known_items=frozenset(feed.item_hashes))
    if feed.kind.startswith("json") or not feed.entries:
        return True
    if again.entries or again.head_parsed:
        return False
    assert (again.kind, again.skipped) == (feed.kind, len(feed.entries)), name
    return True


# Shares measured with `bench/agree.py`, each less one disagreement.
FLOORS = {
    ("gofeed_testdata.tar.gz", "entries"): 532 / 533,
    ("gofeed_testdata.tar.gz", "id"): 9 / 12,
    ("gofeed_testdata.tar.gz", "link"): 16 / 17,
    ("gofeed_testdata.tar.gz", "title"): 49 / 50,
    ("gofeed_testdata.tar.gz", "published"): 7 / 8,
    ("gofeed_testdata.tar.gz", "updated"): 5 / 6,
    ("fastfeedparser_integration.tar.gz", "entries"): 10 / 11,
    ("fastfeedparser_integration.tar.gz", "id"): 121 / 125,
    ("fastfeedparser_integration.tar.gz", "link"): 124 / 125,
    ("fastfeedparser_integration.tar.gz", "title"): 124 / 125,
    ("fastfeedparser_integration.tar.gz", "published"): 124 / 125,
    ("fastfeedparser_integration.tar.gz", "updated"): 57 / 58,
}


def test_ids_links_titles_and_dates_are_what_others_expect() -> None:
    for archive in agree.ARCHIVES:
        stated, agreed = Counter[str](), Counter[str]()
        for _, body, expected in agree.pairs(SHARED_DATA / "feeds" / archive):
            for field, _, _, same in agree.compare(body, expected):
                stated[field] += 1
                agreed[field] += same
        for field in agree.FIELDS:
            assert agreed[field] / stated[field] >= FLOORS[archive, field], (archive, field)
