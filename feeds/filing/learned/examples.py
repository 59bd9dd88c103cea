"""Texts with their sections, to learn from: rows of labelled files, and what the desk has filed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from feeds.dates import parse_date
from feeds.errors import DeskError
from feeds.text import plain, words

LABELS = ("label", "section", "sections", "category", "topics")
TEXTS = ("text", "description", "summary", "content")
GROUPS = ("group", "dup_group")
AUTHORS = ("authors", "author", "byline")
DATES = ("published", "date")
_ENTITY = re.compile(r"(?<![&\w])(#x?[0-9a-fA-F]{2,5};|(?:quot|amp|lt|gt|nbsp|apos);)")
_BETWEEN = re.compile(r"\s*[,;|]\s*|\s+(?:and|&)\s+")
_GROUP_WORDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text and the sections that it is filed in. Those of one *group* are never on both sides of a test.

    Nor are those of one *source*, for sections that enough sources fill: what is learned must hold for new ones. *at*
    is when it was published, in seconds; where all have it, what is learned is tested on other days too.
    """

    title: str
    text: str
    sections: tuple[str, ...]
    group: str = ""
    source: str = ""
    authors: tuple[str, ...] = ()
    at: float | None = None
    language: str = ""


def example_of(row: Mapping[str, Any], label: str | None = None) -> Example:
    """The example that a *row* of a labelled file is: *label* (or one of LABELS) holds a section, or a list of them.

    Text is cleaned as a feed reader does. Raises DeskError where the row has no such field.
    """
    field = label or next((name for name in LABELS if name in row), "")
    if field not in row:
        raise DeskError(f"a row has no field {label or 'label'!r}", remedy="name the field of the section with --label")
    filed = row[field]
    title = clean(str(row.get("title") or ""))
    text = clean(str(_first(row, TEXTS)))
    group = _first({name: str(value) for name, value in row.items() if value is not None}, GROUPS)
    return Example(
        title=title,
        text=text,
        sections=tuple(map(str, filed)) if isinstance(filed, list) else (str(filed),),
        group=f"g:{group}" if group else group_of(title, text),
        authors=_authors(_first(row, AUTHORS)),
        at=_seconds(_first(row, DATES)),
        language=str(row.get("language") or ""),
    )


def _first(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    """What *row* has under the first of *names* that holds anything; ``""`` where none does."""
    return next((row[name] for name in names if row.get(name)), "")


def _authors(value: object) -> tuple[str, ...]:
    names = _BETWEEN.split(value) if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(name for name in (str(name).strip() for name in names) if name)


def _seconds(value: object) -> float | None:
    moment = parse_date(str(value)) if value else None
    return moment.timestamp() if moment else None


def group_of(title: str, text: str) -> str:
    """A group for texts that begin alike, so that a reprint is no test of what was learned from its original."""
    return " ".join(words(f"{title} {text[:200]}")[:_GROUP_WORDS])


def clean(text: str) -> str:
    """Text with markup and half-eaten entities resolved.

    >>> clean("Oil #39;s up &lt;b&gt;3\\\\%&lt;/b&gt;")
    "Oil 's up 3 %"
    """
    if "\\" in text or ";" in text:
        text = _ENTITY.sub(r"&\1", text).replace("\\", " ")
    if "&" in text:
        text = plain(text)  # once for entities of the markup, once for the markup itself
    return plain(text)


def is_single(examples: Iterable[Example]) -> bool:
    """Whether every example is in one section alone, so that sections exclude each other."""
    return all(len(example.sections) == 1 for example in examples)
