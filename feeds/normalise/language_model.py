"""The language of a text by its n-grams: py3langid's data in a form that takes little memory. Part of `normalise`.

Pure once it is loaded, when a text first needs it. Unpacking the data takes half a second and 150 MB; `feeds.files`
keeps what comes of it. The library walks an automaton of 39 MB that knows for each byte what it completes; here the
n-grams are a sorted list of 1 MB, and each byte asks it for the longest one that ends there. Scores are the library's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_DIR, MODEL_FILE, LanguageIdentifier

from feeds.files import Parts, cached

LONGEST = 6
"""Bytes of the longest n-gram: with the 1 before it, by which lengths differ, it fits into 64 bits."""

Numbers = NDArray[np.uint64]


class LanguageModel(LanguageIdentifier):  # type: ignore[misc]
    """The library's identifier, without its automaton: *ngrams* in order, and which feature each of them is."""

    def __init__(self, weights: Any, priors: Any, labels: list[str], ngrams: Numbers, features: Any) -> None:
        super().__init__(weights, priors, labels, (), (), norm_probs=True, tk_row=())
        self.ngrams = ngrams
        self.features = features

    def _raw_score(self, text: bytes) -> Any:
        found = self.features_of(text)
        if not found:
            return np.zeros(len(self.nb_classes), np.float32)
        return self._sparse_score(found, self.nb_ptc)

    def features_of(self, text: bytes) -> Counter[int]:
        """How often each feature stands in *text*: of the n-grams that end at a byte the longest one counts."""
        letters = np.frombuffer(text, np.uint8).astype(np.uint64)
        completed = np.full(len(letters), -1, np.int32)
        begun = np.ones(len(letters) + 1, np.uint64)
        for length in range(1, min(LONGEST, len(letters)) + 1):
            begun = begun[:-1] << np.uint64(8) | letters[length - 1 :]
            at = np.minimum(np.searchsorted(self.ngrams, begun), len(self.ngrams) - 1)
            known = self.ngrams[at] == begun
            completed[length - 1 :][known] = self.features[at[known]]
        return Counter(completed[completed >= 0].tolist())


def language_model(languages: Iterable[str], named_in: str) -> LanguageModel:
    """What tells those of *languages*, which the file *named_in* names, apart that the library knows."""
    made_of = [__file__, named_in, str(MODEL_DIR / MODEL_FILE)]
    parts = cached("languages", made_of, lambda: _unpacked(set(languages)))
    labels = bytes(parts["labels"]).decode().split()
    return LanguageModel(
        np.frombuffer(parts["weights"], np.float16).reshape(-1, len(labels)),
        np.frombuffer(parts["priors"], np.float32),
        labels,
        np.frombuffer(parts["ngrams"], np.uint64),
        np.frombuffer(parts["features"], np.int32),
    )


def _unpacked(languages: set[str]) -> Parts:
    """The parts of the library's model, which is 150 MB while it is unpacked."""
    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(sorted(languages & set(whole.labels)))
    ngrams = _ngrams(np.asarray(whole.tk_nextmove).reshape(-1, 256), np.asarray(whole.tk_row))
    order = np.argsort(ngrams)
    return {
        "labels": " ".join(whole.nb_classes).encode(),
        "weights": np.ascontiguousarray(whole.nb_ptc, np.float16).tobytes(),
        "priors": np.ascontiguousarray(whole.nb_pc, np.float32).tobytes(),
        "ngrams": ngrams[order].tobytes(),
        "features": np.asarray(whole.tk_output, np.int32)[order].tobytes(),
    }


def _ngrams(moves: Any, rows: Any) -> Numbers:
    """The n-gram that each state of an Aho-Corasick automaton stands for: the shortest text that leads to it."""
    ngrams = np.zeros(len(rows), np.uint64)
    ngrams[0] = 1
    new = np.zeros(1, np.intp)
    is_known, is_looked_at = np.zeros(len(rows), bool), np.zeros(len(moves), bool)
    is_known[0] = True
    while len(new):
        # A state that leads on to no longer n-gram shares its row with the shorter one at its end.
        states = new[~is_looked_at[rows[new]]]
        is_looked_at[rows[states]] = True
        led_to = moves[rows[states]]
        at, letters = np.nonzero(~is_known[led_to])
        new = led_to[at, letters]
        is_known[new] = True
        ngrams[new] = ngrams[states[at]] << np.uint64(8) | letters.astype(np.uint64)
    return ngrams
