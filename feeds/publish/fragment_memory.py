"""Fragments that were made or read lately: what documents list is listed again with the next change. Bounded. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

from feeds.model import FORMATS, Format, Fragment

MOST_BYTES = 32 << 20
"""Of fragments; at 15 kB an article in three formats it is what forty full sections list."""

Fragments = Mapping[Format, Fragment]
"""One article's, in every format."""


class FragmentMemory:
    """The last *most_bytes* of fragments, by article. Each is of one version and revision, as who asks must be."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Fragments] = OrderedDict()

    def get(self, uid: str, version: int, revision: int) -> Fragments | None:
        """An article's fragments, None where they are not here."""
        found = self._kept.get(uid)
        if found is None or any((each.version, each.revision) != (version, revision) for each in found.values()):
            return None
        self._kept.move_to_end(uid)
        return found

    def keep(self, made: Iterable[Fragment]) -> None:
        """Remember fragments of articles of which there is one in every format; the oldest go."""
        by_article: dict[str, dict[Format, Fragment]] = {}
        for fragment in made:
            by_article.setdefault(fragment.article_uid, {})[fragment.format] = fragment
        for uid, fragments in by_article.items():
            self._bytes -= _size(self._kept.pop(uid, {}))
            if len(fragments) == len(FORMATS):
                self._kept[uid] = fragments
                self._bytes += _size(fragments)
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(oldest)


def _size(fragments: Fragments) -> int:
    return sum(len(each.body) for each in fragments.values())
