"""Match rules, compiled and asked. A rule that holds says which of its terms did it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import re2

from feeds.filing.facts import Facts
from feeds.model import Match, Term
from feeds.text import fold

SEPARATORS = re.compile(r"\s*[>›»/|→]\s*")


def holds(rule: Match | Term, facts: Facts) -> str | None:
    """The reason why *rule* holds, in words; None where it does not.

    The reason of a joint is that of its first *any* and of each *all*; a rule of nothing but *none* holds where
    none of them does.
    """
    if isinstance(rule, Term):
        return _TERMS[rule.field](rule, facts)
    reasons: list[str] = []
    for part in rule.all:
        reason = holds(part, facts)
        if reason is None:
            return None
        reasons.append(reason)
    if rule.any:
        reason = next((found for part in rule.any if (found := holds(part, facts)) is not None), None)
        if reason is None:
            return None
        reasons.append(reason)
    if any(holds(part, facts) is not None for part in rule.none):
        return None
    return " and ".join(reasons) or "nothing of `none` holds"


def keywords_of(rule: Match | Term) -> Iterator[str]:
    """Every keyword phrase that *rule* names."""
    if isinstance(rule, Term):
        if rule.field == "keywords":
            yield from rule.values
        return
    for part in (*rule.any, *rule.all, *rule.none):
        yield from keywords_of(part)


def split_breadcrumb(text: str) -> tuple[str, ...]:
    """The folded parts of a breadcrumb as an admin writes it.

    >>> split_breadcrumb("News > World")
    ('news', 'world')
    """
    return tuple(fold(part) for part in SEPARATORS.split(text.strip()) if part)


def _source(term: Term, facts: Facts) -> str | None:
    names = {fold(facts.source.key), fold(facts.source.name)}
    return _first(term, "source", lambda value: fold(value) in names)


def _category(term: Term, facts: Facts) -> str | None:
    return _first(term, "category", lambda value: fold(value) in facts.categories)


def _breadcrumb(term: Term, facts: Facts) -> str | None:
    def begins(value: str) -> bool:
        wanted = _split(value)
        return bool(wanted) and facts.breadcrumb[: len(wanted)] == wanted

    return _first(term, "breadcrumb", begins)


def _path(term: Term, facts: Facts) -> str | None:
    def within(value: str) -> bool:
        wanted = _segments(value)
        spans = range(len(facts.path) - len(wanted) + 1)
        return bool(wanted) and any(facts.path[at : at + len(wanted)] == wanted for at in spans)

    return _first(term, "path", within)


def _keywords(term: Term, facts: Facts) -> str | None:
    return _first(term, "keyword", lambda value: value in facts.found)


def _author(term: Term, facts: Facts) -> str | None:
    names = {fold(author.name) for author in facts.entry.authors}
    return _first(term, "author", lambda value: fold(value) in names)


def _language(term: Term, facts: Facts) -> str | None:
    language = (facts.entry.language or "").casefold()
    return _first(
        term, "language", lambda value: language == value.casefold() or language.startswith(f"{value.casefold()}-")
    )


def _origin(term: Term, facts: Facts) -> str | None:
    name = fold(facts.entry.origin.name) if facts.entry.origin else ""
    return _first(term, "origin", lambda value: bool(name) and fold(value) == name)


def _regex(term: Term, facts: Facts) -> str | None:
    return _first(term, "regex", lambda value: _compiled(value).search(facts.prose) is not None)


def _first(term: Term, word: str, test: Callable[[str], bool]) -> str | None:
    value = next((value for value in term.values if test(value)), None)
    return None if value is None else f"{word} {value!r}"


@lru_cache(maxsize=65_536)
def _split(value: str) -> tuple[str, ...]:
    return split_breadcrumb(value)


@lru_cache(maxsize=65_536)
def _segments(value: str) -> tuple[str, ...]:
    return tuple(fold(part) for part in value.split("/") if part)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)


_TERMS: dict[str, Callable[[Term, Facts], str | None]] = {
    "source": _source,
    "category": _category,
    "breadcrumb": _breadcrumb,
    "path": _path,
    "keywords": _keywords,
    "author": _author,
    "language": _language,
    "origin": _origin,
    "regex": _regex,
}
