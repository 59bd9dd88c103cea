"""Time an article and memory of dedupe as its window fills, for `bench/dedupe.py scale`."""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np

from feeds.dedupe import Deduper, Sketched, Stories, Window, remember, signature, sketch
from feeds.dedupe.terms import MOST_TERMS, TermCounts, Terms, pack, unpack_several
from feeds.model import Entry, Known, StoredSignature
from feeds.text import text_hash

PROBED = 1_000


def flood(text: list[str], now: datetime, count: int = 10_000) -> None:
    """The same article again and again, each time with one word of its own, from as many sources."""
    start_kb, start = _resident_kb(), time.process_time()
    window, stories = Window(), Stories()
    for number in range(count):
        deduper = Deduper(Known(), now=now, window=window, stories=stories)
        body = f"{' '.join(text)} number {number}"
        deduper.decide_all(
            [(number, [Entry(key=f"{number}", title=f"Note {number}", text=body, text_hash=text_hash(body))])]
        )
    print(
        f"  a flood of {count:,} near-identical texts: {1000 * (time.process_time() - start) / count:.3f} ms a text,"
        f" {(_resident_kb() - start_kb) / 1024:.0f} MiB more, {len(window)} kept to compare"
    )


def scale(sizes: Sequence[int]) -> None:
    """A window and stories read back from the store as a restart does, then PROBED articles decided on top of them.

    Texts have 300 words of a vocabulary with a long tail; one in ten of those decided is an edited copy of a recent
    one. What is read back is made from a few hundred real signatures: half of the hashes of each are moved, so that
    four articles each tell of one event, and all share what is common.
    """
    dice = random.Random(5)
    vocabulary = [f"{dice.choice('bcdfgklmnprstvz')}{'aeiou'[n % 5]}{_in_letters(n)}" for n in range(60_000)]
    weights = [1 / (rank + 10) for rank in range(len(vocabulary))]
    pool = dice.choices(vocabulary, weights, k=400_000)  # drawing words anew would cost more than the test
    patterns = [_made(dice, pool, vocabulary) for _ in range(300)]
    signatures = [sketch(entry) for entry, _ in patterns]
    start = time.process_time()
    TermCounts().words_tell([b"tide"], "en")
    print(f"  word frequencies of a language, read once: {1000 * (time.process_time() - start):.0f} ms")
    start_kb = _resident_kb()
    for size in sizes:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        step = timedelta(days=13) / size
        window, stories = Window(), Stories()
        start = time.process_time()
        count = size - PROBED
        remember(list(_stored(signatures, count, now, step)), window, stories)
        # The first article pays for what reading back has put off.
        first, _ = _made(dice, pool, vocabulary)
        Deduper(Known(), now=now + step * count, window=window, stories=stories).decide_all([(0, [first])])
        read_back = 1e6 * (time.process_time() - start) / max(1, count)
        now += step * count
        recent: list[list[str]] = []
        spent = right = copies = 0.0
        for number in range(min(size, PROBED)):
            now += step
            copy = number > 50 and dice.random() < 0.1
            entry, text = _made(dice, pool, vocabulary, dice.choice(recent) if copy else None)
            recent = [*recent[-500:], text]
            start = time.process_time()
            (decision,) = Deduper(Known(), now=now, window=window, stories=stories).decide_all([(number, [entry])])[0]
            spent += time.process_time() - start
            copies += copy
            right += copy and decision.kind == "copy"
        now_kb = _resident_kb()
        print(
            f"  {size:>9,} articles, {len(stories):>6,} stories: {1000 * spent / min(size, PROBED):.3f} ms an article,"
            f" {right / max(1, copies):.4f} of copies found; {(now_kb - start_kb) / 1024:.0f} MiB more,"
            f" {now_kb / 1024:.0f} MiB in all (at most {_peak_kb() / 1024:.0f})"
            + (f"; restart {read_back:.0f} µs a stored entry (with making it up)" if count else ""),
            flush=True,
        )
    flood(recent[-1], now)


def _in_letters(number: int) -> str:
    """*number* without a digit: words with one tell instalments apart."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in f"{number:x}")


def _made(
    dice: random.Random, pool: list[str], vocabulary: list[str], of: list[str] | None = None
) -> tuple[Entry, list[str]]:
    if of is not None:
        text = [word if dice.random() > 0.025 else dice.choice(vocabulary) for word in of]
    else:
        at = dice.randrange(len(pool) - 300)
        text = [*pool[at : at + 150], *dice.choices(vocabulary, k=150)]
    body = " ".join(text)
    return Entry(key=body[:80], title=" ".join(text[5:13]), text=body, text_hash=text_hash(body)), text


def _stored(patterns: Sequence[Sketched], count: int, now: datetime, step: timedelta) -> Iterator[StoredSignature]:
    """Entries as the store gives them back, each unlike the others but for what is common."""
    dice = np.random.default_rng(11)
    for number in range(count):
        pattern = patterns[number % len(patterns)]
        read = signature.read(pattern.signature)
        assert read is not None
        move = dice.integers(0, 1 << 26, dtype=np.uint32)
        kept = pattern.signature[: -4 * (len(read.body) + len(read.head))]
        moved = kept + np.sort(read.head ^ move).tobytes() + np.sort(read.body ^ move).tobytes()
        event = number // 400 * 100 + number % 100  # the same event every hundred articles, four times
        terms, _ = unpack_several([pattern.terms])
        hashes = terms.hashes[:MOST_TERMS].copy()
        hashes[::2] ^= np.uint32((event * 2654435761) & 0x3FFFFFFF)
        yield StoredSignature(
            id=number + 1,
            article_uid=UUID(int=number + 1).urn,
            source_id=number % 5000,
            signature=moved + pack(Terms(np.sort(hashes), terms.strengths[:MOST_TERMS])),
            first_seen=now + step * number,
            published=now + step * number,
            story_uid=UUID(int=(1 << 64) + event).urn,
        )


def _resident_kb() -> int:
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def _peak_kb() -> int:
    """The most memory that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
