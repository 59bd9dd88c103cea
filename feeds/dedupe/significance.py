"""Whether an edit is worth telling: `updated` moves for news and stays for typing mistakes. Pure.

The rule: an edit is significant when a number in the title changed, when less than TITLE_KEPT of the title's words
stayed (a word counts as kept when it is spelt nearly the same), or when less than TEXT_KEPT of the text's word
triples did. RFC 4287 §4.2.15 leaves this to the publisher.
"""

from __future__ import annotations

from difflib import SequenceMatcher

from feeds.dedupe import signature
from feeds.model import Entry, Evidence, KnownEntry
from feeds.text import words

TITLE_KEPT = 0.75
TEXT_KEPT = 0.9
SPELT_ALIKE = 0.7


def judge_edit(entry: Entry, sketch: bytes, known: KnownEntry) -> tuple[bool, Evidence]:
    """Whether *entry* says something else than *known* did, and what shows it."""
    if _numbers(entry.title) != _numbers(known.title):
        return True, Evidence(kind="edit", detail="a number in the title")
    kept = title_kept(entry.title, known.title)
    if kept < TITLE_KEPT:
        return True, Evidence(kind="edit", detail="title", score=kept, threshold=TITLE_KEPT)
    if entry.text_hash == known.text_hash:
        return False, Evidence(kind="edit", detail="spelling or mark-up only", score=kept, threshold=TITLE_KEPT)
    part = signature.resemblance(sketch, known.signature)
    if part is None:  # one of the two has no text, or no sketch was kept
        return True, Evidence(kind="edit", detail="text")
    return part < TEXT_KEPT, Evidence(kind="edit", detail="text", score=part, threshold=TEXT_KEPT)


def title_kept(one: str, other: str) -> float:
    """The part of the longer title's words that stand in both, in order, nearly equal spelling included.

    >>> title_kept("Goverment wins vote", "Government wins vote")
    1.0
    """
    first, second = words(one), words(other)
    if not first and not second:
        return 1.0
    kept = 0
    for kind, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        if kind == "equal":
            kept += j - i
        elif kind == "replace":
            kept += sum(_spelt_alike(a, b) for a, b in zip(first[i:j], second[k:m], strict=False))
    return kept / max(len(first), len(second))


def _spelt_alike(one: str, other: str) -> bool:
    return len(one) > 3 and SequenceMatcher(None, one, other, autojunk=False).ratio() >= SPELT_ALIKE


def _numbers(title: str) -> list[str]:
    return sorted(word for word in words(title) if any(char.isdigit() for char in word))
