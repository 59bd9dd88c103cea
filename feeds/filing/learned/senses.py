"""What words mean at large: vectors in which words of one field lie near each other. I/O: reads a library's files.

A few hundred texts show few of the words that news is written in; with these, what is learned of *goalkeeper* holds
for *striker*. The vectors are those of the library WordLlama, which carries them in its package (32,000 pieces of
words, 256 numbers each). They are asked for while learning alone: a model keeps what came of them as weights of words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from feeds.text import fold

Vectors = npt.NDArray[np.float32]
Written = dict[str, Counter[str]]

COMMON_WORDS = 50_000
"""So many words of each language are known without a text that holds them."""

_PIECES = Path("tokenizers", "l2_supercat_tokenizer_config.json")
_VECTORS = Path("weights", "l2_supercat_256.safetensors")
_SHORT = 5
"""Words with fewer letters are often written in capitals."""
_LEAST_LETTERS = 3
_WAYS = 3
_GUESS = 0.5
"""How many times the ways that were not seen count as seen."""
_WORD = re.compile(r"\w+")


@cache
def _library() -> tuple[Any, Vectors] | None:
    """What cuts words into pieces, and the vector of each piece; None where the library is not there."""
    spec = find_spec("wordllama")
    files = [Path(spec.origin or "").parent / name for name in (_PIECES, _VECTORS)] if spec is not None else []
    if not files or not all(file.is_file() for file in files):
        return None
    # Not by the library's own loader, which asks the network for what lies in its package.
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    (vectors,) = load_file(files[1]).values()
    return Tokenizer.from_file(str(files[0])), vectors.astype(np.float32)


def knows_senses() -> bool:
    """Whether the library is installed."""
    return _library() is not None


def common_words(languages: Sequence[str]) -> list[str]:
    """The folded words that are commonest in *languages* (primary subtags); none where senses are not known."""
    if not knows_senses():
        return []
    import wordfreq

    known = wordfreq.available_languages("small")
    most = {word for one in languages if one in known for word in wordfreq.top_n_list(one, COMMON_WORDS)}
    return sorted({word.replace("'", "") for word in map(fold, most) if len(word) >= _LEAST_LETTERS and word.isalpha()})


def ways_written(texts: Iterable[str]) -> Written:
    """By folded word, how often it is written in which way: in one desk's texts *Apple* and *may*, in another's *apple*
    and *May*.
    """
    ways: Written = {}
    for text in texts:
        for word in _WORD.findall(text):
            ways.setdefault(fold(word), Counter())[word] += 1
    return ways


def senses_of(words: Sequence[str], written: Written) -> Vectors | None:
    """words × dimensions, each a mean over the ways to write a word; None without the library."""
    library = _library()
    if library is None:
        return None
    pieces, vectors = library
    from scipy import sparse

    forms, parts, counts = [], [], []
    for word in words:
        ways = _forms(word, written.get(word))
        forms += [form for form, _ in ways]
        parts += [part for _, part in ways]
        counts.append(len(ways))
    cut = [one.ids for one in pieces.encode_batch(forms, add_special_tokens=False)]
    lengths = np.fromiter(map(len, cut), np.int64, len(cut))
    held = np.repeat(np.array(parts, np.float32) / lengths, lengths)
    ends = np.concatenate(([0], np.cumsum(lengths)))[np.concatenate(([0], np.cumsum(counts)))]
    spelled = sparse.csr_matrix((held, np.fromiter(chain(*cut), np.int64), ends), (len(words), len(vectors)))
    senses: Vectors = np.asarray(spelled @ vectors, np.float32)
    return senses


def _forms(word: str, ways: Counter[str] | None) -> list[tuple[str, float]]:
    """Ways to write *word* and what part each has; without having seen it, small letters and capitals alike."""
    guessed = (word, word.capitalize(), word.upper()) if len(word) < _SHORT else (word, word.capitalize())
    total = ways.total() if ways else 0
    seen = [(form, count / (total + _GUESS)) for form, count in ways.most_common(_WAYS)] if ways else []
    return seen + [(form, _GUESS / (total + _GUESS) / len(guessed)) for form in guessed]
