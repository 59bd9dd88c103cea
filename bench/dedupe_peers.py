"""The rules by which other software takes two articles for one, retold; they stand beside ours in the bench. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from feeds.text import plain, words

Row = dict[str, Any]
Labels = list[str]


def same_title(rows: Sequence[Row]) -> Labels:
    """Exact title: tt-rss and FreshRSS."""
    return [" ".join(words(str(row.get("title") or ""))) or str(number) for number, row in enumerate(rows)]


def by_titles(
    rows: Sequence[Row], alike: Callable[[set[str], set[str]], bool], parts: Callable[[str], set[str]]
) -> Labels:
    """Single pass: a row joins the newest earlier one with a like title."""
    held: list[set[str]] = []
    holders: defaultdict[str, list[int]] = defaultdict(list)
    labels: Labels = []
    for number, row in enumerate(rows):
        mine = parts(str(row.get("title") or ""))
        candidates = Counter(other for part in mine for other in holders[part][-400:])
        found = next((other for other, _ in candidates.most_common(20) if alike(mine, held[other])), None)
        labels.append(labels[found] if found is not None else str(number))
        held.append(mine)
        for part in mine:
            holders[part].append(number)
    return labels


def title_trigrams(rows: Sequence[Row]) -> Labels:
    """Three in four character triples shared: the tt-rss plugin."""

    def triples(title: str) -> set[str]:
        text = f"  {' '.join(words(title))} "
        return {text[at : at + 3] for at in range(len(text) - 2)}

    return by_titles(rows, lambda one, other: len(one & other) >= 0.75 * len(one | other), triples)


def title_overlap(rows: Sequence[Row]) -> Labels:
    """Six in ten words of titles with five words and more: NewsBlur."""

    def alike(one: set[str], other: set[str]) -> bool:
        return min(len(one), len(other)) >= 5 and len(one & other) >= 0.6 * min(len(one), len(other))

    return by_titles(rows, alike, lambda title: set(words(title)))


def minhash_alone(rows: Sequence[Row]) -> Labels:
    """MinHash of word triples at an estimated Jaccard of one half, by rensa."""
    from rensa import RMinHash

    bands, width = 32, 4
    holders: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    digests: list[list[int]] = []
    labels: Labels = []
    for number, row in enumerate(rows):
        found = words(plain(str(row.get("text") or "")))
        sketch = RMinHash(num_perm=bands * width, seed=7)
        sketch.update([" ".join(found[at : at + 3]) for at in range(max(1, len(found) - 2))])
        digest = list(sketch.digest())
        keys = [(band, *digest[band * width : (band + 1) * width]) for band in range(bands)]
        near = {other for key in keys for other in holders[key][-20:]}
        best = max(near, key=lambda other: sum(map(int.__eq__, digest, digests[other])), default=None)
        equal = sum(map(int.__eq__, digest, digests[best])) if best is not None else 0
        labels.append(labels[best] if best is not None and equal >= bands * width / 2 else str(number))
        digests.append(digest)
        for key in keys:
            holders[key].append(number)
    return labels


RULES: dict[str, Callable[[Sequence[Row]], Labels]] = {
    "exact title": same_title,
    "title trigrams": title_trigrams,
    "title overlap": title_overlap,
    "MinHash alone": minhash_alone,
}
