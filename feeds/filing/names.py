"""A publisher's own words, its breadcrumb, categories and addresses → the admin's sections that mean the same. Pure.

Precision goes first: a name that could mean two sections means none, and what is not sure is left to other steps.
A section is meant by its own name (title or key), else by a concept of the vocabulary that it shares.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

from feeds.configuration import Section
from feeds.files import tables
from feeds.model import Entry, Placement
from feeds.text import fold, words

SEPARATORS = re.compile(r"\s*[>›»/|→]\s*")
_HOME = frozenset({"home", "homepage", "start", "startseite", "accueil", "inicio"})


def breadcrumb_of(entry: Entry) -> tuple[str, ...]:
    """The folded breadcrumb, without a leading "home" and without the article's own title at its end."""
    folded = tuple(fold(part).strip() for part in entry.breadcrumb)
    if len(folded) > 1 and folded[-1] == fold(entry.title).strip():
        folded = folded[:-1]
    return folded[1:] if folded and folded[0] in _HOME else folded


def categories_of(entry: Entry) -> dict[str, str]:
    """Folded category → as the publisher wrote it; terms and their labels."""
    named = [name for category in entry.categories for name in (category.term, category.label) if name]
    return {fold(name).strip(): name for name in named}


def segments_of(entry: Entry) -> tuple[str, ...]:
    """The folded segments of the article's own address."""
    address = entry.canonical_url or entry.link
    return address_segments(address) if address else ()


@lru_cache(maxsize=4096)
def address_segments(address: str) -> tuple[str, ...]:
    """The folded path segments of an address.

    >>> address_segments("https://example.org/World/asia/a-story.html?x=1")
    ('world', 'asia', 'a-story.html')
    """
    # `urlsplit` is four times as slow, and addresses of entries are absolute and clean.
    path = address.partition("#")[0].partition("?")[0].partition("://")[2].partition("/")[2]
    return tuple([fold(unquote(part)) for part in path.split("/") if part])


def split_breadcrumb(text: str) -> tuple[str, ...]:
    """The folded parts of a breadcrumb as an admin writes it.

    >>> split_breadcrumb("News > World")
    ('news', 'world')
    """
    return tuple(fold(part).strip() for part in SEPARATORS.split(text.strip()) if part)


def split_path(text: str) -> tuple[str, ...]:
    """The folded segments of a path as an admin writes it.

    >>> split_path("/World/asia/")
    ('world', 'asia')
    """
    return tuple(fold(unquote(part)) for part in text.strip().split("/") if part)


GENERIC = "generic"
_JOINS = frozenset("and und et y e en och og ja i the".split())
_NEWS = frozenset("news nachrichten noticias notizie actualites nieuws nyheter".split())


@lru_cache(maxsize=65_536)
def name_key(name: str) -> str:
    """A name as the table has it: folded words, without "and", and without "news" beside others.

    >>> name_key("World-News"), name_key("Arts & Culture"), name_key("Arts and culture"), name_key("News")
    ('world', 'arts culture', 'arts culture', 'news')
    """
    every = words(name.replace("_", " "))
    kept = [word for word in every if word not in _JOINS] or every
    return " ".join([word for word in kept if word not in _NEWS] or kept)


@cache
def concepts() -> dict[str, str]:
    """The table that comes with the desk: a name, as `name_key` gives it → its concept, such as ``sport/football``."""
    rows = (row.split("\t") for row in tables("filing/vocabulary.txt")["names"])
    return {name_key(name): concept for concept, _, names in rows for name in names.split(",")}


def concept_of(name: str) -> str | None:
    """The concept that *name* means, None where the table lacks it.

    >>> concept_of("Wirtschaft & Finanzen"), concept_of("Angling")
    ('economy', None)
    """
    return concepts().get(name_key(name))


def concepts_of(title: str) -> tuple[str, ...]:
    """The concepts of a section's title, where it may join some: "Health & Science".

    >>> concepts_of("Health & Science")
    ('health', 'science-technology/science')
    """
    whole = concept_of(title)
    if whole is not None:
        return (whole,)
    for sign in ("&", "/", ",", "+"):
        title = title.replace(sign, " and ")
    parts = [part for part in f" {title} ".split(" and ") if part.strip()]
    known = tuple(concept for part in parts if (concept := concept_of(part)) not in (None, GENERIC))
    return known if len(known) == len(parts) > 1 else ()


SignalKind = Literal["breadcrumb", "category", "path"]
MOST_CATEGORIES = 12
"""With more than these, an entry's categories are keywords rather than sections."""
MOST_SECTIONS = 2
_DEEPEST = 4
_REMEMBERED = 100_000
_SLUG = re.compile(r".*\d|.{25,}|.*\.(?:html?|php|aspx?|xml|rss|json)$", re.DOTALL)


class Signal(Struct, frozen=True):
    """One thing that a publisher says of an entry's topic; *value* as rules would match it."""

    kind: SignalKind
    value: str


class Names:
    """Who among *sections* is meant by a publisher's name."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self._titles = {section.path: section.title for section in sections}
        self._chains = _title_chains(sections)
        # Name or concept → paths by how surely they mean it: 0 the title does, 1 it is part of it, 2 only the key does.
        self._by_name: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._by_concept: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        for section in sections:
            key = section.path.rpartition("/")[2]
            title_key = name_key(section.title)
            for name in dict.fromkeys((title_key, name_key(key))):
                self._by_name[name].append((0 if name == title_key else 2, section.path))
            by_title = concepts_of(section.title)
            rank = int(len(by_title) > 1) if by_title else 2
            for concept in by_title or concepts_of(key.replace("-", " ")):
                if concept != GENERIC:
                    self._by_concept[concept].append((rank, section.path))
        self._meant_by_key = lru_cache(_REMEMBERED)(self._find_meant)
        self._along = lru_cache(_REMEMBERED)(self._find_along)

    def place(self, entry: Entry, *, alone: bool) -> list[Placement]:
        """Where the publisher's words put *entry*: by its breadcrumb; *alone*, else by categories, then by address."""
        if breadcrumb := breadcrumb_of(entry):
            path, part = self._along(breadcrumb)
            if path is not None:
                return [self._placement(path, "breadcrumb", repr(" > ".join(entry.breadcrumb)), part)]
        if not alone:
            return []
        return self._by_categories(entry) or self._by_address(entry)

    def unknown(self, entry: Entry) -> str:
        """What *entry* says of its topic, in words, where no section is meant by it; empty where it says nothing."""
        found = []
        if entry.breadcrumb:
            found.append(f"the breadcrumb {' > '.join(entry.breadcrumb)!r}")
        if names := _topics(categories_of(entry).values()):
            shown = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
            found.append(f"the {'category' if len(names) == 1 else 'categories'} {shown}")
        if segments := _topics(topical(segments_of(entry))):
            found.append(f"the path /{'/'.join(segments)}")
        return f"no section for {', '.join(found)}" if found else ""

    def unmapped(self, entry: Entry) -> Iterator[Signal]:
        """What *entry* says of its topic that means no section, or not surely one."""
        breadcrumb = breadcrumb_of(entry)
        if breadcrumb and self._along(breadcrumb)[0] is None:
            yield Signal("breadcrumb", " > ".join(entry.breadcrumb))
        for name in _topics(categories_of(entry).values()):
            if self._along(tuple(SEPARATORS.split(name)))[0] is None:
                yield Signal("category", name)
        segments = topical(segments_of(entry))
        if (named := _topics(segments)) and self._along(segments, whole=False)[0] is None:
            yield Signal("path", f"/{'/'.join(named)}")

    def _meant(self, name: str) -> str | None:
        """The section that *name* alone means: by its own name, else by its concept or one above; None if unsure."""
        return self._meant_by_key(name_key(name))

    def _find_meant(self, key: str) -> str | None:
        concept = concepts().get(key)
        if not key or concept == GENERIC:
            return None
        if key in self._by_name:
            return _only(self._by_name[key])
        while concept:
            if concept in self._by_concept:
                return _only(self._by_concept[concept])
            concept = concept.rpartition("/")[0]
        return None

    def _by_categories(self, entry: Entry) -> list[Placement]:
        names = list(categories_of(entry).values())
        if len(names) > MOST_CATEGORIES:
            return []
        found: dict[str, Placement] = {}
        for name in names:
            parts = tuple(SEPARATORS.split(name))
            path, part = self._along(parts) if len(parts) > 1 else (self._meant(name), name)
            if path is not None and path not in found:
                found[path] = self._placement(path, "category", repr(name), part)
        deepest = [one for path, one in found.items() if not any(other.startswith(f"{path}/") for other in found)]
        return deepest if len(deepest) <= MOST_SECTIONS else []

    def _by_address(self, entry: Entry) -> list[Placement]:
        segments = topical(segments_of(entry))
        path, part = self._along(segments, whole=False)
        return [self._placement(path, "path", f"/{'/'.join(segments)}", part)] if path is not None else []

    def _find_along(self, parts: tuple[str, ...], *, whole: bool = True) -> tuple[str | None, str]:
        """The section that a way down a publisher's tree leads to, and the part that meant it.

        Where the admin's tree has the same titles down to some part, that section; else the outermost part that
        means one leads, and parts below it may only lead deeper into it. With *whole*, a beginning that says
        nothing of a topic ("News") counts where it is a section and nothing below it is one.
        """
        folded = tuple(fold(part).strip() for part in parts)
        same = next((length for length in range(len(folded), 0, -1) if folded[:length] in self._chains), 0)
        alike = (self._chains[folded[:same]], parts[same - 1]) if same else (None, "")
        if same > 1 or (whole and same == len(folded)):
            return alike
        path, by = self._outermost(parts)
        return alike if path is None and whole else (path, by)

    def _outermost(self, parts: tuple[str, ...]) -> tuple[str | None, str]:
        """The section that the first of *parts* which means one leads to, or a later one below it; and that part."""
        path: str | None = None
        by = ""
        for part in parts:
            deeper = self._meant(part)
            if deeper is not None and (path is None or deeper.startswith(f"{path}/")):
                path, by = deeper, part
        return path, by

    def _placement(self, path: str, by: str, words: str, part: str) -> Placement:
        """A placement by the publisher's *words*, which says how *part* of them means the section, unless by name."""
        title = self._titles[path]
        by_name = name_key(part) in (name_key(title), name_key(path.rpartition("/")[2]))
        meaning = "" if by_name else f", where {part!r} means {title!r}"
        return Placement(section=path, by=by, reason=f"{by} {words}{meaning}")


def _topics(names: Iterable[str]) -> list[str]:
    """Those of *names* that say something of a topic; "News" does not."""
    return [name for name in names if name_key(name) and concept_of(name) != GENERIC]


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


def _only(ranked: Sequence[tuple[int, str]]) -> str | None:
    """Of the paths of the best rank the only one, or the one that holds all the others; None where they are apart."""
    best = min(rank for rank, _ in ranked)
    found = sorted({path for rank, path in ranked if rank == best}, key=len)
    return found[0] if all(f"{path}/".startswith(f"{found[0]}/") for path in found) else None


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
