"""The window and its index: what is found, what is forgotten, what a signature holds."""

from collections import defaultdict
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dedupe import Window, signature
from feeds.dedupe.postings import FLUSH_POSTINGS, Postings
from feeds.dedupe.terms import GRAM_CELLS, GramCounts, rows_of
from feeds.dedupe.window import NOTHING
from feeds.model import StoredSignature
from tests.dedupe.conftest import BRIDGE, FERRY, NOW, WHEAT


def test_postings_give_each_document_of_a_hash_through_all_merges():
    postings, held = Postings(), {}
    dice = np.random.default_rng(1)
    for document in range(3 * FLUSH_POSTINGS // 20):
        hashes = dice.integers(0, 1 << 32, 30, dtype=np.uint64).astype(np.uint32)
        postings.add(np.full(len(np.unique(hashes)), document), np.unique(hashes))
        postings.begin()
        held[document] = np.unique(hashes)
    for document in (0, 1, 500, max(held)):
        at, found = postings.lookup(held[document])
        positions = {int(position) for position, one in zip(at, found, strict=True) if one == document}
        assert positions == set(range(len(held[document])))
    at, found = postings.lookup(np.array([0, 0xFFFFFFFF], np.uint32))
    assert at.size == found.size


def test_of_a_hash_that_all_documents_share_only_the_newest_are_given():
    postings = Postings()
    for document in range(3 * FLUSH_POSTINGS):
        postings.add(np.array([document]), np.array([7], np.uint32))
        postings.begin()
    _, found = postings.lookup(np.array([7], np.uint32))
    assert 0 < found.size < 100
    assert found.max() == 3 * FLUSH_POSTINGS - 1


@pytest.mark.parametrize("at_once", [7, 400, 3_000])
def test_what_postings_give_does_not_depend_on_how_many_documents_came_at_once(at_once):
    dice = np.random.default_rng(3)
    hashes = [np.unique(dice.zipf(1.3, 30)).astype(np.uint32) for _ in range(3_000)]
    wanted, found = np.arange(1, 300, dtype=np.uint32), []
    for step in (1, at_once):
        postings = Postings()
        for start in range(0, len(hashes), step):
            some = hashes[start : start + step]
            documents = np.arange(start, start + len(some)).repeat([len(each) for each in some])
            postings.add(documents, np.concatenate(some))
            postings.begin()
        found.append(set(zip(*(each.tolist() for each in postings.lookup(wanted)), strict=True)))
    assert found[0] == found[1]


@pytest.mark.parametrize("different", [200, 3_000, 1 << 32])
def test_postings_are_those_of_a_plain_index_through_merges_and_forgetting(different):
    postings, held = Postings(per_hash=5, largest=60_000), defaultdict(list)
    dice = np.random.default_rng(2)
    for document in range(7_000, 15_000):
        drawn = dice.integers(0, different, dice.integers(0, 30), dtype=np.uint64).astype(np.uint32)
        hashes = np.unique(drawn * np.uint32(0x9E3779B1))
        postings.add(np.full(len(hashes), document), hashes)
        postings.begin()
        for one in hashes.tolist():
            held[one].append(document)
    wanted = np.array([*list(held)[:300], *list(held)[-300:], 0, 0xFFFFFFFF], np.uint32)
    for before in (0, 9_000, 14_000, 15_000):
        postings.forget(before)
        at, found = postings.lookup(wanted)
        given = defaultdict(set)
        for position, document in zip(at.tolist(), found.tolist(), strict=True):
            given[int(wanted[position])].add(document)
        for one, documents in given.items():
            assert documents <= set(held[one])
        for one in wanted.tolist():
            assert given[one] >= {document for document in held[one][-5:] if document >= before}


def test_the_window_lets_go_what_is_old_and_what_is_too_much():
    window = Window(days=1, most=2_000)
    for number in range(6_000):
        sketch = signature.make(
            f"Title number {number} of many", f"{number} " * 3 + FERRY.replace("ferry", f"f{number}")
        )
        window.add([StoredSignature(0, f"uid-{number}", number, sketch, NOW + timedelta(seconds=number))])
        if number % 500 == 0:
            window.forget(NOW + timedelta(seconds=number))
    assert len(window) < 3_000
    newest = window.find(sketch, now=NOW + timedelta(hours=2), source_id=0)
    assert newest.copies[0].uid == "uid-5999"
    window.forget(NOW + timedelta(days=3))
    assert len(window) == 0
    window.add([StoredSignature(0, "uid-again", 1, sketch, NOW + timedelta(days=3))])
    assert window.find(sketch, now=NOW + timedelta(days=3), source_id=2).copies[0].uid == "uid-again"


@pytest.mark.parametrize(
    "uid",
    [
        "urn:uuid:6d2d2b9a-3f0d-4b57-8d55-0a9b0c6e5f11",
        "URN:UUID:6d2d2b9a3f0d4b578d550a9b0c6e5f12",
        "tag:x,2026:1",
        "urn:uuid:----",
    ],
)
def test_ids_come_back_as_they_were_given(uid):
    window = Window()
    window.add([StoredSignature(0, uid, 1, signature.make("t", WHEAT), NOW)])
    assert window.find(signature.make("t", WHEAT), now=NOW, source_id=2).copies[0].uid == uid


def test_signatures_of_another_version_or_none_are_passed_over():
    window = Window()
    window.add([StoredSignature(0, "a", 1, b"", NOW)])
    window.add([StoredSignature(0, "b", 1, b"\xff" + signature.make("t", BRIDGE)[1:], NOW)])
    assert len(window) == 0
    assert window.find(b"", now=NOW, source_id=2) == NOTHING
    assert signature.containment(b"", signature.make("t", BRIDGE)) is None


@given(st.text(max_size=300), st.text(max_size=2000), st.binary(max_size=40))
def test_a_signature_of_any_text_is_read_back_and_split_from_what_follows(title, text, tail):
    made = signature.make(title, text)
    assert len(made) < 700
    assert signature.split(made + tail) == (made, tail)
    read = signature.read(made)
    assert read is not None and len(read.head) <= signature.HEAD_GRAMS and len(read.body) <= signature.BODY_GRAMS
    assert signature.containment(made, made) in (None, 1.0)


def test_a_cut_text_is_contained_in_the_whole():
    whole, part = signature.make("", f"{BRIDGE} {FERRY} {WHEAT}"), signature.make("", BRIDGE)
    assert signature.containment(whole, part) > 0.9
    assert signature.resemblance(whole, part) < 0.6
    assert signature.containment(signature.make("", WHEAT), part) < 0.1


def test_triples_that_many_articles_hold_lose_their_weight():
    counts = GramCounts()
    common, rare = np.array([11], np.uint32), np.array([12], np.uint32)
    for _ in range(20):
        counts.add(*rows_of(common, [1]))
    counts.add(*rows_of(rare, [1]))
    assert counts.weights(rare)[0] == 1.0
    assert counts.weights(common)[0] < 0.1


def test_many_articles_are_counted_as_one_after_the_other():
    flood, once = np.array([11, 12, 12 + GRAM_CELLS], np.uint32), np.array([13], np.uint32)
    together, apart = GramCounts(), GramCounts()
    together.begin()
    together.add(*rows_of(np.concatenate([*[flood] * 600, once]), [3] * 600 + [1]))
    for one in (*[flood] * 600, once):
        apart.add(*rows_of(one, [len(one)]))
    every = np.arange(20, dtype=np.uint32)
    assert together.weights(every).tolist() == apart.weights(every).tolist()
    assert together.weights(flood).tolist() == [together.weights(flood)[0]] * 3 and together.weights(flood)[0] < 0.01
    together.undo()
    assert together.weights(every).tolist() == [1.0] * 20


def test_a_signature_of_the_first_release_tells_of_its_title_too():
    made = bytearray(signature.make("Iron footbridge over the harbour goes", BRIDGE))
    assert signature.read(bytes(made)).title_length == 6
    made[5] = 0  # where the first release wrote nothing
    assert signature.read(bytes(made)).title_length == 6
