"""A text as numbered features: words, pairs of words, the letters within words, authors. Pure; needs numpy.

Features are numbered by hashing, so that there is no vocabulary to keep and training and asking see the same. Four
blocks, each of its own length: words say what a text is about, pairs what they mean together, letters bridge
inflection and compounds in every language with letters, and who writes mostly writes about the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import xxhash

from feeds.text import agencies, words

_AGENCIES = frozenset(name.replace(" ", ".") for name in agencies("m"))
"""Names as credits have them, folded, with dots for blanks."""

_BRACKETS = re.compile(r"\(([^()]{2,60})\)")
_OPENING = re.compile(
    r"(?:(?<=[.!?\n])|(?<=  )|^)\s*([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3}) ?(?:--?|–|—|:) ", re.MULTILINE
)
_BYLINE = re.compile(r"\b(?:By|BY|Copyright(?: \d{4})?|Source|©|\(c\)):? ?([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3})")
_CLOSING = re.compile(r"(?:--?|–|—) ?([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3})\s*$", re.MULTILINE)
_PLAIN = re.compile(r"\b(?:Reuters|REUTERS|AFP|UPI|Xinhua(?:net)?|Interfax|AFX|AP|DPA|ITAR-TASS)\b")
_STAFF = re.compile(r"^\s*by\s|\s(?:staff|editors?|newsroom|reporters?)\s*$", re.IGNORECASE)
_PARTS = re.compile(r"\s*[/,;|]\s*|\s+-\s+")


def without_leftovers(text: str) -> str:
    """*text* without the credits of agencies; a dateline keeps its place.

    >>> without_leftovers("Oil up. LONDON (Reuters) - Oil rose."), without_leftovers("AFP - Two ships met.")
    ('Oil up. LONDON   - Oil rose.', ' Two ships met.')
    >>> without_leftovers("It rained, a witness told Reuters (photos).")
    'It rained, a witness told   (photos).'
    """
    if "(" in text:
        text = _BRACKETS.sub(_without, text)
    text = _OPENING.sub(_without, text)
    text = _BYLINE.sub(_without, text)
    text = _CLOSING.sub(_without, text)
    return _PLAIN.sub(" ", text)


def is_agency(name: str) -> bool:
    """Whether *name* as a byline has it is an agency's, or its staff's, and no person's.

    >>> is_agency("Reuters Staff"), is_agency("By AP"), is_agency("Ann Reuter")
    (True, True, False)
    """
    return _credits(_STAFF.sub("", name))


def _without(match: re.Match[str]) -> str:
    parts = _PARTS.split(match[1].strip())
    return " " if all(_credits(part) for part in parts) else match[0]


def _credits(name: str) -> bool:
    return ".".join(name.strip(" .").lower().split()) in _AGENCIES


BITS = 22
WORDS, AUTHORS, PAIRS, LETTERS = range(4)
LENGTHS = (0.8, 0.7, 0.8, 1.0)
"""The blocks, and how much each counts: words with pairs somewhat more than letters."""
BLOCKS = len(LENGTHS)
MOST_WORDS = 600
MOST_LETTERS = 1800
"""How much of a text is looked at: what it is about stands in its beginning, and asking has a millisecond."""

_RUNS = (3, 4, 5)
_MOST_AUTHORS = 8
# Where the end of a title or a block was lost: "on ebayThe midfielder". Names such as PeopleSoft part alike everywhere.
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_SHIFT = np.uint64(64 - BITS)
_TURN = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(29)
_BLANK = np.uint64(32)

Numbers = npt.NDArray[np.int32]
Counts = npt.NDArray[np.float32]
_Hashes = npt.NDArray[np.uint64]


def learned_words(title: str, text: str) -> list[str]:
    """The words that are learned from: folded, without agencies' marks. A title that the text repeats counts once."""
    body = text if not title or text.startswith(title) else f"{title}\n{text}"
    return words(_JOINED.sub(" ", without_leftovers(body[: 12 * MOST_WORDS])))[:MOST_WORDS]


def learned_authors(names: Iterable[str]) -> list[str]:
    """Authors as they are learned from: folded, agencies and their staff left out."""
    folded = (" ".join(words(name)) for name in names if not is_agency(name))
    return [name for name in dict.fromkeys(folded) if name][:_MOST_AUTHORS]


def features(tokens: Sequence[str], authors: Sequence[str] = ()) -> tuple[Numbers, Counts]:
    """The numbers of a text's features, ascending, so block by block; and how much the count of each says."""
    single = _hashes(tokens)
    blocks = (single, _hashes(authors), _mixed(single[:-1] * _TURN + single[1:]), _of_letters(tokens))
    numbers = np.concatenate([(hashes >> _SHIFT) + np.uint64(block << BITS) for block, hashes in enumerate(blocks)])
    found, counts = np.unique(numbers.astype(np.int32), return_counts=True)
    return found, (1.0 + np.log(counts)).astype(np.float32)


def word_numbers(tokens: Sequence[str]) -> Numbers:
    """The feature number of each single word."""
    return (_hashes(tokens) >> _SHIFT).astype(np.int32)


def _of_letters(tokens: Sequence[str]) -> _Hashes:
    spelled = f" {' '.join(tokens)} "[:MOST_LETTERS]
    letters = np.frombuffer(spelled.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    blank = letters == _BLANK
    found = []
    run = letters
    for length in range(2, _RUNS[-1] + 1):
        if len(run) < 2:
            break
        run = run[:-1] * _TURN + letters[length - 1 :]
        if length >= _RUNS[0]:
            # Runs may begin or end at a word's edge, but not cross into another word.
            across = np.zeros(len(run), bool)
            for inner in range(1, length - 1):
                across |= blank[inner : inner + len(run)]
            found.append(_mixed(run[~across] + np.uint64(length)))
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _hashes(tokens: Sequence[str]) -> _Hashes:
    return np.fromiter(map(_hash, tokens), np.uint64, len(tokens))


@lru_cache(maxsize=200_000)
def _hash(word: str) -> int:
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


def _mixed(hashes: _Hashes) -> _Hashes:
    hashes = (hashes ^ (hashes >> _HALF)) * _MIX
    return hashes ^ (hashes >> np.uint64(32))
