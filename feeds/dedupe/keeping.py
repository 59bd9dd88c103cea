"""What dedupe remembers as bytes, and back: a file of it spares a start from reading back all that is stored. Pure.

What is read is held to the form that each class names in `KEPT`, so that a file can run nothing.
"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from msgspec import convert, msgpack


class Keepable:
    """Something whose fields can be kept, between batches: *KEPT* says which, and their forms."""

    KEPT: ClassVar[dict[str, Any]] = {}

    def restored(self) -> None:
        """Make what follows from the fields that were kept."""


def as_bytes(thing: Keepable) -> bytes:
    """The fields of *thing*."""
    return msgpack.encode(thing, enc_hook=_plain)


def restore(thing: Keepable, body: bytes | memoryview) -> None:
    """Let *thing* be what `as_bytes` was given. Raises ValueError for another form; *thing* is of no use then."""
    try:
        _put_back(thing, msgpack.decode(body))
    except (EOFError, KeyError, TypeError) as error:
        raise ValueError("what was kept has another form") from error


def made_of() -> list[str]:
    """The files of code that say what is remembered."""
    return sorted(map(str, Path(__file__).parent.glob("*.py")))


def _plain(value: Any) -> Any:
    if isinstance(value, Keepable):
        return {name: getattr(value, name) for name in value.KEPT}
    file = io.BytesIO()
    np.save(file, value, allow_pickle=False)
    return file.getvalue()


def _put_back(thing: Keepable, state: dict[str, Any]) -> None:
    for name, form in thing.KEPT.items():
        held = getattr(thing, name)
        if isinstance(held, Keepable):
            _put_back(held, state[name])
        else:
            found = convert(state[name], form, dec_hook=_array)
            setattr(thing, name, Counter(found) if isinstance(held, Counter) else found)
    thing.restored()


def _array(kind: type, value: Any) -> Any:
    return np.load(io.BytesIO(value), allow_pickle=False).copy()  # one that owns its bytes, and so can grow
