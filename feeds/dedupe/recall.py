"""What dedupe keeps in memory between batches, read back from what the store keeps. Pure.

The window and the stories live in the process that decides; the store has everything that they are made of. A restart
costs about a fiftieth of a millisecond an entry; where several processes decide, each takes in what the others saved
since it last looked, under the same lock under which it decides.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import accumulate, islice
from typing import Any, Protocol

import numpy as np

from feeds.dedupe.compact import take_apart
from feeds.dedupe.grouping import Stories, Story
from feeds.dedupe.linking import Habits, Member
from feeds.dedupe.near import GramCounts
from feeds.dedupe.postings import Postings, Segment
from feeds.dedupe.terms import TermCounts, Terms, apart, unpack_many
from feeds.dedupe.window import Window

AT_ONCE = 1000
_CLASSES = {each.__name__: each for each in (Window, Stories, Postings, GramCounts, TermCounts, Habits)}
_LEFT_OUT = {"_common", "_layout", "_by_first"}
"""What is made of the rest or read from a library."""
_STORY = [field.name for field in fields(Story)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A stored entry as far as memory needs it. *copy* is False for the entry that made its article."""

    article_uid: str
    source_id: int
    signature: bytes
    first_seen: datetime
    published: datetime | None = None
    copy: bool = False
    story_uid: str | None = None


class Stored(Protocol):
    """What `Remembered` has, by whatever name the store gives it."""

    @property
    def article_uid(self) -> str: ...
    @property
    def source_id(self) -> int: ...
    @property
    def signature(self) -> bytes: ...
    @property
    def first_seen(self) -> datetime: ...
    @property
    def published(self) -> datetime | None: ...
    @property
    def copy(self) -> bool: ...
    @property
    def story_uid(self) -> str | None: ...


def remember(entries: Iterable[Stored], window: Window, stories: Stories | None) -> int:
    """Take stored entries into memory, in the order in which they were first seen; give their number."""
    count = 0
    every = iter(entries)
    while many := list(islice(every, AT_ONCE)):
        found = take_apart([entry.signature for entry in many])
        window.add_many(
            found,
            [entry.article_uid for entry in many],
            np.array([int(entry.first_seen.timestamp()) for entry in many]),
            np.array([entry.source_id for entry in many]),
            [entry.copy for entry in many],
        )
        if stories is not None:
            read = [(many[row], terms) for row, terms in zip(found.rows, found.terms, strict=True) if terms]
            joining = [(entry, entry.story_uid, terms) for entry, terms in read if entry.story_uid and not entry.copy]
            stories.join(
                [uid for _, uid, _ in joining],
                [entry.article_uid for entry, _, _ in joining],
                *unpack_many([terms for _, _, terms in joining]),
                [(entry.published or entry.first_seen, entry.first_seen) for entry, _, _ in joining],
                [entry.source_id for entry, _, _ in joining],
            )
        count += len(many)
    return count


def pack(window: Window, stories: Stories) -> dict[str, bytes]:
    """Both as parts to be kept. Raises TypeError for what is none of the values named above."""
    window.settle()
    stories.settle()
    window.begin()
    stories.begin()
    writer = _Writer()
    tree = writer.value([window, stories])
    return {"tree": json.dumps(tree, separators=(",", ":")).encode(), "arrays": b"".join(writer.arrays)}


def unpack(parts: Mapping[str, bytes | memoryview]) -> tuple[Window, Stories]:
    """What `pack` was given. Raises ValueError for anything else."""
    try:
        window, stories = _Reader(parts["arrays"]).value(json.loads(bytes(parts["tree"])))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"no window and stories: {error!r}") from error
    if not isinstance(window, Window) or not isinstance(stories, Stories):
        raise ValueError("no window and stories")
    return window, stories


def made_of() -> list[str]:
    """The files that say what the bytes mean."""
    folder = os.path.dirname(__file__)
    return sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".py"))


class _Writer:
    """Values as JSON has them; what it has not is a list that begins with its kind."""

    def __init__(self) -> None:
        self.arrays: list[bytes] = []
        self._at = 0
        self._numbers: dict[int, int] = {}  # objects that stand in several places, by identity

    def value(self, found: Any) -> Any:
        kind = type(found)
        if found is None or kind in (int, float, str, bool):
            return found
        if kind in (list, tuple):
            return [kind.__name__, *map(self.value, found)]
        if kind is np.ndarray:
            return ["array", found.dtype.str, found.shape, self._kept(found.tobytes())]
        if kind is bytearray:
            return ["bytearray", self._kept(bytes(found)), len(found)]
        if kind is datetime:
            return ["time", found.isoformat()]
        if kind is dict and found and all(type(each) is Story for each in found.values()):
            return ["stories", list(found), *self._columns(list(found.values()))]
        if kind in (dict, Counter, defaultdict):
            return [kind.__name__, [[self.value(key), self.value(each)] for key, each in found.items()]]
        if kind is Segment:
            return ["Segment", *found]
        if _CLASSES.get(kind.__name__) is not kind:
            raise TypeError(f"{kind} can't be kept")
        if id(found) in self._numbers:
            return ["again", self._numbers[id(found)]]
        self._numbers[id(found)] = len(self._numbers)
        state = {name: getattr(found, name) for name in getattr(kind, "__slots__", None) or vars(found)}
        return [kind.__name__, {name: self.value(each) for name, each in state.items() if name not in _LEFT_OUT}]

    def _columns(self, stories: list[Story]) -> list[Any]:
        """Stories by what they hold, for there are thousands: their arrays one behind the other, with their sizes."""
        columns: list[Any] = []
        for name in _STORY:
            column = [getattr(story, name) for story in stories]
            if type(column[0]) is datetime:
                columns.append(["times", [each.isoformat() for each in column]])
            elif name == "members":
                columns.append(
                    ["members", list(map(len, column)), *self._members([one for each in column for one in each])]
                )
            else:
                columns.append(["plain", [self.value(each) for each in column]])
        return columns

    def _members(self, members: list[Member]) -> list[Any]:
        batches, written_s, numbers, uids, source_ids, hashes, strengths = zip(*members, strict=True)
        arrays = np.frombuffer(b"".join(hashes), np.uint32), np.frombuffer(b"".join(strengths), np.uint8)
        return [batches, written_s, numbers, uids, source_ids, list(map(len, strengths)), *map(self.value, arrays)]

    def _kept(self, body: bytes) -> int:
        at = self._at
        padded = body + bytes(-len(body) % 8)
        self.arrays.append(padded)
        self._at += len(padded)
        return at


class _Reader:
    def __init__(self, arrays: bytes | memoryview) -> None:
        self._arrays = arrays
        self._objects: list[Any] = []

    def value(self, told: Any) -> Any:
        if not isinstance(told, list):
            return told
        kind, *rest = told
        if kind == "array":
            dtype, shape, at = rest
            return np.frombuffer(self._arrays, dtype, int(np.prod(shape)), at).reshape(shape).copy()
        if kind == "list":
            return [self.value(each) for each in rest]
        if kind == "time":
            return datetime.fromisoformat(rest[0])
        if kind == "again":
            return self._objects[rest[0]]
        if kind in _CLASSES:
            made = _CLASSES[kind].__new__(_CLASSES[kind])
            self._objects.append(made)
            for name, each in rest[0].items():
                object.__setattr__(made, name, self.value(each))
            if hasattr(made, "restored"):
                made.restored()
            return made
        if kind == "stories":
            columns = [self._column(*each) for each in rest[1:]]
            return {key: Story(*values) for key, *values in zip(rest[0], *columns, strict=True)}
        if kind in ("dict", "Counter", "defaultdict"):
            pairs = {self.value(key): self.value(each) for key, each in rest[0]}
            return pairs if kind == "dict" else Counter(pairs) if kind == "Counter" else defaultdict(list, pairs)
        if kind == "tuple":
            return tuple(self.value(each) for each in rest)
        if kind == "Segment":
            return Segment(*rest)
        if kind == "bytearray":
            at, length = rest
            return bytearray(self._arrays[at : at + length])
        raise ValueError(f"no such kind: {kind!r}")

    def _column(self, kind: str, told: list[Any], *rest: Any) -> list[Any]:
        if kind == "times":
            return list(map(datetime.fromisoformat, told))
        if kind == "plain":
            return told
        ends = list(accumulate(told))
        members = self._members(*rest)
        return [tuple(members[start:end]) for start, end in zip([0, *ends], ends, strict=False)]

    def _members(
        self,
        batches: Sequence[int],
        written_s: Sequence[float],
        numbers: Sequence[int],
        uids: Sequence[str],
        source_ids: Sequence[int],
        sizes: Sequence[int],
        hashes: list[Any],
        strengths: list[Any],
    ) -> list[Member]:
        terms = Terms(self.value(hashes), self.value(strengths))
        return list(map(Member, batches, written_s, numbers, uids, source_ids, *apart(terms, sizes)))
