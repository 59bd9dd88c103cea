"""What a restart reads back is what the process before had; and what a batch is undone to is what was before it."""

import random
from datetime import timedelta
from itertools import count
from uuid import UUID

import numpy as np
import pytest

from feeds.dedupe import Stories, Window, postings, remember, signature, terms
from feeds.dedupe.grouping import Arriving
from feeds.dedupe.signature import sketch_text
from feeds.dedupe.terms import Terms, pack, unpack_several
from feeds.model import StoredSignature
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
        kept, _ = unpack_several([sketched.terms])
        size = min(len(kept), dice.choice((0, 3, terms.MOST_TERMS)))
        order = dice.sample(range(size), size) if dice.random() < 0.1 else range(size)  # 0.1.0 kept them unordered
        packed = pack(Terms(kept.hashes[:size][order], kept.strengths[:size][order])) if size else b""
        yield StoredSignature(
            id=number + 1,
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


def test_a_window_that_is_read_back_finds_what_it_did(monkeypatch):
    """What is added between lookups, and what in one go, with many merges of the index."""
    monkeypatch.setattr(postings, "FLUSH_POSTINGS", 512)
    entries = list(made(1000, 5))
    live, again = Window(), Window()
    findings = []
    for entry in entries:
        live.begin()
        live.find(signature.split(entry.signature)[0], now=entry.first_seen, source_id=4)
        live.add([entry])
    remember(entries, again, Stories())
    for window in (live, again):
        window.begin()
        findings.append(
            [
                window.find(signature.split(entry.signature)[0], now=entries[-1].first_seen, source_id=4)
                for entry in [*entries[-100:], *made(50, 1, seed=8)]
            ]
        )
    assert findings[0] == findings[1] and len(live) == len(again) > 500
    assert sum(bool(each.copies) for each in findings[0]) > 10


def test_counts_are_halved_as_they_fill(monkeypatch):
    monkeypatch.setattr(terms, "GRAM_LOAD", 0.002)
    monkeypatch.setattr(terms, "HALVE_ARTICLES", 100)
    entries = list(made(600, 1))
    window, stories = Window(), Stories()
    remember(entries, window, stories)
    joined = sum(not each.copy and each.story_uid is not None for each in entries)
    assert 50 <= stories.counts.articles <= 100 < joined
    assert window.counts._added <= 0.002 * terms.GRAM_CELLS


def test_a_signature_cut_short_is_refused():
    whole = sketch_text("Ferry late", " ".join(VOCABULARY)).signature
    with pytest.raises(ValueError):
        Window().add([StoredSignature(1, "urn:x", 1, whole[:-1], NOW)])


def plain(found, seen):
    """*found* as values that compare, whatever they are made of; *seen* are objects met before, by identity."""
    if isinstance(found, np.ndarray):
        return found.dtype, found.shape, found.tobytes()
    if isinstance(found, dict):
        return {plain(key, seen): plain(each, seen) for key, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(each, seen) for each in found]
    if type(found).__module__.startswith("feeds.") and id(found) not in seen:
        seen[id(found)] = len(seen)
        names = getattr(found, "__struct_fields__", None) or getattr(found, "__slots__", None) or vars(found)
        return type(found).__name__, {name: plain(getattr(found, name), seen) for name in names}
    return seen.get(id(found), found)


@pytest.mark.parametrize("halved", [False, True])
def test_a_batch_that_is_undone_leaves_every_byte_as_it_was(halved, monkeypatch):
    if halved:
        monkeypatch.setattr(terms, "GRAM_LOAD", 0.002)
        monkeypatch.setattr(terms, "HALVE_ARTICLES", 100)
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
                    window.add([StoredSignature(number, uid, source_id, sketched, NOW, copy=bool(copies))])
                    if packed and not copies:
                        drawn = count(1000 * number)
                        arriving = Arriving(unpack_several([packed])[0], "en", NOW, source_id, uid)
                        stories.place([arriving], now=NOW, uid=lambda drawn=drawn: f"s{next(drawn)}")
                if again < times - 1:
                    window.undo()
                    stories.undo()
        window.begin()
        stories.begin()
        for each in (window, stories):
            each._postings.undo(1 << 30)  # takes back nothing, and forgets what was looked up
        return plain([window, stories], {})

    assert run(3) == run(1)


def terms_of(stored):
    return unpack_several([signature.split(stored.signature)[1]])[0]


def test_a_restart_reads_back_the_stories_that_batches_made():
    """Stories begun, joined, merged and split batch by batch are, to the byte, what the store's entries give back."""
    entries = [each for each in made(400, 3, seed=4) if signature.split(each.signature)[1]]
    live, numbers, stored, merges, moves = Stories(), iter(range(5000, 9999)), {}, 0, 0
    for at in range(0, len(entries), 20):
        batch, now = entries[at : at + 20], entries[at].first_seen
        live.forget(now)
        live.begin()
        arriving = [
            Arriving(terms_of(each), "en", each.published or now, each.source_id, f"{n}")
            for n, each in enumerate(batch, at)
        ]
        placed = live.place(arriving, now=now, uid=lambda: UUID(int=next(numbers)).urn)
        for uid, story in placed.moved.items():
            stored[uid] = stored[uid]._replace(story_uid=story)
        for uid, each in stored.items():
            stored[uid] = each._replace(story_uid=placed.merged.get(each.story_uid, each.story_uid))
        stored |= {
            one.uid: each._replace(article_uid=one.uid, story_uid=found.uid, first_seen=now, copy=False)
            for one, each, found in zip(arriving, batch, placed.joined, strict=True)
        }
        merges, moves = merges + len(placed.merged), moves + len(placed.moved)
    again = Stories()
    remember(list(stored.values()), Window(), again)
    assert merges and moves and len(again) == len(live)
    assert _told(again) == _told(live)
    assert np.array_equal(again.counts._cells, live.counts._cells)
    assert np.array_equal(again.habits._cells, live.habits._cells)


def _told(stories):
    return {
        uid: (story.articles, story.first, story.newest, [one[3:] for one in story.members])
        for uid, story in stories._stories.items()
    }
