"""A publisher's own words, its breadcrumb, categories and addresses → the admin's sections that mean the same. Pure.

Precision goes first: a name that could mean two sections means none, and what is not sure is left to other steps.
A section is meant by its own name (title or key), else by a concept of the vocabulary that it shares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from feeds.filing.facts import breadcrumb_of, categories_of, segments_of
from feeds.filing.vocabulary import GENERIC, Vocabulary, name_key
from feeds.model import Entry, Placement, Section
from feeds.text import fold

SignalKind = Literal["breadcrumb", "category", "path"]
MOST_CATEGORIES = 12
"""With more than these, an entry's categories are keywords rather than sections."""
MOST_SECTIONS = 2
_DEEPEST = 4
_REMEMBERED = 100_000
_SLUG = re.compile(r".*\d|.{25,}|.*\.(?:html?|php|aspx?|xml|rss|json)$", re.DOTALL)
_SPLIT = re.compile(r"\s*[>›»/|→]\s*")


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a publisher says of an entry's topic; *value* as rules would match it."""

    kind: SignalKind
    value: str


class Names:
    """Who among *sections* is meant by a publisher's name."""

    def __init__(self, sections: Sequence[Section], vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._titles = {section.path: section.title for section in sections}
        self._chains = _title_chains(sections)
        # Name or concept → paths by how surely they mean it: 0 the title does, 1 it is part of it, 2 only the key does.
        self._own: dict[str, list[tuple[int, str]]] = {}
        self._concepts: dict[str, list[tuple[int, str]]] = {}
        for section in sections:
            key = section.path.rpartition("/")[2]
            title_key = name_key(section.title)
            for name in dict.fromkeys((title_key, name_key(key))):
                self._own.setdefault(name, []).append((0 if name == title_key else 2, section.path))
            by_title = vocabulary.several(section.title)
            for concept in by_title or vocabulary.several(key.replace("-", " ")):
                if concept != GENERIC:
                    rank = 2 if not by_title else int(len(by_title) > 1)
                    self._concepts.setdefault(concept, []).append((rank, section.path))
        self._known: dict[str, str | None] = {}
        self._ways: dict[tuple[bool, tuple[str, ...]], tuple[str | None, str]] = {}

    def place(self, entry: Entry, *, alone: bool) -> list[Placement]:
        """Where the publisher's words put *entry*: by its breadcrumb; *alone*, else by categories, then by address."""
        breadcrumb = breadcrumb_of(entry)
        if breadcrumb:
            path, part = self._along(breadcrumb)
            if path is not None:
                told = " > ".join(entry.breadcrumb)
                reason = f"breadcrumb {told!r}" + self._meaning(part, path)
                return [Placement(section=path, by="breadcrumb", reason=reason)]
        if not alone:
            return []
        return self._by_categories(entry) or self._by_address(entry)

    def unknown(self, entry: Entry) -> str:
        """What *entry* says of its topic, in words, where no section is meant by it; empty where it says nothing."""
        told = []
        if entry.breadcrumb:
            told.append(f"the breadcrumb {' > '.join(entry.breadcrumb)!r}")
        names = [name for name in categories_of(entry).values() if not self._generic(name)]
        if names:
            shown = ", ".join(repr(name) for name in names[:5]) + (", …" if len(names) > 5 else "")
            told.append(f"the {'category' if len(names) == 1 else 'categories'} {shown}")
        segments = [segment for segment in topical(segments_of(entry)) if not self._generic(segment)]
        if segments:
            told.append(f"the path /{'/'.join(segments)}")
        return f"no section for {', '.join(told)}" if told else ""

    def unmapped(self, entry: Entry) -> Iterator[Signal]:
        """What *entry* says of its topic that means no section, or not surely one."""
        breadcrumb = breadcrumb_of(entry)
        if breadcrumb and self._along(breadcrumb)[0] is None:
            yield Signal("breadcrumb", " > ".join(entry.breadcrumb))
        for name in categories_of(entry).values():
            if not self._generic(name) and self._along(tuple(_SPLIT.split(name)))[0] is None:
                yield Signal("category", name)
        segments = topical(segments_of(entry))
        named = [segment for segment in segments if not self._generic(segment)]
        if named and self._along(segments, whole=False)[0] is None:
            yield Signal("path", f"/{'/'.join(named)}")

    def resolve(self, name: str) -> str | None:
        """The section that *name* alone means: by its own name, else by its concept or one above; None if unsure."""
        key = name_key(name)
        if key not in self._known:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            self._known[key] = self._resolve(key)
        return self._known[key]

    def _resolve(self, key: str) -> str | None:
        concept = self._vocabulary.concepts.get(key)
        if not key or concept == GENERIC:
            return None
        if key in self._own:
            return _one(self._own[key])
        while concept:
            if concept in self._concepts:
                return _one(self._concepts[concept])
            concept = concept.rpartition("/")[0]
        return None

    def _by_categories(self, entry: Entry) -> list[Placement]:
        names = list(categories_of(entry).values())
        if len(names) > MOST_CATEGORIES:
            return []
        found: dict[str, Placement] = {}
        for name in names:
            parts = tuple(_SPLIT.split(name))
            path, part = self._along(parts) if len(parts) > 1 else (self.resolve(name), name)
            if path is not None and path not in found:
                reason = f"category {name!r}" + self._meaning(part, path)
                found[path] = Placement(section=path, by="category", reason=reason)
        deepest = [path for path in found if not any(other.startswith(f"{path}/") for other in found)]
        return [found[path] for path in deepest] if len(deepest) <= MOST_SECTIONS else []

    def _by_address(self, entry: Entry) -> list[Placement]:
        segments = topical(segments_of(entry))
        path, part = self._along(segments, whole=False)
        if path is None:
            return []
        reason = f"path /{'/'.join(segments)}" + self._meaning(part, path)
        return [Placement(section=path, by="path", reason=reason)]

    def _along(self, parts: tuple[str, ...], *, whole: bool = True) -> tuple[str | None, str]:
        """The section that a way down a publisher's tree leads to, and the part that meant it.

        Where the admin's tree has the same titles down to some part, that section; else the outermost part that
        means one leads, and parts below it may only lead deeper into it. With *whole*, a beginning that says
        nothing of a topic ("News") counts where it is a section and nothing below it is one.
        """
        way = self._ways.get((whole, parts))
        if way is None:
            if len(self._ways) > _REMEMBERED:
                self._ways.clear()
            way = self._ways[whole, parts] = self._led(parts, whole)
        return way

    def _led(self, parts: tuple[str, ...], whole: bool) -> tuple[str | None, str]:
        folded = tuple(fold(part).strip() for part in parts)
        same = 0
        for length in range(len(folded), 0, -1):
            if folded[:length] in self._chains:
                same = length
                break
        if same == len(folded) > (0 if whole else 1) or same > 1:
            return self._chains[folded[:same]], parts[same - 1]
        led: str | None = None
        by = ""
        for part in parts:
            path = self.resolve(part)
            if path is not None and (led is None or path.startswith(f"{led}/")):
                led, by = path, part
        if led is None and same and whole:
            return self._chains[folded[:same]], parts[same - 1]
        return led, by

    def _meaning(self, part: str, path: str) -> str:
        """How a part means a section where their names differ."""
        title = self._titles[path]
        if name_key(part) in (name_key(title), name_key(path.rpartition("/")[2])):
            return ""
        return f", where {part!r} means {title!r}"

    def _generic(self, name: str) -> bool:
        return not name_key(name) or self._vocabulary.concept(name) == GENERIC


def topical(segments: Sequence[str]) -> tuple[str, ...]:
    """The segments of an address that may name a section: not the last, no dates, numbers, slugs or files."""
    kept: list[str] = []
    for segment in segments[:-1][: 2 * _DEEPEST]:
        if segment.isdigit() and not kept:
            continue
        if _SLUG.match(segment) or len(kept) == _DEEPEST:
            break
        kept.append(segment)
    return tuple(kept)


def _one(ranked: Sequence[tuple[int, str]]) -> str | None:
    """Of the paths of the best rank the only one, or the one that holds all the others; None where they are apart."""
    best = min(rank for rank, _ in ranked)
    found = sorted({path for rank, path in ranked if rank == best}, key=len)
    return found[0] if all(path == found[0] or path.startswith(f"{found[0]}/") for path in found) else None


def _title_chains(sections: Sequence[Section]) -> dict[tuple[str, ...], str]:
    """Titles (or keys) from the top of the tree down to each section → its path."""
    chains: dict[tuple[str, ...], str] = {}
    names: dict[str, list[tuple[str, ...]]] = {"": [()]}
    for section in sections:
        key = section.path.rpartition("/")[2]
        above = names.get(section.parent or "", [])
        mine = dict.fromkeys((fold(section.title).strip(), fold(key)))
        names[section.path] = [(*chain, name) for chain in above for name in mine][:16]
        for chain in names[section.path]:
            chains.setdefault(chain, section.path)
    return chains
