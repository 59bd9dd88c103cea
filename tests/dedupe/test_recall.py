"""What a restart reads back in columns is what it would be, had every entry been taken in one after another."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import count
from uuid import UUID

import numpy as np
import pytest

from feeds.dedupe import Remembered, Stories, Window, near, recall, remember, signature, terms
from feeds.dedupe.arrays import uuid_bytes
from feeds.dedupe.compact import take_apart
from feeds.dedupe.grouping import Arriving
from feeds.dedupe.signature import Sketched, sketch_text
from feeds.dedupe.terms import Terms, pack, unpack
from tests.dedupe.conftest import NOW

VOCABULARY = [f"{head}{tail}{number}" for number in range(60) for head in ("ba", "ke", "to") for tail in ("rim", "sol")]


def made(entries, days, seed=7):
    """Entries of many stories over *days*, with copies, odd ids, empty and foreign signatures among them."""
    dice = random.Random(seed)
    texts = []
    for number in range(entries):
        if texts and dice.random() < 0.3:
            title, text = dice.choice(texts)
            text = f"{text} {dice.choice(VOCABULARY)}"
        else:
            title = " ".join(dice.choices(VOCABULARY, k=dice.randrange(9)))
            text = " ".join(dice.choices(VOCABULARY[: dice.choice((20, 200))], k=dice.choice((0, 5, 60, 300))))
        texts.append((title, text))
        sketched = sketch_text(title, text)
        kept = unpack(sketched.terms)
        size = min(len(kept), dice.choice((0, 3, terms.MOST_TERMS)))
        order = dice.sample(range(size), size) if dice.random() < 0.1 else range(size)  # 0.1.0 kept them unordered
        packed = pack(Terms(kept.hashes[:size][order], kept.strengths[:size][order])) if size else b""
        yield Remembered(
            article_uid=dice.choice(
                (UUID(int=number // 3).urn, UUID(int=7).urn, f"tag:a.example,2026:{number}", UUID(int=99).urn.upper())
            ),
            source_id=dice.choice((3, 5, 1 << 33)),
            signature=dice.choice((b"", b"\x09" * 40)) if dice.random() < 0.05 else sketched.signature + packed,
            first_seen=NOW + number * timedelta(days=days) / entries,
            published=dice.choice((None, NOW + timedelta(days=dice.uniform(-3, days)))),
            copy=dice.random() < 0.3,
            story_uid=dice.choice((None, *[UUID(int=900 + number % 40 + number // 100).urn] * 3)),
        )


def one_after_another(entries, window, stories):
    for entry in entries:
        window.begin()
        stories.begin()
        window.add(
            entry.article_uid, entry.signature, seen=entry.first_seen, source_id=entry.source_id, copy=entry.copy
        )
        _, packed = signature.split(entry.signature)
        if packed and entry.story_uid and not entry.copy:
            stories.forget(entry.first_seen)
            counted, times = unpack(packed), (entry.published or entry.first_seen, entry.first_seen)
            sizes = np.array([len(counted)])
            stories.join([entry.story_uid], [entry.article_uid], counted, sizes, [times], [entry.source_id])


def found(window, stories, entries):
    """What is found in them for the newest of *entries* and for new ones, and which stories these join."""
    now, drawn = entries[-1].first_seen, count()
    told = []
    for entry in [*entries[-100:], *made(50, 1, seed=8)]:
        sketched = Sketched(*signature.split(entry.signature))
        told.append(window.find(sketched.signature, now=now, source_id=4))
        arriving = Arriving(unpack(sketched.terms), language="en", written=now, source_id=4, uid=entry.article_uid)
        told.append(stories.place([arriving], now=now, uid=lambda: f"urn:x-new{next(drawn)}"))
    return told


@pytest.mark.parametrize("days", [0, 5, 40])
def test_reading_back_many_at_once_gives_what_one_after_another_gives(days, monkeypatch):
    monkeypatch.setattr(recall, "AT_ONCE", 300)
    entries = list(made(1000, days))
    slow, fast = (Window(), Stories()), (Window(), Stories())
    one_after_another(entries, *slow)
    assert remember(iter(entries), *fast) == len(entries)
    assert (len(fast[0]), len(fast[1])) == (len(slow[0]), len(slow[1])) and len(slow[1]) > 20
    findings = found(*slow, entries)
    assert found(*fast, entries) == findings
    assert sum(bool(each.copies) for each in findings[::2]) > 10 and any("more" in str(each) for each in findings[1::2])


def test_counts_are_halved_where_they_would_be_one_after_another(monkeypatch):
    monkeypatch.setattr(near, "HALVE_LOAD", 0.002)
    monkeypatch.setattr(terms, "HALVE_ARTICLES", 200)
    entries = list(made(600, 1))
    slow, fast = (Window(), Stories()), (Window(), Stories())
    one_after_another(entries, *slow)
    remember(entries, *fast)
    assert fast[1].counts.articles == slow[1].counts.articles < 200
    grams = signature.read(next(each.signature for each in entries[::-1] if len(each.signature) > 400)).body
    assert np.array_equal(fast[0].counts.weights(grams), slow[0].counts.weights(grams))
    assert found(*fast, entries) == found(*slow, entries)


def test_a_signature_cut_short_is_refused():
    whole = sketch_text("Ferry late", " ".join(VOCABULARY)).signature
    with pytest.raises(ValueError, match="before its triples"):
        take_apart([whole, whole[:-1]])


def test_ids_in_any_other_writing_are_told_apart():
    plain = "urn:uuid:00000000-0000-0000-0000-0000000000ff"
    written, odd = uuid_bytes([plain, plain.upper(), plain.replace("urn:uuid:", "urn:uuix:"), "ü" * 45, ""])
    assert odd == [1, 2, 3, 4] and written[0].tobytes() == UUID(plain).bytes


def test_a_snapshot_gives_back_what_was_taken_in_and_goes_on_alike():
    entries = list(made(900, 12))
    window, stories = Window(), Stories()
    remember(entries[:700], window, stories)
    again = recall.unpack(recall.pack(window, stories))
    assert found(window, stories, entries[:700]) == found(*again, entries[:700])
    for memory_of in ((window, stories), again):
        memory_of[1].forget(entries[-1].first_seen)
        remember(entries[700:], *memory_of)
    assert found(window, stories, entries) == found(*again, entries)


@pytest.mark.parametrize("halved", [False, True])
def test_a_batch_that_is_undone_leaves_every_byte_as_it_was(halved, monkeypatch):
    if halved:
        monkeypatch.setattr(near, "HALVE_LOAD", 0.002)
        monkeypatch.setattr(terms, "HALVE_ARTICLES", 200)
    texts = [(each.source_id, each.signature) for each in made(400, 1)]
    batches = [texts[at : at + 20] for at in range(0, len(texts), 20)]

    def run(times):
        window, stories, number = Window(), Stories(), 0
        for batch in batches:
            for again in range(times):
                number = number if not again else number - len(batch)
                window.begin()
                stories.begin()
                for source_id, whole in batch:
                    sketched, packed = signature.split(whole)
                    copies = window.find(sketched, now=NOW, source_id=source_id).copies
                    number += 1
                    uid = copies[0].uid if copies else UUID(int=number).urn
                    window.add(uid, sketched, seen=NOW, source_id=source_id, copy=bool(copies))
                    if packed and not copies:
                        drawn = count(1000 * number)
                        arriving = Arriving(unpack(packed), "en", NOW, source_id, uid)
                        stories.place([arriving], now=NOW, uid=lambda drawn=drawn: f"s{next(drawn)}")
                if again < times - 1:
                    window.undo()
                    stories.undo()
        return recall.pack(window, stories)

    assert run(3) == run(1)


@pytest.mark.parametrize("tree", [b"[]", b'["list"]', b'["list",1,2]', b'["list",["Window",{}],["os",{}]]', b"{"])
def test_what_is_no_snapshot_is_refused(tree):
    with pytest.raises(ValueError):
        recall.unpack({"tree": tree, "arrays": b""})


def test_a_snapshot_holds_plain_values_alone():
    window = Window()
    window.odd = len  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="can't be kept"):
        recall.pack(window, Stories())


def test_a_restart_reads_back_the_stories_that_batches_made():
    """Stories begun, joined, merged and split batch by batch are, to the byte, what the store's entries give back."""
    entries = [each for each in made(400, 3, seed=4) if signature.split(each.signature)[1]]
    live, numbers, stored, merges, moves = Stories(), iter(range(5000, 9999)), {}, 0, 0
    for at in range(0, len(entries), 20):
        batch, now = entries[at : at + 20], entries[at].first_seen
        live.forget(now)
        live.begin()
        arriving = [
            Arriving(unpack(signature.split(each.signature)[1]), "en", each.published or now, each.source_id, f"{n}")
            for n, each in enumerate(batch, at)
        ]
        placed = live.place(arriving, now=now, uid=lambda: UUID(int=next(numbers)).urn)
        for uid, story in placed.moved.items():
            stored[uid] = replace(stored[uid], story_uid=story)
        for uid, each in stored.items():
            stored[uid] = replace(each, story_uid=placed.merged.get(each.story_uid, each.story_uid))
        stored |= {
            one.uid: replace(each, article_uid=one.uid, story_uid=found.uid, first_seen=now, copy=False)
            for one, each, found in zip(arriving, batch, placed.joined, strict=True)
        }
        merges, moves = merges + len(placed.merged), moves + len(placed.moved)
    again = Stories()
    remember(stored.values(), Window(), again)
    assert merges and moves and len(again) == len(live)
    assert _told(again) == _told(live)
    assert np.array_equal(again.counts._cells, live.counts._cells)
    assert np.array_equal(again.habits._cells, live.habits._cells)


def _told(stories):
    return {
        uid: (story.articles, story.first, story.newest, [one[3:] for one in story.members])
        for uid, story in stories._stories.items()
    }
