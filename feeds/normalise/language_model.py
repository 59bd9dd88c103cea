"""py3langid's model of languages, as tables that are mapped (`feeds.files`) and not unpacked. Part of `normalise`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from feeds.files import cached


def model(languages: Iterable[str], made_of: str) -> Any:
    """The library's identifier of those of *languages* that it knows; *made_of* is the file that names them."""
    import numpy as np
    from py3langid.langid import LanguageIdentifier

    found = find_spec("py3langid")
    places = list(found.submodule_search_locations or ()) if found is not None else []
    files = [os.path.join(place, "data", "model.npz.xz") for place in places]
    parts = cached("languages", [__file__, made_of, *files], lambda: _unpacked(set(languages)))
    labels = bytes(parts["labels"]).decode().split()
    return LanguageIdentifier(
        np.frombuffer(parts["features"], np.float16).reshape(-1, len(labels)),
        np.frombuffer(parts["classes"], np.float32),
        labels,
        memoryview(parts["moves"]).cast("I"),
        memoryview(parts["outputs"]).cast("i"),
        norm_probs=True,
        tk_row=memoryview(parts["rows"]).cast("I"),
    )


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
