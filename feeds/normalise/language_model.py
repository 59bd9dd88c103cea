"""py3langid's model of languages, as tables that are mapped (`feeds.kept`) and not unpacked. Part of `normalise`.

A handful of texts is scored without numpy, which takes longer to load than they do; from then on the library does it.
"""

from __future__ import annotations

import math
import os
import struct
import unicodedata
from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from feeds import kept

HANDFUL = 60
"""Texts of a ms each; numpy and the library take a tenth of a second, and then a tenth of a ms a text."""


class Model:
    """Tells languages, of those whose tags were given."""

    def __init__(self, parts: kept.Parts) -> None:
        self.labels = bytes(parts["labels"]).decode().split()
        self._features = memoryview(parts["features"])
        self._classes = memoryview(parts["classes"]).cast("f")
        self._moves = memoryview(parts["moves"]).cast("I")
        self._rows = memoryview(parts["rows"]).cast("I")
        self._outputs = memoryview(parts["outputs"]).cast("i")
        self._row = struct.Struct(f"{len(self.labels)}e")  # a feature's weights, half floats
        self._told = 0
        self._library: Any = None

    def classify(self, text: str) -> tuple[str, float]:
        """The likeliest language of *text*, and how probable it is."""
        if self._library is None:
            self._told += 1
            if self._told <= HANDFUL:
                return self.classify_plainly(text)
            self._library = self._loaded()
        language, probability = self._library.classify(text)
        return language, probability

    def classify_plainly(self, text: str) -> tuple[str, float]:
        """What `classify` says, but for the last digits of the probability."""
        encoded = unicodedata.normalize("NFC", text.lower() if text.isupper() else text).encode("utf8", "surrogatepass")
        found = self._found(encoded)
        scores = list(self._classes) if found else [0.0] * len(self.labels)
        for feature, count in found.items():
            weight = math.log1p(count)
            row = self._row.unpack_from(self._features, feature * self._row.size)
            scores = [score + weight * each for score, each in zip(scores, row, strict=True)]
        cool = 1.0 / math.sqrt(len(encoded) or 1)
        best = max(scores)
        likely = [math.exp((score - best) * cool) for score in scores]
        by_label: dict[str, float] = {}  # a language may have two columns, for its scripts
        for label, each in zip(self.labels, likely, strict=True):
            by_label[label] = by_label.get(label, 0.0) + each
        language = max(by_label, key=by_label.__getitem__)
        return language, by_label[language] / sum(likely)

    def _found(self, encoded: bytes) -> Counter[int]:
        moves, rows, outputs, state = self._moves, self._rows, self._outputs, 0
        found = []
        for byte in encoded:
            state = moves[(rows[state] << 8) + byte]
            if outputs[state] >= 0:
                found.append(outputs[state])
        return Counter(found)

    def _loaded(self) -> Any:
        import numpy as np
        from py3langid.langid import LanguageIdentifier

        return LanguageIdentifier(
            np.frombuffer(self._features, np.float16).reshape(-1, len(self.labels)),
            np.array(self._classes, np.float32),
            self.labels,
            self._moves,
            self._outputs,
            norm_probs=True,
            tk_row=self._rows,
        )


def model(languages: Iterable[str], made_of: str) -> Model:
    """The model of those of *languages* that it knows; *made_of* is the file that names them."""
    found = find_spec("py3langid")
    places = list(found.submodule_search_locations or ()) if found is not None else []
    files = [os.path.join(place, "data", "model.npz.xz") for place in places]
    return Model(kept.table("languages", [__file__, made_of, *files], lambda: _unpacked(set(languages))))


def _unpacked(languages: set[str]) -> dict[str, bytes]:
    """The parts of py3langid's model; whole and unpacked it is three times as large."""
    import numpy as np
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE)
    whole.set_languages(sorted(languages & set(whole.labels)))
    return {
        "labels": " ".join(whole.nb_classes).encode(),
        "features": np.ascontiguousarray(whole.nb_ptc, np.float16).tobytes(),
        "classes": np.ascontiguousarray(whole.nb_pc, np.float32).tobytes(),
        "moves": np.asarray(whole.tk_nextmove, np.uint32).tobytes(),
        "outputs": np.asarray(whole.tk_output, np.int32).tobytes(),
        "rows": np.asarray(whole.tk_row, np.uint32).tobytes(),
    }
